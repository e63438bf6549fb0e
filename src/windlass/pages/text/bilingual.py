"""English and Chinese: one of them where a text is written, both on a page, which shows one and needs no script."""

import re
from collections.abc import Mapping

from windlass.language.chosen import spoken
from windlass.pages.text.words import escaped

LANGUAGES = ("en", "zh")
Words = Mapping[str, tuple[str, str]]
"""Key -> the words in each language, with {names} where values stand."""
STYLE = """
.zh { display: none; } #zh { position: absolute; opacity: 0; pointer-events: none; }
#zh:checked ~ main .en { display: none; } #zh:checked ~ main .zh { display: inline; }
a.flip { text-decoration: none; }
.flip { float: right; padding: 6px; cursor: pointer; color: var(--accent); font-size: 14px; }
#zh:focus-visible ~ main .flip { outline: 2px solid var(--accent); outline-offset: 3px; }
"""


def say(words: Words, language: str, key: str, **values: object) -> str:
    """The words of a table in 'en' or 'zh', with the values in their places."""
    return words[key][LANGUAGES.index(language)].format(**values)


def both(english: str, chinese: str) -> str:
    """Text in both languages as HTML, of which a page with `STYLE` and `main` shows one."""
    if english == chinese:
        return escaped(english)
    return f'<span class="en" lang="en">{escaped(english)}</span><span class="zh" lang="zh">{escaped(chinese)}</span>'


def main(inside: str, language: str = "en", chinese: str = "中文") -> str:
    """The body of a page: what stands on it, opened in this language, and what changes it. chinese: what it offers."""
    checked = " checked" if "zh" in (language, spoken()) else ""
    return (
        f'<input type="checkbox" id="zh" aria-label="{escaped(chinese)}"{checked}>'
        f'<main><label class="flip" for="zh">{both(chinese, "English")}</label>{inside}</main>'
    )


_TURN = re.compile(r'<input type="checkbox" id="zh"[^>]*>')
_FLIP = re.compile(r'<label class="flip" for="zh">(.*?)</label>', re.DOTALL)


def served(page: str, language: str) -> str:
    """A page of `main` as a server gives it: opened in this language, the other one a link, which the server remembers
    for all its pages."""
    checked, lang, other = (" checked", "zh-Hans", "en") if language == "zh" else ("", "en", "zh")
    page = _TURN.sub(f'<input type="checkbox" id="zh" autocomplete="off" hidden{checked}>', page, count=1)
    page = _FLIP.sub(rf'<a class="flip" href="?lang={other}">\1</a>', page, count=1)
    return page.replace('<html lang="en">', f'<html lang="{lang}">', 1)
