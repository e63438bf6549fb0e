"""Who may see a document: what its own head says, else what `access:` of windlass.yaml says of its path."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from windlass.errors import DataError
from windlass.records import Passage
from windlass.sources.documents.contract import ReadDocument
from windlass.spec import EVERYONE, GROUP

NAME = "access"
"""Of the field in a file's head."""
Access = tuple[str, ...] | None
"""Groups that may see it; None: everybody, none: nobody."""
MOST_TOLD = 3


def of_head(lines: Sequence[str]) -> Access:
    """What `access: hr, board` says, `[hr, board]`, or a list below it; None where nothing is said.

    Raises: DataError: it says something that are no groups, so that nobody can tell who may see the file.
    """
    for number, line in enumerate(lines):
        name, colon, said = line.partition(":")
        if not colon or name.strip().strip("\"'").casefold() != NAME:
            continue
        below = [each.strip() for each in lines[number + 1 :]]
        end = next((place for place, each in enumerate(below) if not each.startswith("-")), len(below))
        return of_words(said if said.strip() else ",".join(each[1:] for each in below[:end]))
    return None


def of_words(words: str) -> Access:
    """Groups, with commas between them, in brackets or not. Raises: DataError: none, or no names."""
    said = words.strip()
    if said == "[]":
        return ()
    inner = said[1:-1] if said[:1] == "[" and said[-1:] == "]" else said
    names = [each.strip().strip("\"'").casefold() for each in inner.split(",")]
    if not all(GROUP.fullmatch(name) for name in names):
        raise DataError(
            f"its access is '{said[:60]}', expected names of groups such as 'hr, board'",
            "`access: [everyone]` is for all, `access: []` for nobody",
        )
    return seen_by(names)


def seen_by(names: Sequence[str]) -> Access:
    """The groups as passages keep them."""
    found = tuple(sorted({name.casefold() for name in names}))
    return None if EVERYONE in found else found


def with_access(read: Sequence[ReadDocument], by_path: Mapping[str, Sequence[str]]) -> tuple[list[Passage], list[str]]:
    """All passages, each with who may see it, and what a person should know of the lists.

    by_path: as windlass.yaml has it: a folder, a file or a pattern -> groups; of several that fit, the last one says.
    """
    passages, hits = list[Passage](), dict.fromkeys(by_path, 0)
    for each in read:
        fitting = [pattern for pattern in by_path if fits(each.document.path, pattern)]
        for pattern in fitting:
            hits[pattern] += 1
        said = each.document.access
        access = said if said is not None or not fitting else seen_by(by_path[fitting[-1]])
        passages += [replace(passage, access=access) for passage in each.passages]
    unused = [pattern for pattern, n_hits in hits.items() if not n_hits]
    told = [f"access '{pattern[:60]}' fits no document: it restricts nothing" for pattern in unused[:MOST_TOLD]]
    n_restricted = len({passage.document for passage in passages if passage.access is not None})
    if n_restricted:
        told.append(f"{n_restricted:,} of {len(read):,} documents are not for everybody: `windlass ask --as GROUP`")
    return passages, told


def fits(path: str, pattern: str) -> bool:
    """True of a file in the folder that the pattern names, the file itself, or one that it fits as a shell's pattern
    (`*` goes across folders); capitals do not count."""
    name, wanted = path.casefold(), pattern.casefold().removeprefix("./")
    return name.startswith(wanted.rstrip("/") + "/") or fnmatchcase(name, wanted)
