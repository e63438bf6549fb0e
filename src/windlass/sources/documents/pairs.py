"""CSV and JSON: questions with their answers, each a passage; a table without such columns is read as a table."""

from collections.abc import Mapping
from pathlib import Path

from windlass.errors import DataError
from windlass.kinds.contract import shown
from windlass.sources.contract import RawRow, Source
from windlass.sources.documents.characters import one_line, visible
from windlass.sources.documents.contract import Block, Limits, Parsed
from windlass.sources.documents.table_rows import row_line
from windlass.sources.readers.json_files import read_objects
from windlass.sources.readers.text_files import read_csv

QUESTIONS = ("question", "q", "query", "frage", "title", "问题", "问", "提问", "標題", "标题", "問題")
ANSWERS = ("answer", "a", "reply", "response", "antwort", "答案", "答", "回答", "回复", "答复", "回覆")
SECTIONS = ("category", "topic", "section", "类别", "分类", "主题", "kategorie")
N_ROWS = 1_000_000


def read_csv_pairs(path: Path, limits: Limits) -> Parsed:
    """Raises: DataError: no header, or no text."""
    return _read(Source(path, "", read_csv))


def read_json_pairs(path: Path, limits: Limits) -> Parsed:
    """Raises: DataError: no questions with answers, or no text."""
    return _read(Source(path, "", read_objects), needs_pairs=True)


def _read(source: Source, needs_pairs: bool = False) -> Parsed:
    parsed = Parsed()
    names: tuple[str, str, str] | None = None
    header = ""
    is_table = False
    for n_rows, raw in enumerate(source.rows()):
        if n_rows >= N_ROWS:
            raise DataError(f"{source.path.name} has more than {N_ROWS:,} rows, expected at most that", "split it")
        if raw.values is None:
            parsed.rejected_rows.append((raw.number, raw.fault))
            continue
        if names is None and not is_table:
            names = _columns(raw.values)
            is_table = names is None
            if is_table and needs_pairs:
                found = ", ".join(f"'{name}'" for name in list(raw.values)[:6])
                raise DataError(f"{source.path.name} has {found}, expected 'question' and 'answer'", "name them so")
        if names is not None:
            _pair(raw, names, parsed)
        else:
            header = _row(raw.values, header, parsed)
    parsed.warnings += source.warnings
    return parsed


def _columns(values: Mapping[str, object]) -> tuple[str, str, str] | None:
    """The columns of question, answer and section ('' = none); None where there are no pairs."""
    known = {name.strip().lower(): name for name in values}
    question, answer, section = (
        next((known[each] for each in names if each in known), "") for names in (QUESTIONS, ANSWERS, SECTIONS)
    )
    return (question, answer, section) if question and answer and question != answer else None


def _pair(raw: RawRow, names: tuple[str, str, str], parsed: Parsed) -> None:
    """Adds the pair below its section; a row that lacks one of the two, or holds no text, is rejected."""
    assert raw.values is not None
    texts = []
    for name in names[:2]:
        value = raw.values.get(name)
        text = one_line(visible(str(value), parsed.hidden)) if isinstance(value, str | int | float) else ""
        if not text:
            why = f"has no '{name}'" if value in (None, "") or isinstance(value, str) else f"'{name}' is {shown(value)}"
            parsed.rejected_rows.append((raw.number, f"{why}, expected a text"))
            return
        texts.append(text)
    section = one_line(visible(str(raw.values.get(names[2]) or ""), parsed.hidden)) if names[2] else ""
    if section and section != next((b.text for b in reversed(parsed.blocks) if b.kind == "heading"), ""):
        parsed.blocks.append(Block("heading", section, level=1))
    parsed.blocks.append(Block("pair", "\n".join(texts)))


def _row(values: Mapping[str, object], header: str, parsed: Parsed) -> str:
    """Adds the row, and the header before the first one; gives the header."""
    cells = [one_line(visible("" if value is None else str(value), parsed.hidden)) for value in values.values()]
    if not header:
        header = row_line([one_line(visible(name, parsed.hidden)) for name in values])
        parsed.blocks.append(Block("header", header, header=header))
    if any(cells):
        parsed.blocks.append(Block("row", row_line(cells), header=header))
    return header
