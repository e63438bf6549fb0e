"""YAML files that a person writes, as typed records: read safely, each fault named with what was expected there."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from windlass.errors import SpecError, did_you_mean, expected

MAX_BYTES = 256 * 1024
MAX_DEPTH = 8
MOST_SHOWN = 80
"""Characters of a wrong value that a message shows."""
MOST_KEYS = 4
"""Keys that a message names where a file holds none."""
UNKNOWN = ("extra_forbidden", "invalid_key")
WANTED = {
    "string_type": "text (in quotes when it looks like a number, a date, yes or no)",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "list_type": "a list",
    "bool_type": "true or false",
    "int_type": "a whole number",
}
"""What an error of this type asks for; Pydantic's own words otherwise."""
PLAIN = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("bool", "int", "float"))
"""What a key may look like and yet is a name: in `{yes: 0.3}` the label is called 'yes'."""


class Exact(BaseModel):
    """A record from outside, or for it: nothing is converted, no key is passed over, every number is finite."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Strict(Exact):
    """A record that a person writes in YAML, with words for what is wrong in it."""

    wanted: ClassVar[Mapping[str, str]] = {}
    """What a field, or else an error of this type, asks for, where `WANTED` is not clear enough."""
    mappings: ClassVar[Mapping[str, str]] = {}
    """Field -> an example of the mapping that it asks for."""
    if_missing: ClassVar[str] = ""
    """The hint where a field that must be there is not."""
    by_column: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Field of columns -> the keys that a column may be told by, the first of which must be there."""


Written = TypeVar("Written", bound=Strict)


def read(model: type[Written], path: Path) -> Written:
    """The record that a file holds. Raises: SpecError: the first fault, and what was expected."""
    return parse(model, read_utf8(path), str(path))


def parse(model: type[Written], text: str, where: str) -> Written:
    """The record that a text holds; `where` is what messages call it. Raises: SpecError as `read`."""
    must = [name for name, field in model.model_fields.items() if field.is_required()]
    return checked(model, _mapping(text, where, must or list(model.model_fields)), where)


