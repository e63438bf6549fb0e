"""An artifact for documents that have changed, with all that was trained kept: only what is new is indexed."""

import math
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from windlass.errors import DataError
from windlass.learners.contract import Budget, Fitted, Options
from windlass.predictors.artifact import read_golden, read_manifest, write_golden, write_manifest
from windlass.predictors.passages import encoders
from windlass.predictors.passages import index as indexes
from windlass.predictors.passages.answerer import Answerer, passages_of
from windlass.predictors.passages.engine import PASSAGES, answers_in, load_engine
from windlass.predictors.passages.index import LEGS
from windlass.predictors.reading.sentences import Rarity, grams
from windlass.records import IndexedDocument, Passage, Progress, Splits
from windlass.store.files import publish
from windlass.store.json_files import read_json

RENEWED = "renewed"
"""Of the manifest's settings: how many passages are new and gone since it was trained, where any are."""


MOST_RENEWED = 0.2
"""Share of the passages: beyond it what was learned from questions may hold no longer, and is learned anew."""
AGAIN = "`windlass train --again` learns from questions anew"


@dataclass(frozen=True)
class Rebuilt:
    """How many passages the old index had already, how many are new, and how many of the old ones are gone."""

    n_kept: int
    n_new: int
    n_gone: int


def nothing(folder: Path) -> None:
    """No part beside the index."""


def rebuild(
    learned: Path,
    passages: Sequence[Passage],
    folder: Path,
    documents: Sequence[IndexedDocument] = (),
    others: Callable[[Path], None] = nothing,
) -> Rebuilt:
    """Writes an artifact for these passages with what was trained in another one: encoders, order, refusals, reading,
    and from which confidence on it answers. Nothing of a passage that is not among them is left in it.

    Args:   learned: an artifact of format `passages`, such as `model` of a release; it stays as it is unless it is
            `folder` too.
            folder: where the new one is written, whole or not at all; what stood there is replaced.
            documents: that the passages come from; none: those of `learned` that any of them does.
            others: writes the parts that the artifact has beside the index into a folder.
    Raises: DataError: there are no passages, or the old artifact is damaged. NotReady: a package that it needs is not
            here.
    """
    if not passages:
        raise DataError("there are 0 passages, expected at least 1", "a folder without documents answers nothing")
    manifest = read_manifest(learned)
    old = load_engine(learned, manifest, counted=True)
    kept = places_in(old.passages, passages)
    rebuilt = Rebuilt(int((kept >= 0).sum()), int((kept < 0).sum()), len(old.passages) - int((kept >= 0).sum()))
    new = [passage.searched for passage, place in zip(passages, kept.tolist(), strict=True) if place < 0]
    sentences = [each for passage in passages for each in answers_in(passage)] if old.vectors else []
    vectors = {leg: each.renewed(sentences) for leg, each in old.vectors.items()}
    reader = old.reader
    if reader is not None:
        rarity = _rarity(reader.rarity, old.passages, passages, kept)
        reader = replace(reader, rarity=rarity, near=tuple(each.near for each in vectors.values()))
    index, named = indexes.merge(old.index, kept, new), {passage.document for passage in passages}
    documents = documents or [each for each in old.documents if each.path in named]
    engine = replace(old, passages=passages, index=index, reader=reader, documents=documents, vectors=vectors)
    before = manifest.settings.get(RENEWED, {})
    renewed = {"new": rebuilt.n_new + before.get("new", 0), "gone": rebuilt.n_gone + before.get("gone", 0)}
    if any(renewed.values()):
        note = f"{renewed['new']:,} passages are new and {renewed['gone']:,} gone since it was trained: {AGAIN}"
        manifest = replace(manifest, settings={**manifest.settings, RENEWED: renewed, "notes": [note]})
    rows, _ = read_golden(learned)

    def build(aside: Path) -> None:
        for name, leg in old.index.dense.items():
            if leg.kind == encoders.GRAPH:
                _copy_encoder(learned / LEGS / name, aside / LEGS / name)
        engine.save(aside)
        others(aside)
        write_manifest(aside, manifest)
        write_golden(aside, rows, Answerer(manifest, engine).golden(rows))

    publish(folder, build)
    return rebuilt


def refresh(
    splits: Splits, options: Options, budget: Budget, progress: Progress, others: Callable[[Path], None] = nothing
) -> Fitted | None:
    """The trained artifact for the passages as they are now; None: more than `MOST_RENEWED` of them are others than it
    was trained with. Its score on validation questions is not known yet. others: as of `rebuild`. Raises: as it."""
    passages, artifact = tuple(splits.passages or ()), options.artifact
    progress("indexing", 0, 1, f"{len(passages):,} passages")
    before = read_manifest(artifact).settings.get(RENEWED, {})
    old = passages_of(read_json(artifact / PASSAGES), artifact / PASSAGES)
    n_kept = int((places_in(old, passages) >= 0).sum())
    new, gone = before.get("new", 0) + len(passages) - n_kept, before.get("gone", 0) + len(old) - n_kept
    if max(new, gone) > MOST_RENEWED * len(passages):
        return None
    rebuild(artifact, passages, artifact, splits.documents, others)
    return Fitted(artifact, math.nan)


def gone_from(artifact: Path, passages: Sequence[Passage]) -> int:
    """How many passages of an artifact are not among these. Raises: DataError: it is damaged."""
    old = passages_of(read_json(artifact / PASSAGES), artifact / PASSAGES)
    return len(old) - int((places_in(old, passages) >= 0).sum())


def places_in(old: Sequence[Passage], passages: Sequence[Passage]) -> np.ndarray:
    """(n,) int64: of each passage the place of one in `old` that is found by the same words; -1: there is none."""
    there: dict[str, list[int]] = defaultdict(list)
    for place in range(len(old) - 1, -1, -1):
        there[old[place].searched].append(place)
    found = [there[passage.searched] for passage in passages]
    return np.array([places.pop() if places else -1 for places in found], np.int64)


def _rarity(rarity: Rarity, old: Sequence[Passage], passages: Sequence[Passage], kept: np.ndarray) -> Rarity:
    """In how many passages each gram stands now; one that stood in a single one, which is not known, counts as new."""
    counts, stays = Counter(rarity.counts), set(kept.tolist())
    for place, passage in enumerate(old):
        if place not in stays:
            counts.subtract(gram for gram in set(grams(passage.text)) if gram in counts)
    for passage, place in zip(passages, kept.tolist(), strict=True):
        if place < 0:
            counts.update(set(grams(passage.text)))
    return Rarity(len(passages), {gram: count for gram, count in sorted(counts.items()) if count > 1})


def _copy_encoder(learned: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in encoders.FILES:
        if (learned / name).exists():
            shutil.copy2(learned / name, folder / name)
