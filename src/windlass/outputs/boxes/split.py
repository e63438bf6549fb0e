"""Pictures in three parts, rare classes in each of them; boxes are held against the pictures that they lie on."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from windlass.errors import DataError
from windlass.kinds import boxes, image
from windlass.kinds.boxes import BOX, OVER
from windlass.kinds.things import labels_of
from windlass.metrics.detection import OVERLAPS, overlaps
from windlass.outputs.pictures_apart import near_apart
from windlass.outputs.splitting import STRATUM, Cleaning, SplitMethod, train_validation_test
from windlass.spec import Spec

EMPTY = "\x00empty"
FEW = 10
"""Boxes of a class in train of fewer of which a person should know."""
SAME = 0.5
"""Share of the boxes that lie in the same places on pictures that are nearly the same."""
DONE = {OVER: "cut to what lies on it"}


def split(rows: pl.DataFrame, spec: Spec, cleaning: Cleaning, random: np.random.Generator) -> dict[str, pl.DataFrame]:
    """Raises: DataError: too few pictures."""
    picture, output = next(iter(spec.inputs)), spec.output_column
    mended = _mended(rows, picture, output, cleaning)
    things = [(boxes.truth(value), seen) for value, seen in zip(mended[output], mended[picture], strict=True)]
    apart = near_apart(mended, picture, lambda one, other: _is_same(things[one], things[other]), cleaning)
    found = train_validation_test(marked(apart, output), SplitMethod(spec, STRATUM), cleaning, random)
    warn_of_unknown(found, output, cleaning)
    return {name: part.drop(STRATUM) for name, part in found.items()}


def _is_same(one: tuple[boxes.Things, Any], other: tuple[boxes.Things, Any]) -> bool:
    """Half of the boxes lie in the same places, whatever the pictures' sizes: a camera that stands still sees other
    things on the same ground, and the ground alone again and again."""
    if not one[0] or not other[0]:
        return False
    places = [[thing[BOX] for thing in things] / np.tile(image.upright_size(seen, Path()), 2)
              for things, seen in (one, other)]  # fmt: skip
    return bool((overlaps(*places).max(axis=1) >= OVERLAPS[0]).sum() >= SAME * max(map(len, places)))


def warn_of_unknown(splits: Mapping[str, pl.DataFrame], output: str, cleaning: Cleaning) -> None:
    """Of classes that training does not see."""
    known = of_class(splits["train"], output)
    for name in ("validation", "test"):
        for label, count in of_class(splits[name], output).items():
            if label not in known:
                words = f"is on {name} pictures only ({count:,} times): it cannot be learned, only missed"
                cleaning.warnings.append(f"'{label[:40]}' {words}")


def _mended(rows: pl.DataFrame, picture: str, output: str, cleaning: Cleaning) -> pl.DataFrame:
    """With boxes that lie on their pictures."""
    counts: Counter[str] = Counter()
    values = [_on_picture(value, seen, counts) for seen, value in zip(rows[picture], rows[output], strict=True)]
    for fault, count in counts.most_common():
        cleaning.warnings.append(f"{count:,} boxes were {fault}: {DONE.get(fault, 'taken out')}")
    return rows.with_columns(pl.Series(output, values, dtype=pl.String))


def _on_picture(value: str, picture: Any, counts: Counter[str]) -> str:
    things = boxes.truth(value)
    try:
        width, height = image.upright_size(picture, Path()) if things else (0, 0)
    except DataError:  # `collect` has read it: it lies elsewhere now, and who learns says so
        return value
    kept = []
    for thing in things:
        box, fault = boxes.inside(thing[BOX], width, height)
        counts.update([fault] if fault else [])
        kept += [{**thing, BOX: box}] if box else []
    return boxes.kept(kept) if kept != things else value


def marked(rows: pl.DataFrame, output: str) -> pl.DataFrame:
    """With the rarest class of each picture, in proportion to which the parts are cut."""
    held = [set(labels_of(value)) for value in rows[output]]
    counts = Counter(label for labels in held for label in labels)
    named = [min(labels, key=lambda label: (counts[label], label), default=EMPTY) for labels in held]
    return rows.with_columns(pl.Series(STRATUM, named, dtype=pl.String))


def counts(splits: Mapping[str, pl.DataFrame], output: str) -> dict[str, dict[str, int]]:
    """Things of each class."""
    return {name: dict(of_class(part, output).most_common()) for name, part in splits.items()}


def of_class(rows: pl.DataFrame, output: str) -> Counter[str]:
    return Counter(label for value in rows[output] for label in labels_of(value))


def warn(train: pl.DataFrame, spec: Spec, cleaning: Cleaning) -> None:
    """Classes of few boxes, and pictures that hold nothing."""
    for label, count in of_class(train, spec.output_column).items():
        if count < FEW:
            cleaning.warnings.append(f"'{label[:40]}' has {count} train boxes: little can be learnt of it")
    if all(boxes.truth(value) for value in train[spec.output_column]):
        cleaning.warnings.append(
            "no train picture is empty: add some without a thing, or what only looks like one will be found there"
        )
