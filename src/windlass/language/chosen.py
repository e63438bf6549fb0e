"""Which language is spoken: chosen once, where a command or a request begins, and asked where a text leaves."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

ENGLISH, CHINESE = "en", "zh"
LANGUAGES = (ENGLISH, CHINESE)
VARIABLES = ("WINDLASS_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
"""Asked in this order; the first that says anything decides, as POSIX has it of a locale."""
OPTION = "--language"
COOKIE, PARAMETER = "windlass-language", "lang"
"""Which language a person chose on a page: remembered by their browser, and said in an address."""
_CHOSEN = re.compile(rf"(?:^|[;&]) ?(?:{COOKIE}|{PARAMETER})=(en|zh)(?:$|[;&])")
_spoken: ContextVar[str] = ContextVar("language", default=ENGLISH)
_RANGE = re.compile(r"\s*([A-Za-z*]{1,8})(?:-[A-Za-z0-9-]*)?\s*(?:;\s*q\s*=\s*([0-9.]{1,5}))?\s*")


def spoken() -> str:
    """'en' or 'zh'."""
    return _spoken.get()


def speak(language: str) -> None:
    """From here on, in this process or task."""
    _spoken.set(CHINESE if language == CHINESE else ENGLISH)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Within the block."""
    before = _spoken.set(CHINESE if language == CHINESE else ENGLISH)
    try:
        yield
    finally:
        _spoken.reset(before)


def of_locale(environment: Mapping[str, str] = os.environ) -> str:
    """`zh_CN.UTF-8`, `zh` and the like are Chinese, all else is English."""
    said = next((value for name in VARIABLES if (value := environment.get(name, ""))), "")
    return CHINESE if said.lower().startswith(CHINESE) else ENGLISH


def of_command(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> str:
    """What `--language` says, which may stand anywhere; else what the locale says."""
    for at, argument in enumerate(arguments):
        if argument.startswith(f"{OPTION}="):
            return argument.partition("=")[2]
        if argument == OPTION and at + 1 < len(arguments):
            return arguments[at + 1]
    return of_locale(environment)


def asked_for(query: str) -> str:
    """What an address asks for, `lang=zh`; '' where it asks for none."""
    found = _CHOSEN.search(query)
    return found[1] if found else ""


def of_request(query: str, cookies: str, accepted: str) -> str:
    """As the address says, else as its reader chose on a page before, else as their browser asks for."""
    chosen = _CHOSEN.search(cookies)
    return asked_for(query) or (chosen[1] if chosen else of_header(accepted))


def of_header(accepted: str) -> str:
    """The one of both that `Accept-Language` likes better; English where it names neither, or both alike and it first.

    Source: RFC 9110, section 12.5.4.
    """
    best, likes = ENGLISH, 0.0
    for each in accepted[:400].split(","):
        found = _RANGE.fullmatch(each)
        name = found[1].lower() if found else ""
        if found and name in LANGUAGES and (weight := _weight(found[2])) > likes:
            best, likes = name, weight
    return best


def _weight(text: str | None) -> float:
    try:
        return float(text or 1.0)
    except ValueError:
        return 0.0


def translated(text: str) -> str:
    """The text in the language that is spoken; what has no twin stays as it is."""
    if _spoken.get() == ENGLISH or not text:
        return text
    from windlass.language.rendering import in_chinese

    return in_chinese(text)


def sentences(said: Sequence[str]) -> str:
    """Several sentences as one text; Chinese ones stand without spaces between them."""
    return (" " if _spoken.get() == ENGLISH else "").join(map(translated, said))
