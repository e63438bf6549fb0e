"""An index that learned to rank and to refuse: parity after loading, access before scoring, refusals, damage."""

from pathlib import Path

import numpy as np
import pytest

from tests.predictors.passages import corpus
from windlass.errors import DataError, WindlassError
from windlass.learners.passages.ranking import LEARNED, Questions, rank, rows_of
from windlass.learners.passages.refusing import refuse
from windlass.predictors.passages import index as indexes
from windlass.predictors.passages.access import AccessLists
from windlass.predictors.passages.index import PassageIndex
from windlass.predictors.passages.rankers import Ranker


@pytest.fixture(scope="module")
def learned() -> PassageIndex:
    plain = corpus.index()
    texts, right = corpus.questions()
    asked = Questions(texts, right)
    heard = plain.hear(texts)
    ranked = rank(plain, heard, asked)
    refusing = refuse(plain, heard, asked, ranked, risk=0.3)
    assert refusing is not None
    return plain.with_ranker(ranked.ranker, refusing.refusal)


def probes() -> list[str]:
    texts, _ = corpus.questions()
    others = [f"street {number} Lima 手续费{number}" for number in range(66)]
    return [*texts, *others, "", "？", "zebra", "a" * 100_000, "什么", "Ünïcödé ﬁ"]


def test_a_loaded_index_gives_the_builders_ten_best_of_200_probes(learned: PassageIndex, tmp_path: Path) -> None:
    learned.save(tmp_path)
    loaded = indexes.load(tmp_path)
    assert len(probes()) == 200
    for probe in probes():
        wanted, found = learned.search(probe), loaded.search(probe)
        assert np.array_equal(wanted.places, found.places)
        assert np.array_equal(wanted.scores, found.scores)
        assert (wanted.answerable, wanted.is_answered) == (found.answerable, found.is_answered)


@pytest.mark.parametrize("way", ["bm25", "lsa", "rrf", "z-sum", "weighted", "linear", "trees", "linear+trees"])
def test_every_way_to_rank_is_kept_and_finds_the_passage(way: str, tmp_path: Path) -> None:
    plain = corpus.index()
    texts, right = corpus.questions()
    ranker = Ranker(way, plain.legs)
    if way in LEARNED:
        questions = Questions(texts, right)
        ranker = LEARNED[way](rows_of(plain, plain.hear(texts), questions, questions.folds()))
    plain.with_ranker(ranker).save(tmp_path)
    loaded = indexes.load(tmp_path)
    assert np.mean([loaded.search(text).places[0] == place for text, place in zip(texts, right, strict=True)]) > 0.6


def test_no_user_of_a_thousand_sees_a_passage_of_others() -> None:
    """Each user's result is what the same legs give over that user's passages alone; control: no mask, leaks."""
    index, random = corpus.index(), np.random.default_rng(13)
    groups = [f"group {number}" for number in range(12)]
    readers = [
        None if random.random() < 0.1 else frozenset(random.choice(groups, random.integers(0, 4), replace=False))
        for _ in range(len(index))
    ]
    lists = AccessLists.of(readers)
    heard = [*index.hear(corpus.questions()[0])]
    n_leaks = n_unmasked = 0
    for user in range(1_000):
        names = frozenset(random.choice(groups, random.integers(0, 5), replace=False))
        may = np.array([each is None or bool(each & names) for each in readers])
        mask = lists.mask(names)
        assert np.array_equal(mask, may)
        each = heard[user % len(heard)]
        asked = index.ask(each, mask)
        n_leaks += int((~may[asked.found.places]).sum())
        n_unmasked += int((~may[index.ask(each).found.places]).sum())
        lsa = each.legs[1].of(np.arange(len(index)))
        best = np.flatnonzero(may)[np.argsort(-lsa[may], kind="stable")[:10]]
        assert set(best) <= set(asked.found.places)
    assert n_leaks == 0
    assert n_unmasked > 1_000


def test_the_result_for_some_passages_does_not_depend_on_the_scores_of_the_others(learned: PassageIndex) -> None:
    """Ranks, scales and leads are those of what the asker may see, else a score would tell that more is there."""
    mask = np.arange(len(learned)) % 3 == 0
    (heard,) = learned.hear(["How many days does the refund take in Lima?"])
    wanted = learned.ask(heard, mask).features
    for leg in heard.legs:
        leg.values[~mask] = 1e6  # type: ignore[attr-defined]
    assert np.array_equal(learned.ask(indexes.Heard(heard.question, heard.legs), mask).features, wanted)


def test_words_that_only_hidden_passages_have_are_unknown() -> None:
    """As in an index without those passages: else a refusal would learn from what is not there, and tell of it."""
    index = indexes.build(["the parcel is here", "the secret project zebra", "a parcel is lost"])
    (heard,) = index.hear(["where is the zebra parcel"])
    mask = np.array([True, False, True])
    seen, alone = index.ask(heard, mask).question, indexes.build(["the parcel is here", "a parcel is lost"])
    (wanted,) = alone.hear(["where is the zebra parcel"])
    assert (seen.units.ids >= 0).tolist() == (wanted.question.units.ids >= 0).tolist()
    assert (heard.question.units.ids >= 0).sum() == (seen.units.ids >= 0).sum() + 1


def test_what_asks_nothing_is_refused_and_what_nobody_says_is_less_likely(learned: PassageIndex) -> None:
    for nothing in ("", "  ？！ "):
        found = learned.search(nothing)
        assert not len(found.places)
        assert not found.is_answered
    nobody = learned.search("How many days?", np.zeros(len(learned), bool))
    assert not len(nobody.places)
    assert not nobody.is_answered
    text, place = "How many days does the refund take in Lima?", 10
    others = np.arange(len(learned)) != place
    known, unknown = learned.search(text).answerable, learned.search(text, others).answerable
    assert known is not None
    assert unknown is not None
    assert known > unknown


def test_a_mask_of_another_size_is_refused(learned: PassageIndex) -> None:
    with pytest.raises(DataError, match="64 passages"):
        learned.search("refund", np.ones(3, bool))


def test_an_empty_index_finds_nothing_and_can_be_kept(tmp_path: Path) -> None:
    indexes.build([]).save(tmp_path)
    assert not len(indexes.load(tmp_path).search("refund").places)


def test_damage_to_any_file_is_told(learned: PassageIndex, tmp_path: Path) -> None:
    """Each file cut in half, and each gone: never another error, never another answer in silence."""
    for number, name in enumerate(sorted(_files(learned, tmp_path / "whole"))):
        for cut in (True, False):
            folder = tmp_path / f"{number}{cut}"
            learned.save(folder)
            content = (folder / name).read_bytes()
            (folder / name).write_bytes(content[: len(content) // 2]) if cut else (folder / name).unlink()
            with pytest.raises(WindlassError):
                indexes.load(folder, counted=True)


def _files(index: PassageIndex, folder: Path) -> list[str]:
    index.save(folder)
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]


def test_few_questions_teach_nothing_and_none_are_refused() -> None:
    plain = corpus.index()
    few = Questions(["refund in Lima", "parcel in Oslo"], np.array([10, 5]))
    ranked = rank(plain, plain.hear(few.texts), few)
    assert {line.way for line in ranked.board} == {"bm25", "lsa", "rrf", "z-sum"}
    assert refuse(plain, plain.hear(few.texts), few, ranked) is None
    with pytest.raises(DataError, match="0 questions"):
        rank(plain, [], Questions([], np.zeros(0, int)))
