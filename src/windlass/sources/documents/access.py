"""Who may see a document: what its own head says, else what `access:` of windlass.yaml says of its path."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import takewhile

from windlass.errors import LONGEST_NAME, DataError, did_you_mean
from windlass.records import Passage
from windlass.sources.documents.characters import INVISIBLE
from windlass.sources.documents.contract import ReadDocument
from windlass.spec import EVERYONE, GROUP

NAME = "access"
"""Of the field in a file's head."""
Access = tuple[str, ...] | None
"""Groups that may see it; None: everybody, none: nobody."""
MOST_TOLD = 3
AS_HEAD = (
    "write `access: hr, board` between two lines `---` at the top of a Markdown file, or name the file below `access:` "
    "of windlass.yaml; where it is text, put a heading above it"
)
NO_NAMES = frozenset({"null", "~", "nil", "none", "undefined", "true", "false", "yes", "no"})
SIGNS = "*&!|>%@`~?"
"""What YAML begins other things with than names."""
ALIKE = str.maketrans(
    {**dict.fromkeys("аαɑᴀꭺꓮ", "a"), **dict.fromkeys("сςσᴄꮯꓚ", "c"), **dict.fromkeys("еεᴇꭼꓰ", "e"),
     **dict.fromkeys("ѕꜱꮪꓢ", "s"), **dict.fromkeys("∶꞉ː˸׃։", ":"), **dict.fromkeys("‐‑‒–—―−─", "-")}
)  # fmt: skip
"""Cyrillic, Greek, Cherokee, Lisu and small capitals -> the Latin letter (Unicode's confusables), casefolded."""
UNSEEN_KINDS = frozenset({"Cf", "Cc", "Mn", "Me"})
UNSEEN = re.compile(rf"(?:\s|{INVISIBLE.pattern})+")
ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
QUOTES = "[\"'`“”‘’*_]*"
BEGIN = r"[ \t]*(?:[-*?>][ \t]+|[!&]\S*[ \t]+)*"
KEY = re.compile(
    rf"(?P<line>(?:^{BEGIN}|\{{\s*|(?<=,)\s*|<!--\s*){QUOTES}access(?:\.[\w.-]+)?{QUOTES}[ \t]*[:=][^\n]*"
    rf"|^[ \t]*\[+access\b[^\n]*|^[ \t]*\?[ \t]*{QUOTES}access{QUOTES}[ \t]*$)", re.MULTILINE
)  # fmt: skip
"""`access` as a key of YAML, TOML or JSON, in text as `folded` makes it."""
PLAIN = re.compile("[\"' \t]*access[\"' \t]*:")
FENCE = re.compile(r"\s*(?:-{2,}|\+{2,}|;{2,}|~{3,}|`{3,}|<!--|%yaml|\{(?![{%]))")
"""What a head begins with, of some format."""
FLOW = re.compile(r"\s*(?:\{|%)")
FIELD = re.compile(rf"{BEGIN}[^:=\n]{{1,60}}[:=]|[ \t]+\S|[-*][ \t]")
MOST_OPENER = 400


def of_head(lines: Sequence[str]) -> Access:
    """What `access: hr, board` says, `[hr, board]`, or a list below it; None where nothing is said.

    Raises: DataError: it says something that are no groups, twice or in another form, so that nobody can tell who may
    see the file.
    """
    said = [_said(lines, number) for number, line in enumerate(lines) if _is_plain(line)]
    keys = [found["line"].strip() for found in KEY.finditer(folded("\n".join(lines)))]
    if len(said) > 1:
        raise DataError(f"its access is said {len(said)} times, expected once", AS_HEAD)
    if len(keys) != len(said):
        raise _unread(next((key for key in keys if not PLAIN.match(key)), keys[0] if keys else NAME))
    return of_words(said[0]) if said else None


def _is_plain(line: str) -> bool:
    name, colon, _ = line.partition(":")
    return bool(colon) and name.strip().strip("\"'").casefold() == NAME


def _said(lines: Sequence[str], number: int) -> str:
    """Behind the colon, or as points below it, with commas between them."""
    said = lines[number].partition(":")[2]
    below = [each.strip() for each in lines[number + 1 :]]
    end = next((place for place, each in enumerate(below) if not each.startswith("-")), len(below))
    return said if said.strip() else ",".join(each[1:] for each in below[:end])


def refuse_unread(text: str, is_below: bool = False) -> None:
    """Raises: DataError: `access` stands as a key at the top, where no list of it is read: a head in another form,
    of another format, or never closed. is_below: a head was read before, so that lines without a fence are no head."""
    text = text[ended.end() if (ended := UNSEEN.match(text)) else 0 :]
    first = folded(text[:MOST_OPENER].split("\n", 1)[0])
    if fence := FENCE.match(first):
        lines = text.splitlines()
        close = "-->" if fence[0] == "<!--" else fence[0].strip()[:2] * (not FLOW.match(fence[0]))
        ends = (number for number, line in enumerate(lines[1:], 1) if close and _closes(line, close))
        top = "\n".join(lines[: next(ends, len(lines))])
    else:
        top = "" if is_below else "\n".join(takewhile(_is_field, text.splitlines()))
    if found := KEY.search(folded(top)):
        raise _unread(found["line"].strip())


