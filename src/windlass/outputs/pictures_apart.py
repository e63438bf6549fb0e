"""Pictures that show nearly the same do not test what learned from them: they stay in one split, or leave train."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from windlass.errors import DataError
from windlass.outputs.splitting import Cleaning
from windlass.sources.near_pictures import connected, grey_copy, near_pairs
from windlass.sources.prepared import GROUP, SPLIT

MOST = 20_000
"""Pictures that are looked at: each is decoded once more."""
CROWD = 0.5
"""Share of all pictures that are near each other from which on nearness tells nothing."""
RANKS = {"test": 0, "validation": 1, "train": 2, "": 2}
Pair = tuple[int, int]


def near_apart(
    rows: pl.DataFrame, picture: str, is_same: Callable[[int, int], bool], cleaning: Cleaning
) -> pl.DataFrame:
    """The rows without those of train and validation that nearly are test rows (of train: validation rows), and the
    others in groups that are not parted. is_same(row, row): what is to be answered is the same, too."""
    if len(rows) > MOST:
        cleaning.warnings.append(f"more than {MOST:,} pictures: it was not looked whether some are nearly the same")
        return rows
    places, copies = _copies(rows[picture].to_list())
    if not len(copies):
        return rows
    pairs = [(places[one], places[other]) for one, other in near_pairs(copies)]
    pairs = [pair for pair in pairs if is_same(*pair)]
    if not pairs:
        return rows
    named = [str(rows[picture][place]).rpartition("/")[2][:60] for place in pairs[0]]
    cleaning.warnings.append(
        f"{len({place for pair in pairs for place in pair}):,} pictures are nearly the same as another one (first: "
        f"{named[0]} and {named[1]}): near ones do not stand in two splits"
    )
    splits = rows[SPLIT].to_list()
    gone = _told_twice(pairs, splits, cleaning)
    together = [pair for pair in pairs if gone.isdisjoint(pair)]
    stays = pl.Series([place not in gone for place in range(len(rows))], dtype=pl.Boolean)
    if GROUP in rows.columns or not together or {"test", "validation"} <= set(splits):
        return rows.filter(stays)
    homes = connected(len(rows), together)
    if np.bincount(homes).max() > CROWD * len(rows):
        cleaning.warnings.append("most pictures are nearly the same: they are parted as if they were not")
        return rows.filter(stays)
    return rows.with_columns(pl.Series(GROUP, [f"near {home}" for home in homes], dtype=pl.String)).filter(stays)


def _copies(pictures: list[Any]) -> tuple[list[int], np.ndarray]:
    """Places of those that can be read, and their grey copies."""
    places, copies = [], []
    for place, each in enumerate(pictures):
        try:
            copies.append(grey_copy(each, Path()))
        except DataError:  # it lies elsewhere now, and who learns says so
            continue
        places.append(place)
    return places, np.array(copies)


def _told_twice(pairs: list[Pair], splits: list[str], cleaning: Cleaning) -> set[int]:
    """Rows of the split that is nearer to training, of pairs that lie in two."""
    gone = dict[int, str]()
    for pair in pairs:
        kept, left = sorted(pair, key=lambda place: RANKS[splits[place]])
        if RANKS[splits[kept]] < RANKS[splits[left]]:
            gone.setdefault(left, f"{splits[left] or 'train'} picture that nearly is a {splits[kept]} picture")
    cleaning.removed.update(gone.values())
    return set(gone)
