"""The one table of kinds, and the two things that are done with a column of any kind."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import SpecError, did_you_mean, expected
from windlass.kinds import (
    anomaly,
    boxes,
    category,
    chat,
    cited,
    date,
    forecast,
    image,
    items,
    masks,
    number,
    series,
    tags,
    text,
    text_answers,
)
from windlass.kinds.contract import Batch, Kind, Sparse
from windlass.records import Column, Json
from windlass.spec import FILE_NAME, Spec

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        replace(text.KIND, answers=text_answers.SKETCH),
        chat.KIND,
        image.KIND,
        number.KIND,
        category.KIND,
        date.KIND,
        series.KIND,
        forecast.KIND,
        tags.KIND,
        anomaly.KIND,
        cited.KIND,
        boxes.KIND,
        masks.KIND,
        items.KIND,
    )
}
CHUNK = 512
WRITTEN = "written"
"""Where a column's state says how its values are written."""
WAYS = {
    "number": {"format"},
    "date": {"format"},
    "category": {"merge", "labels"},
    "anomaly": {"merge", "labels"},
    "series": {"time", "value", "known", "past", "every", "gather", "horizon", "season", "holidays", "window"},
    "tags": {"format", "merge", "labels", "columns"},
    "items": {"item", "time", "event", "rating", "counts", "liked", "new", "diverse", "margin", "explore"},
}
"""Kind -> in which ways of their own its values can be written."""


def check(spec: Spec) -> None:
    """Raises: SpecError: a column has a kind that there is not; names the column."""
    for column, kind in {**spec.inputs, **spec.output}.items():
        if kind not in KINDS:
            hint = did_you_mean(kind, KINDS)
            raise SpecError(f"{FILE_NAME}: kind of column '{column}' is '{kind}', expected {expected(KINDS)}", hint)


def get(name: str) -> Kind:
    """The kind of that name. Raises: SpecError with the nearest name."""
    if name not in KINDS:
        raise SpecError(f"kind is '{name}', expected {expected(KINDS)}", did_you_mean(name, KINDS))
    return KINDS[name]


def reading(name: str, how: Mapping[str, Any] | None = None) -> Kind:
    """The kind as it reads a column whose values are written in that way. Raises: SpecError: it has no such way."""
    return _as_written(name, json.dumps(how, sort_keys=True)) if how else get(name)


@lru_cache(maxsize=256)
def _as_written(name: str, how: str) -> Kind:
    kind, options = get(name), json.loads(how)
    if kind.as_written is None or not set(options) <= WAYS.get(name, set()):
        fitting = [other for other, ways in WAYS.items() if set(options) & ways]
        raise SpecError(f"kind '{name}' has no {' or '.join(map(repr, options))}, expected {expected(fitting)}")
    return kind.as_written(options)


def of(column: Column) -> Kind:
    """The kind of a column, reading what is written as the column's state says: a label as it is known there."""
    how = column.state.get(WRITTEN)
    if "labels" in column.state:
        how = {"merge": {}, **(how or {}), "labels": column.state["labels"]}
    return reading(column.kind, how)


def ways(spec: Spec) -> dict[str, Json]:
    """Column -> in which way of their own its values are written, where they are. Raises: SpecError."""
    found: dict[str, Json] = {
        name: {"format": example} for name, example in spec.formats.items() if name in spec.columns
    }
    if spec.series is not None:
        how = spec.series.how(spec.output_column)
        found.update({name: how for name, kind in spec.inputs.items() if get(kind).has_points})
        if not spec.series.window:
            found.pop(spec.output_column, None)
    if spec.items is not None and (events := spec.items.how()):
        found.update({name: events for name, kind in {**spec.inputs, **spec.output}.items() if get(kind).has_events})
    if "merge" in WAYS.get(spec.output[spec.output_column], ()) or spec.labels.merge:
        found[spec.output_column] = {**found.get(spec.output_column, {}), "merge": spec.labels.merge}
    if spec.labels.columns:
        found[spec.output_column] = {**found.get(spec.output_column, {}), "columns": spec.labels.columns}
    for name, how in found.items():
        try:
            reading({**spec.inputs, **spec.output}[name], how)
        except SpecError as error:
            raise SpecError(f"column '{name}': {error.message}", error.hint) from None
    return found


def spelt(spec: Spec, values: Mapping[str, Any]) -> Json:
    """The inputs among these values, as a file of the product's own has them: written as `formats` says."""
    found = ways(spec)
    return {name: reading(kind, found.get(name)).spelt(values.get(name)) for name, kind in spec.inputs.items()}


def with_format(column: Column, how: Mapping[str, Any] | None) -> Column:
    """The column with the way in which its values are written in its state."""
    return replace(column, state={**column.state, WRITTEN: dict(how)}) if how else column


def claimed(values: Sequence[Any]) -> str:
    """The kind that claims the values of a column as its own; '' where none does."""
    return next((kind.name for kind in KINDS.values() if kind.claims(values)), "")


def has_turns(inputs: Mapping[str, str]) -> bool:
    """A conversation is among the inputs."""
    return any(get(kind).turns is not None for kind in inputs.values())


def prose(inputs: Mapping[str, str]) -> list[str]:
    """The columns whose values are running text, of column -> kind."""
    return [name for name, kind in inputs.items() if get(kind).is_prose]


def fit_column(
    name: str, kind: str, values: Sequence[Any], root: Path | None, form: str, options: Json | None = None
) -> Column:
    """A column whose state was fitted on these raw values in that form."""
    read = get(kind).read
    return Column(name, kind, get(kind).fit((read(value, root) for value in values), form, options or {}))


def encode_column(column: Column, values: Sequence[Any], root: Path | None) -> Batch:
    """Raw values -> one batch, read and encoded in chunks so that decoded pictures do not pile up."""
    kind = of(column)
    parts = [
        kind.encode([kind.read(value, root) for value in values[start : start + CHUNK]], column.state)
        for start in range(0, max(len(values), 1), CHUNK)
    ]
    return join(parts, column.state.get("pad", 0))


def join(parts: list[Batch], filler: int = 0) -> Batch:
    """One batch of several; token ids of different length are padded with `filler`."""
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], Sparse):
        sparse = [part for part in parts if isinstance(part, Sparse)]
        lengths = np.concatenate([np.diff(part.starts) for part in sparse])
        return Sparse(
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            np.concatenate([part.places for part in sparse]),
            np.concatenate([part.values for part in sparse]),
            sparse[0].width,
        )
    dense = [part for part in parts if isinstance(part, np.ndarray)]
    if dense[0].ndim == 2 and len({part.shape[1] for part in dense}) > 1:
        width = max(part.shape[1] for part in dense)
        dense = [np.pad(part, ((0, 0), (0, width - part.shape[1])), constant_values=filler) for part in dense]
    return np.concatenate(dense)
