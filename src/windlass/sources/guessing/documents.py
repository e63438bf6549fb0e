"""A folder of documents as a product: what people ask is answered from it."""

import json
from pathlib import Path

from windlass.errors import DataError
from windlass.records import Passage
from windlass.sources.documents.collection import read_documents
from windlass.sources.guessing.written_questions import written

SUFFIXES = frozenset({".pdf", ".docx", ".html", ".htm", ".md", ".markdown"})
"""Of files that are documents and nothing else."""
BESIDE = frozenset({"readme", "license", "licence", "changelog", "contributing", "notice"})
"""Names of files that tell of what lies beside them."""
QUESTIONS = ("questions.jsonl", "questions.csv")
LEAST_QUESTIONS = 10


def is_documents(path: Path) -> bool:
    """A document, or a folder that holds more of them than other files; who writes `README.md` beside a table has a
    table."""
    if path.is_file():
        return path.suffix.lower() in SUFFIXES
    files = [each for each in path.rglob("*") if each.is_file() and each.stem.lower() not in BESIDE]
    found = sum(each.suffix.lower() in SUFFIXES for each in files)
    return 2 * found > len(files)


def questions_for(path: Path, project: Path) -> tuple[str, str, str]:
    """(file, content to write, '' = it is there, why) of the questions that the product is taught and tested with.

    Raises: DataError: no document can be read, or too little stands in them.
    """
    for name in QUESTIONS:
        if (project / name).is_file():
            return name, "", f"questions: {name}, which is there"
    found = read_documents(path)
    passages: list[Passage] = [passage for each in found.documents for passage in each.passages]
    rows = written(passages)
    if len(rows) < LEAST_QUESTIONS:
        first = f"; the first document was rejected: {found.rejected[0].reason}" if found.rejected else ""
        raise DataError(
            f"{path} has text for {len(rows)} questions, expected at least {LEAST_QUESTIONS}{first}",
            f"write {QUESTIONS[0]} beside windlass.yaml: a question and its answer a line",
        )
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    why = (
        f"questions: {QUESTIONS[0]}, {len(rows)} written from the documents and marked synthetic, for want of real "
        'ones; put questions there that people ask, some that no document answers ({"question": ..., "answer": {}})'
    )
    return QUESTIONS[0], lines, why
