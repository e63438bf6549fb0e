"""Which reader takes which file; what is known and not read is refused by its name."""

from pathlib import Path

from windlass.errors import DataError, expected
from windlass.sources.documents.contract import Limits, Parsed, Reader
from windlass.sources.documents.html.markdown import read_markdown
from windlass.sources.documents.html.page import read_html
from windlass.sources.documents.pairs import read_csv_pairs, read_json_pairs
from windlass.sources.documents.pdf.reader import read_pdf
from windlass.sources.documents.plain import read_plain
from windlass.sources.documents.word import read_docx
from windlass.sources.refusals import FORMATS, MAGIC

READERS: dict[str, Reader] = {
    ".pdf": read_pdf,
    ".docx": read_docx,
    ".html": read_html,
    ".htm": read_html,
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".txt": read_plain,
    ".csv": read_csv_pairs,
    ".tsv": read_csv_pairs,
    ".jsonl": read_json_pairs,
    ".ndjson": read_json_pairs,
    ".json": read_json_pairs,
}
"""The ending of a file -> what reads it."""
NATIVE = frozenset({".pdf", ".docx", ".html", ".htm", ".md", ".markdown"})
"""Read by libraries in C, or of a size that is only known when it is unpacked: in a process of their own."""
AS_DOCX = "save it as DOCX or PDF"
ADVICE = {
    **dict.fromkeys((".doc", ".odt", ".rtf", ".pages", ".ppt", ".pptx", ".odp", ".epub"), AS_DOCX),
    **dict.fromkeys((".xls", ".xlsx", ".ods"), "save its table as CSV (UTF-8)"),
    **dict.fromkeys((".zip", ".gz", ".tar", ".7z", ".rar"), "unpack it"),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".tif", ".tiff"), "a scan is read as a PDF"),
}
HEADS = {".pdf": b"%PDF", ".docx": b"PK\x03\x04"}
HEAD_BYTES = 1_024


def check(path: Path, limits: Limits) -> Reader:
    """What reads the file. Raises: DataError: nothing does, it is too large, or is something else than it says."""
    suffix = path.suffix.lower()
    if suffix not in READERS:
        raise DataError(
            f"{path.name} ends in '{suffix}', expected {expected(READERS)}",
            ADVICE.get(suffix, FORMATS.get(suffix, ("", ""))[1]),
        )
    size = path.stat().st_size
    if size > limits.file_bytes:
        raise DataError(
            f"{path.name} has {size:,} bytes, expected at most {limits.file_bytes:,}", "split it into parts"
        )
    if not size:
        raise DataError(f"{path.name} is empty, expected text")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if suffix == ".pdf" and HEADS[suffix] not in head:
        raise DataError(f"{path.name} does not begin as a PDF does, expected a whole PDF")
    if suffix not in HEADS:
        other = next((name for magic, name, _ in MAGIC if head.startswith(magic)), "")
        if other:
            raise DataError(
                f"{path.name} is {other}, expected what its ending '{suffix}' says", "give it its right ending"
            )
    return READERS[suffix]


def parse(path: Path, limits: Limits) -> Parsed:
    """Raises: DataError, NotReady."""
    return check(path, limits)(path, limits)
