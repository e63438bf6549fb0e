"""The catalogue of Chinese sentences (src/windlass/language/zh/): what it lacks, what it no longer needs, how to add.

    python tools/translations.py                 # the English templates without a Chinese twin, one a line
    python tools/translations.py add twins.tsv   # lines of `English<TAB>Chinese`; `English<TAB>-`: nobody reads it
    python tools/translations.py tidy            # takes out what the source no longer says, and sorts

`{}` in English is a value; Chinese names it by its place, `{0}`, `{1}`. `{~}` is an English ending and has no twin.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from templates import SOURCE, templates

FOLDER = SOURCE / "language" / "zh"
NOT_READ = Path(__file__).resolve().parent / "not_read.txt"
"""Templates that no person reads: programs, prompts, SQL that slipped through; one a line."""
TERMS = "terms.po"
"""Written by hand: the glossary, and words that are too short to be looked for in the source."""


def not_read() -> set[str]:
    return set(NOT_READ.read_text(encoding="utf-8").splitlines()) if NOT_READ.exists() else set()


def missing(found: dict[str, list[str]], known: dict[str, str]) -> list[str]:
    """Templates of the source without a twin."""
    left_out = not_read()
    return [each for each in found if each not in known and each not in left_out]


def catalogue() -> dict[str, str]:
    sys.path.insert(0, str(SOURCE.parent))
    from windlass.language.catalogue import catalogue as read

    read.cache_clear()
    return read()


def of_terms() -> dict[str, str]:
    from windlass.language.catalogue import pairs

    path = FOLDER / TERMS
    return dict(pairs(path.read_text(encoding="utf-8"))) if path.exists() else {}


def write(twins: dict[str, str], found: dict[str, list[str]]) -> None:
    """One file a room, in the order of the templates, so that what two people add seldom meets in one line."""
    terms, rooms = of_terms(), dict[str, list[str]]()
    for english in sorted(found, key=lambda each: (found[each][0], each)):
        if english in twins and english not in terms:
            room = found[english][0].split("/")[0].removesuffix(".py")
            entry = [f"#: {' '.join(found[english])}", f"msgid {_quoted(english)}", f"msgstr {_quoted(twins[english])}"]
            rooms.setdefault(room, []).append("\n".join(entry))
    for path in FOLDER.glob("*.po"):
        if path.name != TERMS and path.stem not in rooms:
            path.unlink()
    for room, entries in rooms.items():
        text = "\n\n".join(
            ['msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\nLanguage: zh_CN\\n"', *entries]
        )
        (FOLDER / f"{room}.po").write_text(f"{text}\n", encoding="utf-8")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def add(path: Path, found: dict[str, list[str]]) -> None:
    twins, left_out = catalogue(), not_read()
    for line in path.read_text(encoding="utf-8").splitlines():
        english, mark, chinese = line.partition("\t")
        if mark and chinese.strip() == "-":
            left_out.add(english)
        elif mark:
            twins = {**twins, english: chinese.strip()}
    NOT_READ.write_text("".join(f"{each}\n" for each in sorted(left_out & set(found))), encoding="utf-8")
    write(twins, found)


def main(arguments: list[str]) -> None:
    found = templates()
    FOLDER.mkdir(parents=True, exist_ok=True)
    if arguments[:1] == ["add"]:
        add(Path(arguments[1]), found)
    elif arguments[:1] == ["tidy"]:
        write(catalogue(), found)
    for each in missing(found, catalogue()):
        sys.stdout.write(f"{each}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