def _closes(line: str, close: str) -> bool:
    bare = folded(line[:MOST_OPENER]).strip()
    return close in bare if close == "-->" else bare == "..." or (len(bare) > 1 and bare.startswith(close[:2]))


def _is_field(line: str) -> bool:
    """True of a line that may belong to a head without a fence: a field, a point of its list, or what goes on."""
    return bool(line.strip()) and bool(FIELD.match(folded(line[:MOST_OPENER])))


def looks_like(name: object) -> bool:
    """True of a name that people read as `access`."""
    return folded(str(name)).strip(" \t\"'*_") == NAME


def folded(text: str) -> str:
    """As people read it: without capitals, marks and what nobody sees; wide signs and look-alikes as plain ones."""
    if text.isascii() and "\\" not in text and not INVISIBLE.search(text):
        return text.lower()
    text = ESCAPE.sub(lambda found: chr(int(found[1] or found[2], 16)), text)
    text = unicodedata.normalize("NFKD", INVISIBLE.sub("", text).casefold()).translate(ALIKE)
    return "".join(sign for sign in text if unicodedata.category(sign) not in UNSEEN_KINDS or sign in "\n\t")


def _unread(line: str) -> DataError:
    return DataError(f"its access is '{line[:60]}', expected one list of groups that can be read", AS_HEAD)


def of_words(words: str) -> Access:
    """Groups, with commas between them, in brackets or not. Raises: DataError: none, or no names."""
    said = words.strip()
    if said == "[]":
        return ()
    inner = said[1:-1] if said[:1] == "[" and said[-1:] == "]" else said
    names = [each.strip().strip("\"'").casefold() for each in inner.split(",")]
    if not all(GROUP.fullmatch(name) and name[0] not in SIGNS and name not in NO_NAMES for name in names):
        raise DataError(
            f"its access is '{said[:60]}', expected names of groups such as 'hr, board'",
            "`access: [everyone]` is for all, `access: []` for nobody",
        )
    return seen_by(names)


def seen_by(names: Sequence[str]) -> Access:
    """The groups as passages keep them."""
    found = tuple(sorted({name.casefold() for name in names}))
    return None if EVERYONE in found else found


def with_access(
    read: Sequence[ReadDocument], by_path: Mapping[str, Sequence[str]], folder: str = "", others: Sequence[str] = ()
) -> tuple[list[Passage], list[str]]:
    """All passages, each with who may see it, and what a person should know of the lists.

    by_path: as windlass.yaml has it: a folder, a file or a pattern -> groups; of several that fit, the last one says.
    folder: that of the documents, which a pattern may begin with. others: paths that lie there, too, and were not read.

    Raises: DataError: a pattern that restricts fits nothing, so that what it meant would be public.
    """
    paths = [each.document.path for each in read]
    saying, told = dict[str, str](), list[str]()
    for pattern, groups in by_path.items():
        hits = fitting([*paths, *others], pattern, folder)
        if not hits and seen_by(groups) is not None:
            there = dict.fromkeys([*(f"{each.rpartition('/')[0]}/" for each in paths if "/" in each), *paths])
            hint = did_you_mean(pattern[:LONGEST_NAME], there) or "take it out, or name a folder or file that is there"
            raise DataError(f"access '{pattern[:60]}' fits no document, expected a folder, a file or a pattern", hint)
        told += [] if hits else [f"access '{pattern[:60]}' fits no document: it opens nothing"]
        saying |= dict.fromkeys(hits, pattern)
    passages = list[Passage]()
    for each in read:
        said, says = each.document.access, saying.get(each.document.path)
        access = said if said is not None or says is None else seen_by(by_path[says])
        passages += [replace(passage, access=access) for passage in each.passages]
    told = told[:MOST_TOLD]
    n_restricted = len({passage.document for passage in passages if passage.access is not None})
    if n_restricted:
        told.append(f"{n_restricted:,} of {len(read):,} documents are not for everybody: `windlass ask --as GROUP`")
    return passages, told


def fitting(paths: Sequence[str], pattern: str, folder: str = "") -> set[str]:
    """The paths that a pattern fits as it stands; where it fits none, with `/` for `\\` and without `./`, `/` and the
    documents' folder before it."""
    plain = bare = _below(pattern.replace("\\", "/"))
    for name in filter(None, (_below(folder), _below(folder).rpartition("/")[2])):
        if bare == plain and (plain + "/").startswith(name + "/"):
            bare = plain[len(name) + 1 :]
    hits = (({each for each in paths if fits(each, form)}) for form in (pattern, plain, bare))
    return next(filter(None, hits), set(paths) if not bare else set())


def _below(path: str) -> str:
    """Without what a path may begin and end with that says nothing."""
    while path.startswith(("./", "/")):
        path = path[2:] if path.startswith("./") else path[1:]
    return path.rstrip("/") if path != "." else ""


def fits(path: str, pattern: str) -> bool:
    """True of a file in the folder that the pattern names, the file itself, or one that it fits as a shell's pattern
    (`*` goes across folders); capitals do not count, nor how an accent is written (NFC)."""
    name, wanted = _comparable(path), _comparable(pattern).removeprefix("./")
    return name == wanted or name.startswith(wanted.rstrip("/") + "/") or fnmatchcase(name, wanted)


def _comparable(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
