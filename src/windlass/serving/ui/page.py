"""What all pages share: how they look, one document without anything from elsewhere, and the policy that guards it.

Style sheets and scripts are files in `assets/`, so that editors know what they are.
"""

import base64
import hashlib
from functools import cache
from pathlib import Path

ASSETS = Path(__file__).with_name("assets")


@cache
def asset(*names: str) -> str:
    """The files of `assets/`, one after the other."""
    return "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in names)


STYLE = """
:root {
  color-scheme: light dark; --ink: #1c2430; --soft: #5c6573; --line: #e4e1db; --paper: #fbfaf8;
  --card: #fff; --mark: #1f5fa8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e5e8ec; --soft: #9ba4b0; --line: #2e343e; --paper: #13161b; --card: #1a1e25; --mark: #75aef5; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 42rem; margin: 0 auto; padding: 2.5rem 1.25rem; }
h1 { margin: 0; font-size: 1.6rem; letter-spacing: -0.01em; overflow-wrap: anywhere; }
.about { margin: 0.25rem 0 1.75rem; color: var(--soft); overflow-wrap: anywhere; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.25rem; }
label { display: block; margin-bottom: 1rem; font-weight: 600; overflow-wrap: anywhere; }
textarea, input { display: block; width: 100%; margin-top: 0.3rem; padding: 0.6rem 0.7rem; font: inherit;
  font-weight: 400; color: inherit; background: var(--paper);
  border: 1px solid var(--line); border-radius: 6px; resize: vertical; }
textarea:focus-visible, input:focus-visible, button:focus-visible {
  outline: 2px solid var(--mark); outline-offset: 1px; }
button { padding: 0.55rem 1.4rem; font: inherit; font-weight: 600; color: var(--card); background: var(--mark);
  border: 0; border-radius: 6px; cursor: pointer; }
button:disabled { opacity: 0.5; cursor: default; }
.text { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.note { color: var(--soft); font-size: 0.9rem; margin: 0.75rem 0 0; }
.wrong { border-color: #c62f2f; }
a { color: var(--mark); }
dialog { border: 1px solid var(--line); border-radius: 12px; padding: 1.25rem; background: var(--card);
  color: var(--ink); width: min(24rem, calc(100vw - 2rem)); }
dialog::backdrop { background: rgba(0, 0, 0, 0.45); }
"""

def document(title: str, body: str, style: str, script: str) -> bytes:
    """An HTML document with nothing from elsewhere. title, body: HTML."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
{body}
<script>{script}</script>
</body>
</html>
""".encode()


def policy(style: str, script: str) -> str:
    """The Content-Security-Policy under which only this style and this script run."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"
