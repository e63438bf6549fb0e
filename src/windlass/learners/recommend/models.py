"""The learners of recommendations beyond counting: how each chooses its settings on validation rows, and fits.

A maker is asked twice: with what came before validation, when it chooses, and with all before the test, when it keeps
to what it chose.
"""

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np

from windlass.errors import NotReady
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.recommend import fitting
from windlass.learners.recommend.choosing import Exam, Setting, best_of, exam_of, mean_of
from windlass.learners.recommend.contents import content
from windlass.learners.recommend.ease import HALF_LIVES, LAMBDAS, Solver
from windlass.learners.recommend.factorised import ALS_SETTINGS, als, bpr
from windlass.learners.recommend.fitting import Make
from windlass.learners.recommend.interactions import Interactions
from windlass.learners.recommend.item_knn import SHRINKAGES, neighbours
from windlass.learners.recommend.lessons import Lesson
from windlass.learners.recommend.popular import recent
from windlass.predictors.recommend.blended import Blended, Part, standardised
from windlass.predictors.recommend.scorer import Scorer
from windlass.predictors.recommend.taste import PLAIN
from windlass.records import Progress, Splits

BPR_ROUNDS = (100, 30)
WEIGHTS = (0.1, 0.3, 1.0)
"""Of a part beside the first, which weighs 1."""
LEAST_GAIN = 0.01
"""Relative gain on validation rows below which a part is not worth its room."""


def ease() -> Make:
    chosen = [(HALF_LIVES[0], LAMBDAS[1])]

    def make(lesson: Lesson, left: Budget) -> Scorer:
        exam, solvers = exam_of(lesson), dict[float, Solver]()

        def score(setting: tuple[float, float]) -> float:
            half_life, penalty = setting
            if half_life not in solvers:
                solvers.clear()
                solvers[half_life] = Solver(lesson.interactions, PLAIN, half_life)
            return _of_touched(solvers[half_life], exam, penalty)

        if len(exam):
            chosen[0] = best_of(list(product(HALF_LIVES, LAMBDAS)), score, left)
        half_life, penalty = chosen[0]
        solver = solvers.get(half_life) or Solver(lesson.interactions, PLAIN, half_life)
        return solver.neighbours(penalty, PLAIN)

    return make


def _of_touched(solver: Solver, exam: Exam, penalty: float) -> float:
    """NDCG of all weights, none left out."""
    scores = np.zeros((len(exam), exam.n_items), np.float32)
    scores[:, solver.touched] = solver.scored(penalty, exam.histories(PLAIN))
    return float(exam.reached(scores).mean())


def chosen_of(settings: Sequence[Setting], fit: Callable[[Interactions, Setting], Scorer]) -> Make:
    """The setting that validation rows like best; it stays for the fit on all events, which asks none."""
    chosen = [settings[0]]

    def make(lesson: Lesson, left: Budget) -> Scorer:
        exam = exam_of(lesson)
        if len(exam):
            chosen[0] = best_of(settings, lambda each: mean_of(fit(lesson.interactions, each), exam), left)
        return fit(lesson.interactions, chosen[0])

    return make


def item_knn() -> Make:
    return chosen_of(SHRINKAGES, neighbours)


def factorised_by_als() -> Make:
    return chosen_of(ALS_SETTINGS, als)


def factorised_by_bpr() -> Make:
    return chosen_of(BPR_ROUNDS, bpr)


def blended() -> Make:
    """What is popular of late beside what the history speaks for, and what is told of new items."""
    makers = {"ease": ease(), "item-knn": item_knn(), "recent-popularity": recent(), "content": content()}
    chosen: dict[str, float] = {}

    def make(lesson: Lesson, left: Budget) -> Scorer:
        parts: dict[str, Scorer] = {}
        for name, maker in makers.items():
            if lesson.is_last and chosen and name not in chosen:
                continue
            try:
                parts[name] = maker(lesson, left.part(0.4))
            except NotReady:  # too large for EASE, or nothing is told: the others do
                continue
        if not lesson.is_last or not chosen:
            chosen.clear()
            chosen.update(picked(parts, exam_of(lesson)))
        return Blended([Part(name, weight, parts[name]) for name, weight in chosen.items()])

    return make


def picked(parts: dict[str, Scorer], exam: Exam) -> dict[str, float]:
    """The weights of the best part, and of each other that betters what there is; the first part alone where nothing is
    asked."""
    if not len(exam):
        return {next(iter(parts)): 1.0}
    told = {name: np.array([standardised(row) for row in exam.scores(each)]) for name, each in parts.items()}
    reached = {name: float(exam.reached(each).mean()) for name, each in told.items()}
    first = max(reached, key=reached.__getitem__)
    found, score, total = {first: 1.0}, reached[first], told[first]
    while len(found) < len(parts):
        tried = {(name, weight): float(exam.reached(total + weight * told[name]).mean())
                 for name in told if name not in found for weight in WEIGHTS}  # fmt: skip
        (name, weight), best = max(tried.items(), key=lambda each: each[1])
        if best < (1 + LEAST_GAIN) * score:
            break
        found[name], score, total = weight, best, total + weight * told[name]
    return found


def fit_ease(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """EASE, its penalty by validation rows."""
    return fitting.fit("ease", ease(), splits, options, budget, progress)


def fit_item_knn(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Nearest items by the people who want both."""
    return fitting.fit("item-knn", item_knn(), splits, options, budget, progress)


def fit_als(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Vectors by alternating least squares."""
    return fitting.fit("als", factorised_by_als(), splits, options, budget, progress)


def fit_bpr(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Vectors by pairs of items."""
    return fitting.fit("bpr", factorised_by_bpr(), splits, options, budget, progress)


def fit_content(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """By what is told of items."""
    return fitting.fit("content", content(), splits, options, budget, progress)


def fit_blend(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Several of these together, weighed by validation rows."""
    return fitting.fit("item-blend", blended(), splits, options, budget, progress)
