"""Answers from LightGBM's own text model."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds.contract import Batch, Sparse
from windlass.predictors.contract import Engine, empty_batches, n_scores, width
from windlass.records import Manifest

FILE, LOW, HIGH = "model.txt", "low.txt", "high.txt"
"""The model; of numbers whose interval begins at quantiles, the models of these."""
MOST_ROWS = 2**31 - 1
NUMBER = r"-?(?:[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?|inf)"
NUMBERS = re.compile(f"{NUMBER}(?: {NUMBER})*")


def order(batches: Sequence[Batch]) -> list[int]:
    """The inputs' numbers in the order of their features: the sparse ones come first."""
    return sorted(range(len(batches)), key=lambda place: not isinstance(batches[place], Sparse))


def features(batches: Sequence[Batch]) -> Any:
    """All inputs side by side: a float32 array, or a scipy CSR matrix when one of them is sparse."""
    dense = [batch.reshape(len(batch), width(batch)) for batch in batches if not isinstance(batch, Sparse)]
    sparse = [batch for batch in batches if isinstance(batch, Sparse)]
    if not sparse:
        return np.concatenate(dense, axis=1)
    from scipy.sparse import csr_matrix, hstack

    wide = [csr_matrix((part.values, part.places, part.starts), (len(part.starts) - 1, part.width)) for part in sparse]
    return hstack([*wide, *(csr_matrix(part) for part in dense)], format="csr")


def load(folder: Path, manifest: Manifest) -> Engine:
    """Raises: DataError when the model is damaged, or not one for the manifest's columns."""
    import lightgbm

    n_features = sum(width(batch) for batch in empty_batches(manifest))
    n_given, files, boosters = n_scores(manifest), [FILE], []
    if (folder / LOW).is_file():
        n_given, files = n_given - 2, [FILE, LOW, HIGH]
    for name in files:
        try:
            text = checked((folder / name).read_text(encoding="utf-8"), n_features, n_given)
            boosters.append(lightgbm.Booster(model_str=text))
        except (OSError, ValueError, lightgbm.basic.LightGBMError) as error:
            raise DataError(f"{folder / name} is damaged ({error}), expected a LightGBM model") from None
    return Trees(boosters[0], n_given, tuple(boosters[1:]))


@dataclass(frozen=True)
class Trees:
    """booster: a LightGBM model that was checked. n_given: its scores a row; of two the first is always 0. quantiles:
    models of low and high, whose scores stand beside; none: no such."""

    booster: Any
    n_given: int
    quantiles: tuple[Any, ...] = ()
    is_from_zero = False

    def __call__(self, batches: Sequence[Batch]) -> np.ndarray:
        rows = features(batches)
        found = [
            as_scores(np.asarray(each.predict(rows, raw_score=True, num_threads=1)), self.n_given)
            for each in (self.booster, *self.quantiles)
        ]
        return found[0] if len(found) == 1 else np.concatenate(found, axis=1)

    def contributions(self, batches: Sequence[Batch], labels: np.ndarray) -> tuple[list[np.ndarray], float]:
        """Shapley values over the trees' own rows. Source: Lundberg et al. 2020, arXiv:1905.04610 (TreeSHAP)."""
        rows = features(batches)
        rows = rows if isinstance(rows, np.ndarray) else rows.toarray()
        found = np.asarray(self.booster.predict(rows, pred_contrib=True, num_threads=1))
        per_class = found.reshape(-1, rows.shape[1] + 1)
        weighed = labels[-len(per_class) :] @ per_class
        sides: list[np.ndarray | None] = [None] * len(batches)
        start = 0
        for place in order(batches):
            sides[place] = weighed[start : start + width(batches[place])]
            start += width(batches[place])
        return [side for side in sides if side is not None], float(weighed[-1])


def as_scores(found: np.ndarray, n_given: int) -> np.ndarray:
    """What a booster gives, (n,) or (n, k), as scores (n, n_given)."""
    if found.ndim == 2:
        return found
    return np.stack([np.zeros_like(found)] * (n_given - 1) + [found], axis=1)