def checked(model: type[Written], values: Mapping[Any, Any], where: str) -> Written:
    """The record that plain values make. Raises: SpecError as `read`."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults = error.errors()
    # a misspelt key explains the one that is missing
    first = next((fault for fault in faults if fault["type"] in UNKNOWN), faults[0])
    raise _refusal({**first, "loc": tuple(_written(first, values))}, model, where)


def _written(fault: ErrorDetails, values: Any) -> Iterator[int | str]:
    """The parts of a place that a person wrote: Pydantic names besides which of several types it tried."""
    is_absent = fault["type"] in (*UNKNOWN, "missing") or fault["loc"][0] not in values
    for part in fault["loc"]:
        there = isinstance(values, Mapping) and part in values
        there = there or (isinstance(values, list) and isinstance(part, int) and part < len(values))
        if there:
            values = values[part]
        if there or is_absent or part == "[key]":
            yield part


def _refusal(fault: ErrorDetails, model: type[Strict], where: str) -> SpecError:
    place, kind = [str(part) for part in fault["loc"]], fault["type"]
    if kind == "string_type" and isinstance(fault["input"], dict) and place[0] in model.by_column:
        return _not_by_column(fault["input"], place, model, where)
    if kind in UNKNOWN:
        known = list(_model_at(model, place[:-1]).model_fields)
        hint = did_you_mean(place[-1], known)
        return SpecError(f"{where} has the unknown key '{'.'.join(place)}', expected {expected(known)}", hint)
    if kind == "missing":
        return SpecError(f"{where} has no '{'.'.join(place)}', expected it", model.if_missing)
    value = repr(fault["input"])
    value = value if len(value) <= MOST_SHOWN else f"{value[: MOST_SHOWN - 3]}..."
    if place[-1] == "[key]":
        subject = f"{where}: '{'.'.join(place[:-2])}' has the key {value}"
    else:
        subject = f"{where}: '{place[0] if place[0] in model.wanted else '.'.join(place)}' is {value}"
    if kind == "value_error":
        reason = fault["msg"].removeprefix("Value error, ")
        return SpecError(f"{subject}{',' if reason.startswith('expected') else ':'} {reason}")
    wanted = model.wanted.get(place[0]) or model.wanted.get(kind) or WANTED.get(kind) or _plain(fault["msg"])
    if kind == "dict_type" and ".".join(place) in model.mappings:
        wanted = f"a mapping, such as {model.mappings['.'.join(place)]}"
    return SpecError(f"{subject}, expected {wanted}")


def _not_by_column(said: Mapping[Any, Any], place: Sequence[str], model: type[Strict], where: str) -> SpecError:
    """What is wrong with a column that is told by a mapping, such as {kind: number, unit: EUR}."""
    keys = model.by_column[place[0]]
    other = next((str(key) for key in said if key not in keys), "")
    if not other:
        return SpecError(f"{where}: '{'.'.join(place)}' has no '{keys[0]}', expected it")
    hint = did_you_mean(other, keys)
    if other in model.model_fields:
        hint = f"`{other}:` stands by itself, beside `{place[0]}:` and not in it"
    return SpecError(f"{where}: '{'.'.join(place)}' has the key '{other}', expected {expected(keys)}", hint)


def _model_at(model: type[Strict], place: Sequence[str]) -> type[Strict]:
    """The record that stands at this place of another one, as its value, in a list or by a name."""
    for part in place:
        if part in model.model_fields:
            kind = model.model_fields[part].annotation
            kinds = [each for each in (kind, *get_args(kind)) if isinstance(each, type)]
            model = next(each for each in kinds if issubclass(each, Strict))
    return model


def _plain(message: str) -> str:
    """Pydantic's 'Input should be a valid date' and 'List should have at least 1 item after validation, not 0'."""
    wanted = re.sub(r"^\w+ should (?:be |have )?", "", message).replace("a valid", "a").replace("1 item", "one")
    return re.sub(" after validation, not .*", "", wanted).replace("match pattern", "text that matches")


def read_utf8(path: Path) -> str:
    """The text of a file that a person wrote. Raises: SpecError: it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise SpecError(f"{path} is not UTF-8 text, expected UTF-8", "save the file as UTF-8") from None


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML without tags, aliases or repeated keys, and no deeper than `MAX_DEPTH`."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise SpecError(f"{self.name} uses a YAML alias ('*'), expected plain values")
        tag = getattr(self.peek_event(), "tag", None)  # type: ignore[no-untyped-call]
        if tag is not None:
            raise SpecError(f"{self.name} uses the YAML tag '{tag}' ('!'), expected plain values")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise SpecError(f"{self.name} is nested deeper than {MAX_DEPTH} levels, expected plain mappings")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = str(key_node.value)
            if key in seen:
                raise SpecError(f"{self.name} names '{key}' twice (line {key_node.start_mark.line + 1}), expected once")
            seen.add(key)
            if key_node.tag in PLAIN:
                key_node.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep)


def _mapping(text: str, where: str, keys: Sequence[str]) -> dict[Any, Any]:
    """What the text holds; `keys`: what a message shall name. Raises: SpecError with line and reason."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise SpecError(f"{where} is larger than {MAX_BYTES // 1024} KB, expected a short file")
    loader = None
    try:
        loader = _StrictLoader(text)
        loader.name = where
        value = loader.get_single_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" (line {mark.line + 1})" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise SpecError(f"{where} is not valid YAML{line}: {problem}") from None
    except ValueError as error:  # what looks like a date or a whole number, and is none: 2026-13-45
        raise SpecError(f"{where} has a value that cannot be read ({error}), expected it in quotes") from None
    finally:
        if loader is not None:
            loader.dispose()
    if not isinstance(value, dict):
        names = ", ".join(f"'{key}'" for key in keys[:MOST_KEYS])
        more = " ..." if len(keys) > MOST_KEYS else ""
        raise SpecError(f"{where} is {type(value).__name__}, expected a mapping with {names}{more}")
    return value
