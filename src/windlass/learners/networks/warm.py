"""A network that begins where a release ended: its weights, trained on new rows and on a sample of those it knows.

What is new gets new weights: words in the table of words, labels in the head. All else is read as the release reads it.
The last epoch is kept: validation rows know nothing of what is new, and would choose the first. Rate and epochs are
those of the network: with half of either, topics of banking77 that came late were learned less well (docs/log.md).
It competes with the same network from scratch: warm starts cost less and can generalise worse.
Source: experience replay, Rolnick et al. 2019, arXiv:1811.11682; Ash & Adams 2020, "On warm-starting neural network
training", arXiv:1910.08475.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import nn

from windlass.errors import DataError, NotReady
from windlass.kinds.text import PAD, UNKNOWN
from windlass.learners.contract import Options
from windlass.learners.networks.training.checkpoint import weights
from windlass.learners.objectives import aim, objective_of
from windlass.learners.rows import Encoded, encode_splits, fit_input
from windlass.predictors.artifact import read_manifest
from windlass.predictors.networks.onnx import FILE as GRAPH
from windlass.records import Json, Manifest, Splits, WarmStart
from windlass.registry.checkpoints import FILE, HEADER
from windlass.store.files import hash_file, write_bytes

if TYPE_CHECKING:
    import polars as pl

REPLAYED, LEAST_OF_LABEL = 4, 10
"""Known rows that are trained on again: so many for each new row, and so many of each label, where there are."""
IDS = "ids"
ALWAYS = (PAD, UNKNOWN)
"""The rows of a table of words before those of the words."""


def write(network: nn.Module, learner: str, options: Options) -> None:
    """Keeps the weights beside the artifact, with the hash of the graph that they became."""
    header = {"learner": learner, "variant": options.variant, "graph": hash_file(options.artifact / GRAPH)}
    tensors = {name: value.cpu().contiguous() for name, value in weights(network).items()}
    write_bytes(options.folder / FILE, save(tensors, metadata={HEADER: json.dumps(header)}))


def encode(
    splits: Splits, start: WarmStart, forms: Mapping[str, str], options: Mapping[str, Json], seed: int
) -> Encoded:
    """The new rows and the replayed ones, and all validation rows. forms, options: as `rows.encode` takes them.

    Words and labels are those of all rows; other columns are read as the release reads them. Raises: NotReady: the
    release reads other columns. DataError: its manifest is damaged.
    """
    before = read_manifest(Path(start.artifact))
    known = before.inputs
    wanted = [(name, kind, forms[kind]) for name, kind in splits.inputs.items()]
    if [(column.name, column.kind, column.state.get("form")) for column in known] != wanted:
        raise NotReady(
            f"release '{start.release}' reads other columns, expected {', '.join(splits.inputs)}: no warm start"
        )
    inputs = tuple(
        fit_input(column.name, splits, forms, options) if column.state["form"] == IDS else column for column in known
    )
    some = replace(splits, train=replayed(splits, start.n_new, seed))
    return encode_splits(inputs, objective_of(splits).known_output(splits, before.output), some)


def replayed(splits: Splits, n_new: int, seed: int) -> "pl.DataFrame":
    """The train rows that are new, which are the last ones, after a sample of the others, in their order."""
    n_old = len(splits.train) - n_new
    labels = splits.train[splits.output_column].to_numpy()[:n_old]
    order = np.random.default_rng(seed).permutation(n_old)
    taken = set(order[: REPLAYED * n_new].tolist())
    for label in np.unique(labels) if objective_of(splits).has_classes else ():
        taken.update(order[labels[order] == label][:LEAST_OF_LABEL].tolist())
    return splits.train[[*sorted(taken), *range(n_old, len(splits.train))]]


def inherit(network: nn.Module, start: WarmStart, encoded: Encoded) -> None:
    """Gives the network the release's weights; rows for words and labels that are new stay as they are.

    Raises: NotReady: it is another network. DataError: the weights are damaged.
    """
    try:
        found = load_file(start.weights)
    except (OSError, SafetensorError):
        raise DataError(
            f"weights of release '{start.release}' are damaged or gone, expected them: no warm start"
        ) from None
    rows = dict(_moved(read_manifest(Path(start.artifact)), encoded))
    with torch.no_grad():
        for name, tensor in weights(network).items():
            before = found.get(name)
            if before is None or before.shape[name in rows :] != tensor.shape[name in rows :]:
                raise NotReady(
                    f"release '{start.release}' is another network ('{name}'), expected the same one: no warm start"
                )
            if name in rows:
                now, then = rows[name]
                tensor[now] = before[then]
            else:
                tensor.copy_(before)


def _moved(before: Manifest, encoded: Encoded) -> Iterator[tuple[str, tuple[list[int], list[int]]]]:
    """Of each weight that has a row for a label or a word: the rows of what was known, as they are numbered now and
    then."""
    if aim(encoded.output).has_classes:
        labels = _places(encoded.output.state["labels"], before.output.state["labels"])
        yield from (("head.weight", labels), ("head.bias", labels))
    for place, (now, then) in enumerate(zip(encoded.inputs, before.inputs, strict=True)):
        if now.state["form"] == IDS:
            words = _places([*ALWAYS, *now.state["tokens"]], [*ALWAYS, *then.state["tokens"]])
            yield f"encoders.{place}.embedding.weight", words


def _places(now: Sequence[object], then: Sequence[object]) -> tuple[list[int], list[int]]:
    """The places of what is in both."""
    found = {value: place for place, value in enumerate(then)}
    kept = [place for place, value in enumerate(now) if value in found]
    return kept, [found[now[place]] for place in kept]
