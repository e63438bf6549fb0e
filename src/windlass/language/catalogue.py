"""The catalogue: each English template with its Chinese twin, as PO files have them (GNU gettext)."""

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

FOLDER = "zh"
ENGLISH, CHINESE = "msgid ", "msgstr "


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """(English, Chinese) of a PO file whose texts stand on one line each."""
    english = ""
    for line in text.splitlines():
        if line.startswith(ENGLISH):
            english = json.loads(line[len(ENGLISH) :])
        elif line.startswith(CHINESE) and english:
            yield english, json.loads(line[len(CHINESE) :])


@cache
def catalogue() -> dict[str, str]:
    """Template -> its twin, of every file of the folder."""
    found: dict[str, str] = {}
    for path in sorted(files(__package__).joinpath(FOLDER).iterdir(), key=lambda each: each.name):
        if path.name.endswith(".po"):
            found.update(pairs(path.read_text(encoding="utf-8")))
    return found
