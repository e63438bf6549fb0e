"""What people answered to questions that were refused: each is a test from then on, and a passage where it is new.

Rows are only added; of two on one question the later one counts. They are the owner's word, and stay when what was
asked expires.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from windlass.database.backend import Database, Failure, Schema
from windlass.database.connection import Memory, read
from windlass.database.request_log import TABLES as LOG
from windlass.kinds.contract import is_blank
from windlass.records import Json, Row

DOCUMENT = "answers-by-people.jsonl"
"""The document that published answers are passages of."""
MOST_READ = 20_000
"""Answers of the log that are looked through for refusals, the latest."""
TABLES = Schema(
    "people's answers",
    (
        """
create table if not exists people_answers (
  number {serial}, at double precision not null, inputs text not null, answer text not null, asked text not null,
  caller text not null);
create table if not exists people_answers_asked (id text not null, number bigint not null);
create index if not exists people_answers_asked_by_id on people_answers_asked (id)
""",
    ),
)


class PersonAnswer(NamedTuple):
    """inputs: the row as it is asked again; answer: the right one's parts, `document` among them, none: nothing in the
    documents answers. asked: ids of the answers that had refused it. caller: id of the API key. number: of the row."""

    inputs: Row
    answer: Json
    asked: tuple[str, ...] = ()
    caller: str = ""
    at: float = 0.0
    number: int = 0

    @property
    def is_published(self) -> bool:
        """It becomes a passage, as no document says it."""
        return self.answer.get("document") == DOCUMENT


class RefusedQuestion(NamedTuple):
    """A question that was refused and waits. proposed: what somebody said without publishing it, '' = nothing."""

    id: str
    at: float
    inputs: Row
    proposed: str = ""


class PeopleAnswers:
    """The writing end, beside the request log's."""

    def __init__(self, place: Database | Path | str, clock: Callable[[], float] = time.time) -> None:
        self.memory = Memory(place, TABLES)
        self.clock = clock

    def add(self, said: PersonAnswer) -> int:
        """Its number, once it is on disk. Raises: Refused: it cannot be written."""
        values = (self.clock(), _text(said.inputs), _text(said.answer), _text(said.asked), said.caller)
        try:
            with self.memory.transaction() as connection:
                number: int = connection.execute(
                    "insert into people_answers (at, inputs, answer, asked, caller) values (?, ?, ?, ?, ?) "
                    "returning number", values,
                )[0][0]  # fmt: skip
                rows = [(id, number) for id in said.asked]
                if rows:
                    connection.executemany("insert into people_answers_asked (id, number) values (?, ?)", rows)
        except Failure as failure:
            raise failure.refusal("answer") from None
        return number

    def close(self) -> None:
        self.memory.close()


def people_answers(place: Database | Path | str) -> list[PersonAnswer]:
    """The latest on each question, oldest first; nothing when there is no database. Raises: DataError."""
    found: dict[str, PersonAnswer] = {}
    for row in read(place, TABLES, "select * from people_answers order by number"):
        inputs = json.loads(row["inputs"])
        key = _key(inputs)
        found.pop(key, None)
        asked = tuple(json.loads(row["asked"]))
        found[key] = PersonAnswer(inputs, json.loads(row["answer"]), asked, row["caller"], row["at"], row["number"])
    return list(found.values())


def refused_questions(
    place: Database | Path | str, refuses: Callable[[str], bool], most: int = MOST_READ
) -> list[RefusedQuestion]:
    """Those that wait for a person, newest first: refused, with words that were kept, and nobody has settled them.

    refuses(value of the log) -> it was a refusal. most: of the latest answers. Raises: DataError: the log.
    """
    settled = {row["id"] for row in read(place, TABLES, "select id from people_answers_asked")}
    query = (
        "select a.id, a.at, a.value, a.inputs, f.correct from answers a left join feedback f on f.id = a.id and "
        "f.number = (select max(number) from feedback where id = a.id) where a.inputs is not null "
        "order by a.at desc limit ?"
    )
    found = [
        RefusedQuestion(row["id"], row["at"], json.loads(row["inputs"]), row["correct"] or "")
        for row in read(place, LOG, query, (most,))
        if row["id"] not in settled and refuses(row["value"]) and not (row["correct"] and refuses(row["correct"]))
    ]
    return [each for each in found if not all(is_blank(str(value or "")) for value in each.inputs.values())]


def answers_since(place: Database | Path | str, since: float) -> Iterator[str]:
    """What was answered from `since` on, as the log keeps it. Raises: DataError: the log."""
    for row in read(place, LOG, "select value from answers where at >= ?", (since,)):
        yield row["value"]


def _text(value: Json | Row | Sequence[str]) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\\u0000", "\\ufffd")


def _key(inputs: Row) -> str:
    """The same for questions that differ in case and spaces alone."""
    return json.dumps([" ".join(str(value).split()).casefold() for _, value in sorted(inputs.items())])


def waits(questions: Iterable[RefusedQuestion], answers: Sequence[PersonAnswer]) -> list[RefusedQuestion]:
    """Those on whose very question nobody has given an answer: what was answered is a test, and waits no more."""
    known = {_key(each.inputs) for each in answers}
    return [each for each in questions if _key(each.inputs) not in known]
