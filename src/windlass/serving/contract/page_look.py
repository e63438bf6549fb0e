"""How the pages of a product look, read once: its name, one line, its logo as a data URI, its colours as CSS."""

import base64
from dataclasses import dataclass
from pathlib import Path

from windlass.errors import SpecError
from windlass.look import LOGOS, Look, style, suffix

MOST_BYTES = 200 * 1024
BEGINS = {".png": b"\x89PNG\r\n\x1a\n", ".webp": b"RIFF", ".jpg": b"\xff\xd8\xff"}


@dataclass(frozen=True)
class PageLook:
    """logo: a data URI, in which nothing of an SVG runs or loads; colours: CSS; accent: one. Empty: not given."""

    name: str = ""
    tagline: str = ""
    tagline_zh: str = ""
    logo: str = ""
    colours: str = ""
    accent: str = ""


def read(look: Look, project: Path) -> PageLook:
    """Raises: SpecError: the logo is not there, lies outside the project, is too large, or is no such picture."""
    logo = _logo(look.logo, project) if look.logo else ""
    return PageLook(look.name, look.tagline, look.tagline_zh, logo, style(look), look.accent)


def _logo(name: str, project: Path) -> str:
    path, form = project / name, suffix(name)
    subject = f"look.logo is '{name}'"
    if not path.is_file() or not path.resolve().is_relative_to(project.resolve()):
        raise SpecError(f"{subject}, expected a file inside {project}")
    if (size := path.stat().st_size) > MOST_BYTES:
        raise SpecError(f"{subject} with {size:,} bytes, expected at most {MOST_BYTES:,}")
    content = path.read_bytes()
    is_right = b"<svg" in content[:4_096] if form == ".svg" else content.startswith(BEGINS[form])
    if not is_right:
        raise SpecError(f"{subject}, expected a picture of the form that its name says")
    return f"data:{LOGOS[form]};base64,{base64.b64encode(content).decode('ascii')}"
