"""Which encoding a text file is in, by an order of trials; what was chosen is said aloud wherever it is not UTF-8.

The order: a byte order mark, UTF-16 without a mark (its lines end in a zero byte), UTF-8, UTF-8 with a few broken bytes
(their rows are refused), GB 18030 or Big5 (whichever makes more of the commoner Chinese characters), Windows-1252.
Source: the level 1 characters of GB 2312-1980 and of Big5 (1984): the commoner half of each, in a block of its own.
"""

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TextIO

from windlass.errors import DataError
from windlass.kinds.contract import has_surrogate
from windlass.sources.contract import Source

SAMPLE_BYTES = 1_000_000
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
NAMES = {
    "gb18030": "GB 18030 (simplified Chinese, gb18030)",
    "cp950": "Big5 (traditional Chinese, cp950)",
    "big5hkscs": "Big5 of Hong Kong (big5hkscs)",
    "cp1252": "Windows-1252 (Western Europe, cp1252)",
    "latin-1": "ISO 8859-1 (Western Europe, latin-1)",
}


class CandidateEncoding(NamedTuple):
    """An encoding, the older one whose lead bytes from first to last are its commoner characters."""

    name: str
    older: str
    first: int
    last: int


CHINESE = (CandidateEncoding("gb18030", "gb2312", 0xB0, 0xD7), CandidateEncoding("cp950", "big5", 0xA4, 0xC6),
           CandidateEncoding("big5hkscs", "big5", 0xA4, 0xC6))  # fmt: skip
FREQUENT = frozenset(
    "的一是不了在人有我他这這个個们們中来來上大为為和国國地到以说說时時要就出会會可也你对對生能而子那得于着下自之年过過发發后後作里用道行所然家"
    "种事成方多经經么去法学學如都同现現当當没沒动動面起看定天分还還进進好小部其些主样樣理心她本前开開但因只从從想实實请請什谢謝吗嗎您很不被给給把"
)
"""Among the commonest characters of both scripts: they decide where the two encodings read a text equally well."""
MOST_ZEROS = 0.02
"""A text with a larger share of zero bytes is none."""
BROKEN = 0.1
"""A text is UTF-8, or Chinese, with broken bytes when these are no more than this share of what is beyond ASCII."""
LEVEL, NEIGHBOURS = 0.7, 0.5
"""Of characters beyond ASCII: the share of commoner ones, and of those beside another, that make a text Chinese."""
ESCAPED = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True)
class Encoding:
    """How to read a text. errors: 'surrogateescape' where some bytes are broken; `fault_of` then finds their rows."""

    name: str
    errors: str = "strict"

    @property
    def is_utf8(self) -> bool:
        return self.name in ("utf-8", "utf-8-sig")


def encoding_of(path: Path) -> Encoding:
    """Raises: DataError: the file is empty, or not text."""
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
    if not head.strip():
        raise DataError(f"{path} is empty, expected rows")
    marked = next((name for mark, name in MARKS if head.startswith(mark)), "")
    if marked:
        return _marked(path, marked)
    if b"\x00" in head and (unmarked := _unmarked(path, head)):
        return unmarked
    n_zeros = head.count(b"\x00")
    if n_zeros <= max(1, MOST_ZEROS * len(head)):
        if _decodes(path, "utf-8"):
            return Encoding("utf-8")
        if _is_mostly(path, "utf-8"):
            return Encoding("utf-8", "surrogateescape")
    if n_zeros:
        raise DataError(f"{path} holds zero bytes, expected text", "save a spreadsheet as CSV (UTF-8)")
    return _chinese(path, head) or Encoding("cp1252" if _decodes(path, "cp1252") else "latin-1")


def _marked(path: Path, name: str) -> Encoding:
    if _decodes(path, name):
        return Encoding(name)
    if name == "utf-8-sig" and _is_mostly(path, name):
        return Encoding(name, "surrogateescape")
    raise DataError(f"{path} begins with the mark of {name} and is damaged, expected whole characters")


def _unmarked(path: Path, head: bytes) -> Encoding | None:
    """UTF-16 without a mark, when the lines end as there."""
    n_lines = head.count(b"\n")
    for name, end in (("utf-16-le", b"\n\x00"), ("utf-16-be", b"\x00\n")):
        found = sum(place.start() % 2 == 0 for place in re.finditer(re.escape(end), head))
        if n_lines and found >= 0.5 * n_lines and _decodes(path, name):  # other characters hold that byte as well
            return Encoding(name)
    return None


def _parts(path: Path, encoding: str, errors: str) -> Iterator[str]:
    with path.open(encoding=encoding, errors=errors, newline="") as file:
        while part := file.read(SAMPLE_BYTES):
            yield part


def _decodes(path: Path, encoding: str) -> bool:
    try:
        for _ in _parts(path, encoding, "strict"):
            pass
    except UnicodeError:
        return False
    return True


def _is_mostly(path: Path, encoding: str) -> bool:
    """True when broken bytes are few beside whole characters beyond ASCII."""
    n_broken = n_whole = 0
    for part in _parts(path, encoding, "surrogateescape"):
        found = len(ESCAPED.findall(part))
        n_broken += found
        n_whole += sum(character > "\x7f" for character in part) - found
    return n_broken <= BROKEN * n_whole


def _chinese(path: Path, head: bytes) -> Encoding | None:
    """The Chinese encoding that makes most of the text; None where none makes Chinese of it."""
    scores = {trial.name: score for trial in CHINESE if (score := _score(head, trial))}
    for name in sorted(scores, key=lambda each: -scores[each]):  # the first of equals stays first
        if _decodes(path, name):
            return Encoding(name)
        if _is_mostly(path, name):
            return Encoding(name, "surrogateescape")
    return None


def _score(head: bytes, trial: CandidateEncoding) -> float:
    """The share of commoner characters, and of the commonest, among the Chinese ones; 0 when the text is not Chinese.

    Latin letters with accents stand alone among others, or come out as rare characters.
    """
    text = head.decode(trial.name, "ignore")
    chinese = Counter(character for character in text if "\u3400" <= character <= "\u9fff" or character > "\uffff")
    others = sum("\x7f" < character < "\u2000" or "\ue000" <= character <= "\uf8ff" for character in text)
    n_chinese = chinese.total()
    common = sum(
        count for each, count in chinese.items() if trial.first <= each.encode(trial.older, "replace")[0] <= trial.last
    )
    beside = sum(len(run) for run in re.findall("[\u3000-\u9fff\uff00-\uffef]{2,}", text))
    if not n_chinese or common / (n_chinese + others) < LEVEL or beside < NEIGHBOURS * n_chinese:
        return 0.0
    return (common + sum(chinese[each] for each in FREQUENT)) / (n_chinese + others)


def open_text(source: Source) -> TextIO:
    """The source's file as text; what it was read as becomes a warning when it is not UTF-8. Raises: DataError."""
    encoding = encoding_of(source.path)
    name = source.path.name
    if not encoding.is_utf8:
        read_as = NAMES.get(encoding.name, encoding.name.upper())
        source.warnings.append(f"{name} was read as {read_as}, not UTF-8: look whether its characters are right")
    if encoding.errors != "strict":
        source.warnings.append(f"{name} holds bytes that are no characters of its encoding: their rows are refused")
    return source.path.open(encoding=encoding.name, errors=encoding.errors, newline="")


def fault_of(text: str) -> str:
    """What is wrong with the characters of a row; '' when nothing is."""
    if "\x00" in text:
        return "holds a zero byte, expected text"
    if has_surrogate(text):
        return "holds bytes that are no characters of its encoding, expected text"
    return ""
