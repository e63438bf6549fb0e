"""Plain values as JSON files, and the records that they were."""

import hashlib
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from windlass.errors import DataError, NotReady
from windlass.store.files import write_text

Record = TypeVar("Record")


def fingerprint(values: Any) -> str:
    """SHA-256 of the values as canonical JSON, hexadecimal."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def write_json(path: Path, values: Any) -> None:
    """JSON in UTF-8, atomically. Raises: ValueError when a number is not finite."""
    write_text(path, json.dumps(values, ensure_ascii=False, allow_nan=False))


def read_json(path: Path) -> Any:
    """What the file holds. Raises: NotReady when it is not there, DataError when it is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotReady(f"{path} does not exist, expected it from an earlier stage", "`windlass run`") from None
    except (ValueError, RecursionError):
        raise DataError(f"{path} is damaged, expected JSON", AGAIN) from None


AGAIN = "remove it and run the stage again"
"""What helps with a damaged file that a stage makes."""


@contextmanager
def reading(path: Path, what: str, hint: str = AGAIN) -> Iterator[None]:
    """Whatever goes wrong with the shape of the file's values is told as damage to it. what: what was expected there.

    Raises: DataError: it is damaged.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError, OverflowError) as error:
        words = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise DataError(f"{path} is damaged ({words[:100]}), expected {what}", hint) from None


def read_as(path: Path, kind: type[Record], hint: str = AGAIN) -> Record:
    """The record in the file. Raises: NotReady: it is not there. DataError: it is damaged, or another record."""
    values = read_json(path)
    with reading(path, f"a record '{kind.__name__}'", hint):
        record: Record = restored(kind, values)
    return record


def restored(kind: Any, value: Any, name: str = "it") -> Any:
    """What plain JSON values were before: records, tuples; null where a number must be is NaN, as `as_json` wrote it.

    Names that the record does not have are left out: a later version wrote them. Raises: ValueError: another shape.
    """
    origin, parts = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _record(kind, value, name)
    if origin is dict and isinstance(value, dict):
        return {key: restored(parts[1], each, f"{name}.{key}") for key, each in value.items()}
    if origin in (list, tuple) and isinstance(value, list):
        inner = [parts[0]] * len(value) if origin is list or Ellipsis in parts else list(parts)
        return origin(restored(part, each, name) for part, each in zip(inner, value, strict=True))
    if kind is float and value is None:
        return math.nan
    if origin is None and _is(kind, value):
        return value
    if parts and origin not in (dict, list, tuple):  # a union
        for part in parts:
            if part is type(None) and value is None:
                return None
            if part is not type(None) and (value is not None or part is Any):
                return restored(part, value, name)
    raise ValueError(f"{name} is {type(value).__name__}")


def _is(kind: Any, value: Any) -> bool:
    """True where the value is of that plain kind; a whole number is a number, and true is none."""
    if kind is Any:
        return True
    wanted = (int, float) if kind is float else kind
    return isinstance(value, wanted) and (kind is bool or not isinstance(value, bool))


def _record(kind: Any, value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is {type(value).__name__}")
    hints, found = get_type_hints(kind), {}
    for each in fields(kind):
        if each.name in value:
            found[each.name] = restored(hints[each.name], value[each.name], each.name)
        elif each.default is MISSING and each.default_factory is MISSING:
            raise ValueError(f"no '{each.name}'")
    return kind(**found)
