"""The best sentence of the retrieved passages, end to end: test questions of the shared sets against the whole pool.

Retrieval is a stand-in, BM25 over words and over Chinese characters and pairs of them, five passages. A sentence counts
when it stands in the right passage and holds one of the right answers wholly (an answer of two sentences is never held).
The ranker learns from the train questions of both sets together; with `--encoder` it sees the starter's similarities, too.

Usage: python benchmarks/reading.py [--data ../shared/data] [--encoder]
"""  # noqa: E501

import argparse
import json
import math
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from goals import Goal, record

from windlass.learners.reading.sentences import Asked, examples, fit_examples, holds
from windlass.metrics.measures import wilson
from windlass.predictors.language.sentences import overlaps, spans
from windlass.predictors.reading.sentences import Encode, Rarity, Retrieved, SentenceRanker, grams

HERE = Path(__file__).resolve().parent
SETS = {"qa-en-xquad": ("xquad", 0.80), "qa-zh-cmrc2018": ("cmrc", 0.74)}
N_PASSAGES, K1, B = 5, 1.5, 0.75


class Okapi:
    """BM25 of a pool. Source: Robertson & Zaragoza 2009."""

    def __init__(self, pool: list[str]) -> None:
        counts = [Counter(grams(text)) for text in pool]
        lengths = np.array([count.total() for count in counts], float)
        self.norm, self.n = K1 * (1 - B + B * lengths / lengths.mean()), len(pool)
        self.postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, count in enumerate(counts):
            for gram, n in count.items():
                self.postings[gram].append((number, n))

    def scores(self, question: str) -> np.ndarray:
        found = np.zeros(self.n)
        for gram in sorted(set(grams(question))):
            for number, n in self.postings.get(gram, ()):
                n_with = len(self.postings[gram])
                rarity = math.log(1 + (self.n - n_with + 0.5) / (n_with + 0.5))
                found[number] += rarity * n * (K1 + 1) / (n + self.norm[number])
        return found


def asked(folder: Path) -> tuple[dict[str, list[Asked]], Rarity]:
    """The questions of train and test, each with the passages retrieved for it."""
    rows = {
        part: [json.loads(line) for line in (folder / f"{part}.jsonl").read_text("utf-8").splitlines()]
        for part in ("train", "test")
    }
    pool = sorted({row["context"] for part in rows.values() for row in part})
    place, index = {text: number for number, text in enumerate(pool)}, Okapi(pool)

    def one(row: dict[str, Any]) -> Asked:
        scores = index.scores(row["question"])
        best = np.argsort(-scores, kind="stable")[:N_PASSAGES]
        right = str(place[row["context"]])
        answers = [(right, each["answer_start"], each["answer_start"] + len(each["text"])) for each in row["answers"]]
        return Asked(row["question"], [Retrieved(str(each), pool[each], float(scores[each])) for each in best], answers)

    return {part: [one(row) for row in each] for part, each in rows.items()}, Rarity.fit(pool)


def by_overlap(question: Asked) -> bool:
    """What a ranker must beat: the sentence of the five passages that shares most, by rarity among them."""
    places = [(passage, *span) for passage in question.passages for span in spans(passage.text)]
    shared = overlaps([passage.text[start:end] for passage, start, end in places], question.question)
    passage, start, end = places[int(np.argmax(shared))]
    return holds(question, passage.id, start, end)


def measure(ranker: SentenceRanker, questions: list[Asked]) -> tuple[np.ndarray, list[float]]:
    """(n, 3) whether the best, and one of the best two or three, holds the answer; milliseconds of each."""
    right, took = [], []
    for question in questions:
        start = time.perf_counter()
        found = ranker.best(question.question, question.passages)
        took.append(1000 * (time.perf_counter() - start))
        hits = [holds(question, each.passage, each.start, each.end) for each in found]
        right.append([any(hits[:n]) for n in (1, 2, 3)])
    return np.array(right), took


def encoder() -> Encode:
    """The starter, each text read once."""
    from sentence_transformers import SentenceTransformer

    from windlass.learners.networks.encoders import locate

    model, kept = SentenceTransformer(locate("").name, device="cpu"), dict[str, np.ndarray]()

    def encode(texts: Any) -> np.ndarray:
        new = [text for text in dict.fromkeys(texts) if text not in kept]
        if new:
            kept.update(zip(new, model.encode(new, normalize_embeddings=True, show_progress_bar=False), strict=True))
        return np.stack([kept[text] for text in texts])

    return encode


def main(data: Path, with_encoder: bool) -> None:
    seen = encoder() if with_encoder else None
    sets = {name: asked(data / name) for name in SETS}
    encodes = {name: seen if name == "qa-en-xquad" else None for name in SETS}
    found = [
        examples(question, rarity, encodes[name])
        for name, (parts, rarity) in sets.items()
        for question in parts["train"]
    ]
    found = [each for each in found if each[1].any()]
    booster = fit_examples(found, Rarity(1, {})).booster
    for name, (parts, rarity) in sets.items():
        word, goal = SETS[name]
        ranker = SentenceRanker(booster, rarity, encodes[name])
        right, took = measure(ranker, parts["test"])
        n = len(right)
        best = wilson(right[:, 0].sum(), n)
        bound = np.mean([examples(question, rarity)[1].any() for question in parts["test"]])
        baseline = np.mean([by_overlap(question) for question in parts["test"]])
        note = (
            f"one of the best two {right[:, 1].mean():.3f}, three {right[:, 2].mean():.3f}; at most {bound:.3f} (answers that "  # noqa: E501
            f"one retrieved sentence holds); by overlap {baseline:.3f}; p95 {np.percentile(took, 95):.0f} ms on a busy machine; "  # noqa: E501
            f"{'with' if encodes[name] else 'without'} the starter's similarities; stand-in retrieval"
        )
        value = f"{best.value:.3f} [{best.low:.3f}, {best.high:.3f}] of {n}"
        met = bool(best.value >= goal)
        record(Goal("ask", f"best sentence holds the answer, {word}", f">= {goal}", value, met, note))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--encoder", action="store_true")
    options = parser.parse_args()
    main(options.data, options.encoder)
