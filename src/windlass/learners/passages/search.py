"""Learners of cited answers: an index of the passages, how what it finds is put in order, and how sure an answer is.

All are learned from questions whose passage is known, and from the same questions with that passage taken away;
from those that come with Windlass, too, while there are few.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from windlass.kinds import table as kinds
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.passages import encoders as trained
from windlass.learners.passages.ranking import Ranked, rank
from windlass.learners.passages.refusing import refuse
from windlass.learners.passages.starter import ENOUGH, ENOUGH_REFUSED, WEIGHT, starter_questions
from windlass.learners.passages.teaching import HeldOut, Lesson, Readers, learned_readers, rarity_of, taught_by
from windlass.predictors.artifact import N_GOLDEN, write_golden, write_manifest
from windlass.predictors.passages import bm25, encoders
from windlass.predictors.passages.answerer import Answerer, is_right
from windlass.predictors.passages.bm25 import Bm25
from windlass.predictors.passages.encoders import Encoder
from windlass.predictors.passages.engine import SURENESS, PassageEngine, Unseen, answers_in, pretrained
from windlass.predictors.passages.index import LEGS, build
from windlass.predictors.reading import meaning
from windlass.records import Column, Manifest, Progress, Splits

LEAST_TAUGHT = 20
"""Questions, half of them without an answer, from which sureness is learned."""
RIDGE = 1.0
LEAST_UNANSWERED = 0.2
"""The share of people's questions that no document answers, where fewer of them are given."""
SENTENCES_A_SECOND = 100
"""Sentences that are encoded for each second that a candidate has; of more, reading does without."""
NEAR, MEANING, LANGUAGES = "lsa", "encoder", "use"
"""Legs: directions learned from the passages alone; a pretrained encoder; one of many languages, where its package is
installed."""
Legs = Mapping[str, tuple[str, Encoder]]
"""Name of a leg -> its kind and encoder."""


