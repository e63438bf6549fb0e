"""The body of a request as rows of the release, or why it is not."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from fastapi import Request

from windlass.errors import expected, listed, nearest, wrong_names
from windlass.records import Json, Row
from windlass.serving.contract import codec
from windlass.serving.contract.faults import Fault
from windlass.serving.contract.schema import MAX_KEY

MANY = "send them in several requests, or all at once to `POST /v1/jobs`"
MOST_HINTED = 3
"""Columns that a hint shows."""


def read_rows(body: bytes, columns: Iterable[str], max_rows: int) -> list[Row]:
    """1 to `max_rows` rows with exactly these columns; their values are checked by the kinds that read them.

    Raises: Fault 400, 422: with the nearest match of a wrong name.
    """
    value, names = codec.loads(body), list(columns)
    check_names(value, ["rows", "row"], "body", _as_row(value, names))
    return rows_of(value, names, max_rows)


def rows_of(value: Json, columns: Iterable[str], max_rows: int) -> list[Row]:
    """The same of an object that was read and has no other field. Raises: Fault 422."""
    if len(value) != 1:
        raise wrong("body has 'row' and 'rows', expected one of them" if value else "body is empty, expected 'rows'")
    rows = [value["row"]] if "row" in value else value["rows"]
    if not isinstance(rows, list) or not rows:
        raise wrong(f"'rows' is {_named(rows)}, expected a list of at least one row")
    if len(rows) > max_rows:
        raise wrong(f"'rows' has {len(rows):,} rows, expected at most {max_rows:,}", MANY)
    names = list(columns)
    for number, row in enumerate(rows):
        check_row(row, names, f"row {number}")
    return rows


def check_row(row: Any, names: list[str], what: str) -> None:
    """Raises: Fault 422: it lacks columns or has others; names all of both."""
    _check_object(row, names, what)
    fault, hint = wrong_names(row, names, is_exact=True)
    if fault:
        raise wrong(f"{what} {fault}", hint or ("send null for a missing value" if set(names) - set(row) else ""))


def read_object(body: bytes, names: Iterable[str], what: str) -> Json:
    """A JSON object with none but these names. Raises: Fault 400, 422."""
    value = codec.loads(body)
    check_names(value, list(names), what)
    return value


def check_names(value: Any, names: list[str], what: str, hint: str = "") -> None:
    """Raises: Fault 422: it is no object, or has fields that are none of these; names all of them. hint: what to do
    then, else the nearest names."""
    _check_object(value, names, what)
    unknown = [name for name in value if name not in names]
    if unknown:
        fields = f"field{'s' * (len(unknown) > 1)} {listed(unknown)}"
        raise wrong(f"{what} has the unknown {fields}, expected {expected(names)}", hint or nearest(unknown, names))


def _as_row(value: Any, names: list[str]) -> str:
    """How a row is sent, for who sent its columns bare; '' for anybody else."""
    if not isinstance(value, dict) or value.keys().isdisjoint(set(names) - {"row", "rows"}):
        return ""
    columns = ", ".join(f'"{name}": "..."' for name in names[:MOST_HINTED])
    return f'`{{"row": {{{columns}{", ..." if len(names) > MOST_HINTED else ""}}}}}`'


def _check_object(value: Any, names: list[str], what: str) -> None:
    if not isinstance(value, dict):
        raise wrong(f"{what} is {_named(value)}, expected an object with {expected(names)}")


def idempotency_key(request: Request, is_needed: bool = False) -> str:
    """What makes the request safe to repeat; empty when it says nothing. Raises: Fault 422: it is no such key."""
    key = request.headers.get("idempotency-key")
    if key is None and not is_needed:
        return ""
    if key is None or not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        raise wrong(f"Idempotency-Key is not 1 to {MAX_KEY} printable ASCII characters, expected such a key")
    return key


def wrong(message: str, hint: str = "") -> Fault:
    return Fault(HTTPStatus.UNPROCESSABLE_ENTITY, "data_error", message, hint)


_NAMES = {dict: "an object", list: "a list", str: "text", bool: "a truth value", type(None): "null"}


def _named(value: Any) -> str:
    return _NAMES.get(type(value), "a number") if value != [] else "an empty list"
