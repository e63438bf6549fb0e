"""The catalogue: each English template with its Chinese twin, as PO files have them (GNU gettext)."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("zh")
ENTRY = re.compile(r'^msgid (".*")\nmsgstr (".*")$', re.MULTILINE)


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """(English, Chinese) of a PO file whose texts stand on one line each; all are read at once, as each command that
    says something in Chinese waits for it."""
    said = json.loads(f"[{','.join(each for found in ENTRY.findall(text) for each in found)}]")
    return ((english, chinese) for english, chinese in zip(said[::2], said[1::2], strict=True) if english)


@cache
def catalogue() -> dict[str, str]:
    """Template -> its twin, of every file of the folder."""
    found: dict[str, str] = {}
    for path in sorted(FOLDER.glob("*.po")):
        found.update(pairs(path.read_text(encoding="utf-8")))
    return found
