"""What the service remembers is deleted where it quotes something: answers with their feedback, jobs, and what
people answered to refused questions."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import compress, islice
from pathlib import Path
from typing import Any

from windlass.database.backend import Connection, Database, Schema
from windlass.database.connection import read
from windlass.database.jobs import JOBS
from windlass.database.people_answers import TABLES as PEOPLE
from windlass.database.request_log import TABLES
from windlass.database.retention import delete

Quotes = Callable[[Sequence[str]], Sequence[bool]]
"""Of each of these texts, or of JSON, whether it must not stay."""
AT_ONCE = 1_000
PLACES = (
    ("answers", TABLES, "select id, value, inputs from answers"),
    ("feedback", TABLES, "select id, correct, note from feedback"),
    ("jobs", JOBS, "select job as id, rows, result from job_parts"),
    ("people_answers", PEOPLE, "select number as id, inputs, answer from people_answers"),
)
"""What is counted, and where it stands: an id and texts."""


def found(place: Database | Path | str, quotes: Quotes) -> dict[str, list[Any]]:
    """Of each place the ids of what quotes. Raises: DataError: it cannot be read."""
    return {name: sorted(set(_ids(place, schema, query, quotes))) for name, schema, query in PLACES}


def _ids(place: Database | Path | str, schema: Schema, query: str, quotes: Quotes) -> Iterator[Any]:
    rows = read(place, schema, query)
    while part := list(islice(rows, AT_ONCE)):
        ids = [id for id, *texts in map(dict.values, part) for text in texts if text]
        said = [text for _, *texts in map(dict.values, part) for text in texts if text]
        yield from compress(ids, quotes(said))


def erase(place: Database | Path | str, quotes: Quotes) -> tuple[dict[str, int], list[str]]:
    """Deletes what quotes; gives how much of each, and the ids of the answers. Raises: DataError."""
    gone = found(place, quotes)
    answers = sorted({*gone["answers"], *gone["feedback"]})

    def work(connection: Connection) -> int:
        with connection.transaction():
            for id in answers:
                connection.execute("delete from feedback where id = ?", (id,))
                connection.execute("delete from answers where id = ?", (id,))
            for id in gone["jobs"]:
                connection.execute("delete from job_parts where job = ?", (id,))
                connection.execute("delete from jobs where id = ?", (id,))
            for number in gone["people_answers"]:
                connection.execute("delete from people_answers_asked where number = ?", (number,))
                connection.execute("delete from people_answers where number = ?", (number,))
        return len(answers)

    if any(gone.values()):
        delete(place, work, TABLES, JOBS, PEOPLE)
    return {name: len(ids) for name, ids in gone.items()}, answers


def latest(place: Database | Path | str) -> float:
    """When the last answer was logged, seconds since 1970; 0 where none was. Raises: DataError."""
    row = next(iter(read(place, TABLES, "select max(at) as at from answers")), {"at": None})
    return float(row["at"] or 0.0)


def people_left(place: Database | Path | str) -> int:
    """How many answers of people there are. Raises: DataError."""
    row = next(iter(read(place, PEOPLE, "select count(*) as n from people_answers")), {"n": 0})
    return int(row["n"])


def cites(text: str, document: str) -> bool:
    """True of JSON in which an object names this document, also inside of texts that are JSON themselves."""
    if document not in text and "\\" not in text:
        return False
    waiting: list[Any] = [text]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            if each.get("document") == document:
                return True
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
        elif isinstance(each, str) and each.lstrip()[:1] in ("{", "["):
            with suppress(ValueError, RecursionError):
                waiting.append(json.loads(each))
    return False