def checked(text: str, n_features: int, n_given: int) -> str:
    """The model, written anew from what was understood of it.

    LightGBM trusts its text: of 40 files with a few changed bytes or a cut end, 20 killed the process (SIGSEGV or
    SIGABRT). So nothing reaches it but whole trees whose numbers, features and branches were checked here.
    Raises: ValueError: what is wrong.
    """
    head, *blocks = text.partition("end of trees")[0].split("\nTree=")
    if "end of trees" not in text:
        raise ValueError("its end is missing")
    header = _fields(head)
    per_round = 1 if n_given <= 2 and header.get("num_class") == "1" else n_given
    found = [header.get(key) for key in ("max_feature_idx", "num_class", "num_tree_per_iteration")]
    is_mean = "average_output" in head
    if found != [str(n_features - 1), str(per_round), str(per_round)] or is_mean or len(blocks) % per_round:
        raise ValueError(f"it is not a model of {n_features} features and {n_given} scores a row")
    if not blocks or [int(block.partition("\n")[0]) for block in blocks] != list(range(len(blocks))):
        raise ValueError("its trees are not all there, or in another order")
    of_one = {1: "regression", 2: "binary sigmoid:1"}
    goal = of_one[n_given] if per_round == 1 else f"multiclass num_class:{n_given}"
    names = " ".join(f"Column_{number}" for number in range(n_features))
    lines = [
        "tree",
        "version=v4",
        f"num_class={per_round}",
        f"num_tree_per_iteration={per_round}",
        "label_index=0",
        f"max_feature_idx={n_features - 1}",
        f"objective={goal}",
        f"feature_names={names}",
        f"feature_infos={' '.join(['none'] * n_features)}",
        "",
    ]
    for number, block in enumerate(blocks):
        lines += [f"Tree={number}", *_tree(_fields(block), n_features), "", ""]
    return "\n".join([*lines, "end of trees", "", ""])


def _fields(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.splitlines() if "=" in line)


def _tree(tree: dict[str, str], n_features: int) -> list[str]:
    """The lines of a tree. Raises: ValueError: a number, a feature, a branch or a set of levels that cannot be."""
    n_leaves, n_sets = int(tree.get("num_leaves", 0)), int(tree.get("num_cat", 0))
    n_splits = n_leaves - 1
    leaves = _numbers(tree, "leaf_value", n_leaves, np.float64)
    if n_leaves < 1 or tree.get("is_linear", "0") != "0" or not np.isfinite(leaves).all():
        raise ValueError("a tree has no leaves, or leaves that are no numbers")
    kept, counts = ["leaf_value"], []
    if n_splits:
        kept += ["split_feature", "threshold", "decision_type", "left_child", "right_child"]
        chosen = _numbers(tree, "split_feature", n_splits, np.int64)
        thresholds = _numbers(tree, "threshold", n_splits, np.float64)
        decisions = _numbers(tree, "decision_type", n_splits, np.int64)
        children = np.stack([_numbers(tree, side, n_splits, np.int64) for side in ("left_child", "right_child")])
        by_set = thresholds[decisions % 2 == 1]
        if ((chosen < 0) | (chosen >= n_features)).any() or ((decisions < 0) | (decisions > 11)).any():
            raise ValueError("a tree splits on a feature that is not there")
        if np.isnan(thresholds).any() or not np.isin(by_set, np.arange(n_sets)).all():
            raise ValueError("a tree splits at what is no number and no set of levels")
        # each node hangs below an earlier one, and exactly once: so every walk ends at a leaf
        if (
            sorted(children.ravel().tolist()) != [*range(-n_leaves, 0), *range(1, n_splits)]
            or ((children >= 0) & (children <= np.arange(n_splits))).any()
        ):
            raise ValueError("a tree has branches that do not hang together")
        counts = _counts(_numbers(tree, "leaf_count", n_leaves, np.int64), children)
    if n_sets:
        kept += ["cat_boundaries", "cat_threshold"]
        _check_sets(tree, n_sets)
    return [
        f"num_leaves={n_leaves}",
        f"num_cat={n_sets}",
        *(f"{key}={tree[key]}" for key in kept),
        *counts,
        "is_linear=0",
        "shrinkage=1",
    ]


def _counts(leaves: np.ndarray, children: np.ndarray) -> list[str]:
    """The lines of the rows that each leaf and split saw in training, which TreeSHAP weighs by: at least one a leaf."""
    if (leaves < 0).any() or leaves.sum() > MOST_ROWS:
        raise ValueError("a tree has leaves with a number of rows that cannot be")
    leaves = np.maximum(leaves, 1)
    splits = np.zeros(children.shape[1], np.int64)
    for split in range(len(splits) - 1, -1, -1):
        splits[split] = sum(splits[child] if child >= 0 else leaves[~child] for child in children[:, split])
    return [f"leaf_count={' '.join(map(str, leaves))}", f"internal_count={' '.join(map(str, splits))}"]


def _check_sets(tree: dict[str, str], n_sets: int) -> None:
    ends = _numbers(tree, "cat_boundaries", n_sets + 1, np.int64)
    words = _numbers(tree, "cat_threshold", int(ends[-1]), np.int64)
    if ends[0] or (np.diff(ends) < 1).any() or ((words < 0) | (words >= 2**32)).any():
        raise ValueError("a tree has a damaged set of levels")


def _numbers(tree: dict[str, str], key: str, count: int, dtype: type) -> np.ndarray:
    told = tree.get(key, "")
    words = told.split(" ")
    if len(words) != count or not NUMBERS.fullmatch(told):
        raise ValueError(f"a tree has {len(words)} values of '{key}', expected {count} numbers")
    try:
        return np.array(words, dtype)
    except OverflowError:
        raise ValueError(f"a tree has a value of '{key}' that is too large") from None