def fit_bm25(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """BM25 alone; what is learned is when to refuse."""
    return _fit("bm25", lambda words, texts: {}, splits, options, budget, progress)


def fit_hybrid(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """BM25 and vectors learned from the passages, in an order that is learned where there are questions enough."""

    def legs(words: Bm25, texts: list[str]) -> Legs:
        return {NEAR: (NEAR, trained.learn_lsa(words, texts, options.seed))}

    return _fit("hybrid", legs, splits, options, budget, progress)


def fit_encoder(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """The same with the vectors of pretrained encoders. Raises: NotReady: there is none."""

    def legs(words: Bm25, texts: list[str]) -> Legs:
        folder = options.artifact / LEGS / MEANING
        trained.export_encoder(options.variant, folder)
        vectors = trained.learn_lsa(words, texts, options.seed)
        found = {NEAR: (NEAR, vectors), MEANING: (encoders.GRAPH, encoders.load(folder))}
        return {**found, LANGUAGES: (LANGUAGES, encoders.packaged(LANGUAGES))} if encoders.has(LANGUAGES) else found

    return _fit("hybrid-encoder", legs, splits, options, budget, progress)


def _fit(
    learner: str,
    legs: Callable[[Bm25, list[str]], Legs],
    splits: Splits,
    options: Options,
    budget: Budget,
    progress: Progress,
) -> Fitted:
    passages = tuple(splits.passages or ())
    progress("indexing", 0, 3, f"{len(passages):,} passages")
    texts = [passage.searched for passage in passages]
    words = bm25.build(texts)
    encoders_of_legs = legs(words, texts)
    own = Lesson(build(texts, encoders_of_legs, words), passages, taught_by(splits, passages))
    lessons = [own, *_starter(own, encoders_of_legs, options.seed, budget.seconds)]
    progress("ranking", 1, 3, f"{len(own.taught.ranked):,} questions")
    lessons, held_out = _ranked(lessons)
    progress("reading", 2, 3, "")
    lessons = _with_meaning(lessons, budget.seconds)
    readers = learned_readers(lessons, held_out)
    sureness = _sureness(lessons, held_out, readers)
    vectors = dict(zip(pretrained(lessons[0].index), lessons[0].meaning, strict=False))
    engine = PassageEngine(passages, lessons[0].index, readers.final, sureness, splits.documents, vectors)
    options.artifact.mkdir(parents=True, exist_ok=True)
    engine.save(options.artifact)
    return _finished(learner, engine, splits, options)


def _starter(own: Lesson, legs: Legs, seed: int, seconds: float) -> list[Lesson]:
    """Questions that come with Windlass, over an index of their own with the same legs; none where there are enough."""
    if len(own.taught.ranked) >= ENOUGH:
        return []
    passages, taught = starter_questions(own.passages, seconds)
    if len(taught.ranked) < LEAST_TAUGHT:
        return []
    texts = [passage.searched for passage in passages]
    words = bm25.build(texts)
    learned = {
        name: (kind, trained.learn_lsa(words, texts, seed) if kind == NEAR else encoder)
        for name, (kind, encoder) in legs.items()
    }
    return [Lesson(build(texts, learned, words), passages, taught, WEIGHT)]


def _with_meaning(lessons: Sequence[Lesson], seconds: float) -> list[Lesson]:
    """The lessons with the vectors of their sentences; without where those would take too long."""
    sentences = [[each for passage in lesson.passages for each in answers_in(passage)] for lesson in lessons]
    encoders_of_legs = pretrained(lessons[0].index)
    if sum(map(len, sentences)) * len(encoders_of_legs) > SENTENCES_A_SECOND * seconds:
        return list(lessons)
    found = []
    for lesson, texts in zip(lessons, sentences, strict=True):
        built = [meaning.build(encoder, texts) for encoder in encoders_of_legs.values()]
        found.append(replace(lesson, meaning=tuple(each.hearing(lesson.taught.texts) for each in built)))
    return found


def _ranked(lessons: Sequence[Lesson]) -> tuple[list[Lesson], list[HeldOut]]:
    """The lessons with the best order of passages and a model of refusing, and what those say of each question who had
    not seen it. The first lesson is the user's own."""
    taught = [each for each in lessons if each.taught.ranked]
    if not taught:
        return list(lessons), [HeldOut() for _ in lessons]
    own, beside = taught[0], taught[1].beside if len(taught) > 1 else None
    ranked: Ranked = rank(own.index, own.heard, own.questions, beside)
    is_few = len(own.taught.ranked) < ENOUGH_REFUSED
    refusing = refuse(own.index, own.heard, own.questions, ranked, beside=beside if is_few else None)
    likely = refusing.likely.reshape(-1, 2).tolist() if refusing else []
    held_out, start = [], 0
    for lesson in lessons:
        places = lesson.taught.ranked
        folds = dict(zip(places, ranked.folds[start : start + len(places)].tolist(), strict=True))
        pairs = zip(places, likely[start:], strict=False)
        held_out.append(HeldOut(
            folds, {place: ranked.by_fold[fold] for place, fold in folds.items()},
            {(place, there): pair[0 if there else 1] for place, pair in pairs for there in (True, False)},
        ))  # fmt: skip
        start += len(places)
    refusal = refusing.refusal if refusing else None
    return [each.with_index(each.index.with_ranker(ranked.ranker, refusal)) for each in lessons], held_out


def _sureness(lessons: Sequence[Lesson], held_out: Sequence[HeldOut], readers: Readers) -> list[float]:
    """Weights of the evidence, by ridge logistic regression; none of too few questions, or where all are alike.

    Of the user's own questions alone where they are enough.
    """
    from sklearn.linear_model import LogisticRegression

    features, is_good, weights = [], [], []
    n_lessons = 1 if len(lessons[0].taught.ranked) >= ENOUGH_REFUSED else len(lessons)
    for lesson, held in zip(lessons[:n_lessons], held_out, strict=False):
        n_answered, n = len(lesson.taught.ranked), len(lesson.taught.texts)
        share = max((n - n_answered) / max(n, 1), LEAST_UNANSWERED)
        unanswered = share / (1 - share) * n_answered / max(n, 1)  # so that they are as many as people's questions have
        for evidence, good, is_there in _evidence(lesson, held, readers):
            features.append(evidence)
            is_good.append(good)
            weights.append(lesson.weight * (1.0 if is_there else unanswered))
    if len(features) < LEAST_TAUGHT or len(set(is_good)) < 2:
        return []
    model = LogisticRegression(C=1 / RIDGE, max_iter=1_000).fit(np.array(features), is_good, weights)
    return [float(each) for each in (*model.coef_[0], model.intercept_[0])]


def _evidence(lesson: Lesson, held: HeldOut, readers: Readers) -> Iterator[tuple[tuple[float, ...], bool, bool]]:
    """What is found for each question with its passage there and without, whether that is right, and whether any
    passage answers."""
    engine, taught = PassageEngine(lesson.passages, lesson.index), lesson.taught
    rarity = rarity_of(lesson.passages)
    for number, heard in enumerate(lesson.index.hear(taught.texts)):
        gold, reader = taught.gold[number], readers.of(held.folds.get(number))
        reader = None if reader is None else replace(reader, rarity=rarity, near=lesson.near)
        for gone in [frozenset[int](), gold] if gold else [frozenset[int]()]:
            ranker = held.rankers.get(number, lesson.index.ranker)
            unseen = Unseen(ranker, reader, held.likely.get((number, not gone)))
            found = engine.found(taught.texts[number], heard, engine.allowed(gone), unseen)
            for sentence in found.sentences:
                said = engine.passages[sentence.place].text[sentence.start : sentence.end]
                is_there = bool(gold) and not gone
                yield found.evidence, not gone and is_right({"text": said}, taught.rights[number]), is_there


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
