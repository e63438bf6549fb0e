"""Learners of cited answers: an index of the passages, how what it finds is put in order, and how sure an answer is.

All are learned from questions whose passage is known, and from the same questions with that passage taken away.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from windlass.kinds import table as kinds
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.passages import encoders as trained
from windlass.learners.passages.ranking import Questions, Ranked, rank
from windlass.learners.passages.refusing import refuse
from windlass.learners.passages.teaching import Own, Readers, Taught, learned_readers, taught_by
from windlass.predictors.artifact import N_GOLDEN, write_golden, write_manifest
from windlass.predictors.passages import bm25, encoders
from windlass.predictors.passages.answerer import Answerer, is_right
from windlass.predictors.passages.bm25 import Bm25
from windlass.predictors.passages.encoders import Encoder
from windlass.predictors.passages.engine import SURENESS, PassageEngine, Unseen
from windlass.predictors.passages.index import LEGS, PassageIndex, build
from windlass.records import Column, Manifest, Progress, Splits

LEAST_TAUGHT = 20
"""Questions, half of them without an answer, from which sureness is learned."""
RIDGE = 1.0
NEAR, MEANING = "lsa", "encoder"
"""Legs: directions learned from the passages alone; a pretrained encoder."""
Legs = Mapping[str, tuple[str, Encoder]]
"""Name of a leg -> its kind and encoder."""


def fit_bm25(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """BM25 alone; what is learned is when to refuse."""
    return _fit("bm25", lambda words, texts: {}, splits, options, progress)


def fit_hybrid(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """BM25 and vectors learned from the passages, in an order that is learned where there are questions enough."""

    def legs(words: Bm25, texts: list[str]) -> Legs:
        return {NEAR: (NEAR, trained.learn_lsa(words, texts, options.seed))}

    return _fit("hybrid", legs, splits, options, progress)


def fit_encoder(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """The same with the vectors of a pretrained encoder. Raises: NotReady: there is none."""

    def legs(words: Bm25, texts: list[str]) -> Legs:
        folder = options.artifact / LEGS / MEANING
        trained.export_encoder(options.variant, folder)
        vectors = trained.learn_lsa(words, texts, options.seed)
        return {NEAR: (NEAR, vectors), MEANING: (encoders.GRAPH, encoders.load(folder))}

    return _fit("hybrid-encoder", legs, splits, options, progress)


def _fit(
    learner: str, legs: Callable[[Bm25, list[str]], Legs], splits: Splits, options: Options, progress: Progress
) -> Fitted:
    passages = tuple(splits.passages or ())
    progress("indexing", 0, 3, f"{len(passages):,} passages")
    texts = [passage.searched for passage in passages]
    words = bm25.build(texts)
    index = build(texts, legs(words, texts), words)
    taught = taught_by(splits, passages)
    progress("ranking", 1, 3, f"{len(taught.ranked):,} questions")
    index, own, likely = _ranked(index, taught)
    engine = PassageEngine(passages, index, documents=splits.documents)
    progress("reading", 2, 3, "")
    readers = learned_readers(engine, taught, own)
    engine = replace(engine, reader=readers.final)
    engine = replace(engine, sureness=_sureness(engine, taught, own, likely, readers))
    options.artifact.mkdir(parents=True, exist_ok=True)
    engine.save(options.artifact)
    return _finished(learner, engine, splits, options)


Likely = Mapping[tuple[int, bool], float]
"""Question, and whether its passage was there -> how likely a passage answered, by a model that had not seen it."""


def _ranked(index: PassageIndex, taught: Taught) -> tuple[PassageIndex, Own, Likely]:
    """The index with the best order and a model of refusing, and what those say who had not seen a question."""
    places = taught.ranked
    if not places:
        return index, {}, {}
    questions = Questions([taught.texts[place] for place in places],
                          np.array([min(taught.gold[place] or {0}) for place in places]))  # fmt: skip
    heard = index.hear(questions.texts)
    ranked: Ranked = rank(index, heard, questions)
    refusing = refuse(index, heard, questions, ranked)
    own = {place: ranked.by_fold[fold] for place, fold in zip(places, ranked.folds, strict=True)}
    likely: dict[tuple[int, bool], float] = {}
    if refusing is not None:
        pairs = refusing.likely.reshape(-1, 2).tolist()
        likely = {(place, there): pair[0 if there else 1] for place, pair in zip(places, pairs, strict=True)
                  for there in (True, False)}  # fmt: skip
    return index.with_ranker(ranked.ranker, refusing.refusal if refusing else None), own, likely


def _sureness(engine: PassageEngine, taught: Taught, own: Own, likely: Likely, readers: Readers) -> list[float]:
    """Weights of the evidence, by ridge logistic regression; none of too few questions, or where all are alike."""
    from sklearn.linear_model import LogisticRegression

    features, is_good = [], []
    for number, heard in enumerate(engine.index.hear(taught.texts)):
        held, reader = taught.gold[number], readers.of.get(number, engine.reader)
        for gone in [frozenset[int](), held] if held else [frozenset[int]()]:
            unseen = Unseen(own.get(number, engine.index.ranker), reader, likely.get((number, not gone)))
            found = engine.found(taught.texts[number], heard, engine.allowed(gone), unseen)
            for sentence in found.sentences:
                said = engine.passages[sentence.place].text[sentence.start : sentence.end]
                features.append(found.evidence)
                is_good.append(not gone and is_right({"text": said}, taught.rights[number]))
    if len(features) < LEAST_TAUGHT or len(set(is_good)) < 2:
        return []
    model = LogisticRegression(C=1 / RIDGE, max_iter=1_000).fit(np.array(features), is_good)
    return [float(each) for each in (*model.coef_[0], model.intercept_[0])]


def _finished(learner: str, engine: PassageEngine, splits: Splits, options: Options) -> Fitted:
    """Writes manifest and golden rows, and measures on the validation questions."""
    inputs = tuple(Column(name, kind) for name, kind in splits.inputs.items())
    column = Column(splits.output_column, splits.output[splits.output_column])
    manifest = Manifest("passages", learner, inputs, column, settings={SURENESS: list(engine.sureness)})
    write_manifest(options.artifact, manifest)
    answerer = Answerer(manifest, engine)
    held = splits.validation.to_dicts()
    rows = [
        {name: kinds.get(kind).portable(row[name], splits.root) for name, kind in splits.inputs.items()}
        for row in held[:N_GOLDEN]
    ]
    write_golden(options.artifact, rows, answerer.golden(rows))
    marks = answerer.tested(held, [row[splits.output_column] for row in held], splits.root)
    return Fitted(options.artifact, marks.value(options.metric) if held else float("nan"))
