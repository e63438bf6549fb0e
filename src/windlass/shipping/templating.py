"""Fills templates strictly: `{{ name }}` alone is replaced, and only by words that no language of theirs can misread.

A word has no space, quote, `$`, `%`, `#`, `{`, backslash or line end, so that it stays a word in YAML, in a Dockerfile,
in a shell, in a unit of systemd and in Markdown; nothing that a user wrote can become code there.
"""

import re
from collections.abc import Mapping
from importlib.resources import files

from windlass.errors import SpecError

WORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/:@+-]{0,250}[A-Za-z0-9])?\Z")
BLANK = re.compile(r"\{\{ ([a-z_]+) \}\}")
LABEL = re.compile(r"[a-z](?:[a-z0-9-]{0,48}[a-z0-9])?\Z")
HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+\Z")
Words = Mapping[str, str]


def template(place: str) -> str:
    """The text of a template of the package, by its place below `templates/`."""
    return files("windlass.shipping").joinpath("templates", *place.split("/")).read_text(encoding="utf-8")


def fill(text: str, words: Words) -> str:
    """The text with each blank replaced.

    Raises: SpecError: a word that is not safe everywhere. KeyError: a blank without a word, a fault of ours.
    """
    for name, word in words.items():
        if not WORD.match(word):
            raise SpecError(f"{name} is '{word[:80]}', expected letters, digits and any of . _ / : @ + - between them")
    return BLANK.sub(lambda blank: words[blank[1]], text)


def check_label(name: str) -> str:
    """The product's name, where it can name a service as well. Raises: SpecError."""
    if not LABEL.match(name):
        raise SpecError(
            f"name is '{name[:80]}', expected a letter first, a letter or digit last, at most 50 of a-z, 0-9 and '-'",
            "services, images and units take their names from `name` in windlass.yaml",
        )
    return name


def check_host(host: str) -> str:
    """A DNS name such as 'desk.example.com', in lower case. Raises: SpecError."""
    if not HOST.match(host):
        raise SpecError(f"host is '{host[:80]}', expected a DNS name such as 'desk.example.com'")
    return host
