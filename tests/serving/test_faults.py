"""What the database refuses, and the status that it becomes."""

import re
from pathlib import Path

import pytest

from windlass import database
from windlass.errors import DataError, GateRefused, NotReady, Refused, SpecError, WindlassError
from windlass.serving.contract.faults import STATUS, Fault, status_of

SOURCES = {path.name: path.read_text("utf-8") for path in Path(database.__file__).parent.glob("*.py")}
WORD = re.compile(r'(?:Refused\(|kind, first, retry_after_s =)\s*"(\w+)"')


def test_every_word_of_the_database_has_a_status_and_no_other_has() -> None:
    assert {word for source in SOURCES.values() for word in WORD.findall(source)} == set(STATUS)


def test_the_database_knows_nothing_of_http() -> None:
    known = re.compile(r"^(?:from|import) (?:http|fastapi|starlette|windlass\.serving)\b", re.MULTILINE)
    assert known.search("from http import HTTPStatus\n")
    assert [name for name, source in SOURCES.items() if known.search(source)] == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Refused("key_reused", "x"), 409),
        (Refused("too_many_jobs", "x"), 429),
        (Refused("disk_full", "x"), 507),
        (Fault(418, "key_reused", "x"), 418),
        (NotReady("x"), 503),
        (DataError("x"), 422),
        (SpecError("x"), 422),
        (GateRefused("x"), 500),
    ],
)
def test_every_error_has_a_status(error: WindlassError, status: int) -> None:
    assert status_of(error) == status
