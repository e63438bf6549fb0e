"""The one JSON codec of the service: UTF-8, finite numbers, int64, bounded depth and size, no repeated key, no half
surrogate. What it takes, every other program can take; what it refuses, it refuses as a typed 400."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, AnyStr

from windlass.kinds.contract import has_surrogate
from windlass.serving.contract.faults import Fault, bad_json

MAX_DEPTH = 32
MAX_VALUES = 100_000
SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**63 - 1
PIECE = 256 * 1024
"""Characters that are looked at in one call: no other thread runs meanwhile."""
ROWS, END = re.compile(rb'[ \t\n\r]*\{[ \t\n\r]*"rows"[ \t\n\r]*:[ \t\n\r]*\['), re.compile(rb"[ \t\n\r]*\}[ \t\n\r]*")
SIGN = re.compile(rb'["\[\]{},]')
MEBIBYTE, MOST_SIGNS = 1024 * 1024, 10_000
"""Bytes of a body from which on it is read row by row, and commas and brackets of one up to which it is."""
STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
"""A string, closed or not: an open one runs to the end, so that the pattern is linear on any text."""
INSIDE = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
INSIDE_BYTES = re.compile(INSIDE.pattern.encode(), re.DOTALL)
"""Of a string, as far as it goes: to its closing quote, or to half of an escape."""
BRACKET = re.compile(r"[\[\]{}]")
HALF_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def loads(body: bytes) -> Any:
    """The JSON value of the body. Raises: Fault 400 that says what is wrong, never with the client's text in it."""
    if len(body) > MEBIBYTE and (rows := _row_by_row(body)) is not None:
        return {"rows": rows}
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise bad_json(f"is not UTF-8 at byte {error.start}, expected UTF-8") from None
    _check_shape(text)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise bad_json(f"is not JSON at character {error.pos}: {error.msg}, expected one JSON value") from None
    if _names_half(text):
        _check_surrogates(value)
    return value


def _row_by_row(body: bytes, piece: int = PIECE) -> list[Any] | None:
    """The elements of `{"rows": [...]}`, each read by itself, so that no call is a long one and no copy a large one.

    None for what has another form, many values, or any fault: it is read as a whole, which says what is wrong.
    """
    head = ROWS.match(body)
    if head is None or sum(_count(body, sign) for sign in (b",", b"[", b"{")) > MOST_SIGNS:
        return None
    rows, depth, start, place = [], 0, head.end(), head.end()
    while (sign := SIGN.search(body, place)) is not None:
        place, what = sign.end(), sign[0]
        if what == b'"':
            place = _end(body, place, b'"', b"\\", INSIDE_BYTES, piece)
        elif depth == 0 and what in b",]":
            rows.append(body[start : sign.start()])
            start = place
            if what == b"]":
                break
        else:
            depth += (what in b"[{") - (what in b"]}")
            if depth > MAX_DEPTH - 2:
                return None
    if END.fullmatch(body, start) is None:
        return None
    try:
        return [_row(row) for row in rows]
    except (ValueError, RecursionError, Fault):
        return None


def _row(content: bytes) -> Any:
    text = content.decode("utf-8")
    value = _DECODER.decode(text)
    if _names_half(text):
        _check_surrogates(value)
    return value


def dumps(value: Any) -> bytes:
    """Compact JSON in UTF-8. Raises: ValueError when a number is not finite."""
    return _ENCODER.encode(value).encode("utf-8")


def _check_shape(text: str) -> None:
    """Depth and number of values, from the brackets and commas outside strings, before anything is built."""
    if _count(text, "[") + _count(text, "{") <= MAX_DEPTH and _count(text, ",") <= MAX_VALUES:
        return
    depth = n_values = 0
    for bare in _outside(text):
        n_values += bare.count(",") + bare.count("[") + bare.count("{")
        if n_values > MAX_VALUES:
            raise bad_json(f"holds more than {MAX_VALUES:,} values, expected at most so many")
        for bracket in BRACKET.findall(bare):
            depth += 1 if bracket in "[{" else -1
            if depth > MAX_DEPTH:
                raise bad_json(f"is nested deeper than {MAX_DEPTH} levels, expected a flat value")


def _count(text: AnyStr, sign: AnyStr) -> int:
    return sum(text.count(sign, start, start + PIECE) for start in range(0, len(text), PIECE))


def _outside(text: str, piece: int = PIECE) -> Iterator[str]:
    """What stands outside of strings, piece by piece; a string that is not closed runs to the end."""
    if len(text) <= piece:
        yield STRING.sub("", text)
        return
    place = 0
    while place < len(text):
        quote = text.find('"', place, place + piece)
        yield text[place : place + piece if quote < 0 else quote]
        place = place + piece if quote < 0 else _end(text, quote + 1, '"', "\\", INSIDE, piece)


def _end(text: AnyStr, place: int, quote: AnyStr, escape: AnyStr, inside_of: re.Pattern[AnyStr], piece: int) -> int:
    """Where what follows a string begins, whose first character stands here."""
    closing = text.find(quote, place)
    if text.find(escape, place, closing) < 0 <= closing:
        return closing + 1
    while place < len(text):
        inside = inside_of.match(text, place, place + piece)
        assert inside is not None
        if text[inside.end() : inside.end() + 1] == quote:
            return inside.end() + 1
        if inside.end() == place:  # a backslash, and nothing after it
            break
        place = inside.end()
    return len(text)


def _names_half(text: str) -> bool:
    """True when an escape names half of a surrogate pair, be the other one there or not."""
    return any(HALF_SURROGATE.search(text, start, start + PIECE + 4) for start in range(0, len(text), PIECE))


def _check_surrogates(value: Any) -> None:
    parts = [value]
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            parts += [*part, *part.values()]
        elif isinstance(part, list):
            parts += part
        elif isinstance(part, str) and has_surrogate(part):
            raise bad_json("holds half of a surrogate pair, expected valid Unicode")


def _whole(text: str) -> int:
    number = int(text) if len(text) <= 20 else None
    if number is None or not SMALLEST_INTEGER <= number <= LARGEST_INTEGER:
        raise bad_json(f"holds a whole number of {len(text.lstrip('-')):,} digits, expected one within 64 bits")
    return number


def _real(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise bad_json("holds a number beyond 1.8e308, expected a finite one")
    return number


def _constant(text: str) -> Fault:
    raise bad_json(f"holds {text}, expected a finite number", "send null for a missing value")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise bad_json("names a key twice in one object, expected each once")
    return values


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_whole, parse_float=_real, parse_constant=_constant)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
