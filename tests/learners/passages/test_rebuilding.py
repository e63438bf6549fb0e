"""A rebuilt index finds what a whole build finds, keeps what was trained, and forgets what is gone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.predictors.passages import corpus
from windlass.errors import DataError
from windlass.learners.contract import Budget, Options
from windlass.learners.passages.rebuilding import Rebuilt, rebuild
from windlass.learners.passages.search import fit_hybrid
from windlass.predictors import table as predictors
from windlass.predictors.artifact import read_manifest
from windlass.predictors.passages import bm25, units
from windlass.predictors.passages import index as indexes
from windlass.predictors.passages.engine import load_engine
from windlass.records import Passage, silent
from windlass.testing.toys import cited_toy


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Passage]]:
    """An artifact of the toy, and its passages."""
    folder = tmp_path_factory.mktemp("learned")
    splits = cited_toy(folder)
    assert splits.passages is not None
    made = fit_hybrid(splits, Options(folder, "answer_accuracy"), Budget(60), silent)
    return made.artifact, list(splits.passages)


def test_a_merged_index_scores_as_a_built_one() -> None:
    """Passages changed, gone and new at once, in another order: postings, units and vectors are those of a whole
    build."""
    texts = corpus.passages()
    after = [*texts[30:50], "A zebra in Lima is striped. 斑马有条纹。", *texts[:20], "Zebras and parcels.", texts[55]]
    place = {text: number for number, text in enumerate(texts)}
    kept = np.array([place.get(text, -1) for text in after], np.int64)
    new = [text for text in after if text not in place]
    merged = indexes.merge(corpus.index(), kept, new)
    built = bm25.build(after)
    assert set(merged.words.vocabulary) == set(built.vocabulary)
    assert "oslo" in built.vocabulary
    for question in ["zebra in Lima", "parcel Berlin 7 days", "斑马行李托运", "street 9", ""]:
        assert np.array_equal(merged.words.scores(question), built.scores(question))
    whole = units.build(after, built.numbers)
    for number in range(len(after)):
        ours, theirs = merged.units.of(number), whole.of(number)
        assert [merged.words.vocabulary[id] for id in ours.ids] == [built.vocabulary[id] for id in theirs.ids]
        assert np.array_equal(ours.marks, theirs.marks)
        assert np.array_equal(ours.sentences, theirs.sentences)
    dense = merged.dense["lsa"]
    assert np.allclose(dense.encoder.passages(after), dense.vectors.rows, atol=1e-6)


def test_what_was_trained_is_kept_and_what_is_gone_is_nowhere(
    learned: tuple[Path, list[Passage]], tmp_path: Path
) -> None:
    artifact, passages = learned
    gone, changed = passages[0], passages[1]
    text = "Our qwertz weighs 4321 grams since last spring."
    now = [*passages[2:], replace(changed, text=text, end=changed.start + len(text))]
    assert rebuild(artifact, now, tmp_path / "new") == Rebuilt(len(passages) - 2, 1, 2)
    predictors.replay(predictors.load(tmp_path / "new"), tmp_path / "new")
    old, new = (load_engine(folder, read_manifest(folder)) for folder in (artifact, tmp_path / "new"))
    assert new.index.ranker == replace(old.index.ranker, booster=new.index.ranker.booster)
    assert new.sureness == old.sureness
    found = new.find(["Who weighs 4321 grams?"])[0]
    assert new.passages[found.places[0]].text == text
    everything = b"".join(path.read_bytes() for path in (tmp_path / "new").rglob("*") if path.is_file())
    assert gone.text.encode() not in everything
    assert read_manifest(tmp_path / "new").settings["renewed"] == {"new": 1, "gone": 2}


def test_of_nothing_no_index_is_made(learned: tuple[Path, list[Passage]], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="0 passages"):
        rebuild(learned[0], [], tmp_path / "new")
    assert not (tmp_path / "new").exists()
