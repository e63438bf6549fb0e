"""A linear model on terms, levels, bins and pixels: the baseline that often suffices.

Labels of text get a linear support vector machine (one against the rest), of all else a logistic regression; the
temperature turns the margins of either into probabilities. Numbers get a ridge regression. Measured choices:
docs/log.md, "linear".
Source: Fan et al. 2008, LIBLINEAR; Wang & Manning 2012 (n-gram baselines).
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from windlass.kinds import table as kinds
from windlass.kinds.contract import Batch, Sparse
from windlass.kinds.table import join
from windlass.learners.classic import ridge, tagging
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.networks.lesson import Lesson
from windlass.learners.objectives import objective_of
from windlass.learners.rows import Encoded, encode, finish
from windlass.metrics.measures import BINARY_ONLY, best_temperature, log_loss, paired_difference, softmax
from windlass.outputs.labels.measures import label_marks
from windlass.predictors.artifact import N_GOLDEN
from windlass.predictors.contract import width
from windlass.predictors.tables.linear import write_weights
from windlass.records import Column, Json, Progress, Splits

FORMS = {
    "text": "terms",
    "image": "pixels",
    "number": "binned",
    "category": "onehot",
    "date": "calendar",
    "series": "features",
}
PIXELS = {"image": {"size": 24}}
MARGIN_STRENGTHS = (0.3, 1.0, 0.1)
LOGISTIC_STRENGTHS = (0.3, 0.03, 3.0, 0.003)
"""The one that is best most often comes first: where time is short it is the only one tried."""
UNCHOSEN_STRENGTH = 0.3
"""Where there are no validation rows to choose it on."""
STEP, MOST_STEPS = 3.0, 3
"""What an input's weight is multiplied or divided by while that helps, and how often at most."""
MAX_WEIGHTS = 40_000_000
"""Terms x labels, at most: 160 MB of float32."""


@dataclass(frozen=True)
class Tried:
    """A linear model as it was tried. scales: one an input, what its features are multiplied by, 0: left out.

    loss: what an error costs, where there is a choice. weights: one (features, k) float32 an input, of the features as
    they are; logits: (n, k) of the validation rows.
    """

    scales: tuple[float, ...]
    strength: float
    weights: list[np.ndarray]
    bias: np.ndarray
    logits: np.ndarray
    loss: str = ""


@dataclass(frozen=True)
class FitMethod:
    """How one kind of output is fitted.

    strengths(is_sparse) -> of the regularisation, the likeliest first; unchosen: where no validation rows choose.
    losses(metric) -> what an error may cost, the usual one first. solve(rows, lesson) -> (features, k) float32 weights,
    and (k,) bias. best_of(metric, encoded, found) -> the best by the validation rows.
    """

    strengths: Callable[[bool], tuple[float, ...]]
    unchosen: float
    losses: Callable[[str], tuple[str, ...]]
    solve: Callable[[Any, Lesson], tuple[np.ndarray, np.ndarray]]
    best_of: "Callable[[str, Encoded, Sequence[Tried]], Tried]"


@dataclass(frozen=True)
class Search:
    """What is chosen on the validation rows: the strength, and with inputs of several kinds the weight of each."""

    encoded: Encoded
    validation: Any
    options: Options
    budget: Budget
    progress: Progress
    found: list[Tried] = field(default_factory=list)

    def run(self) -> Tried:
        """The best of what the time allows to try; at least one is tried."""
        self._scales_and_strength()
        for loss in self.way.losses(self.options.metric)[1:] if len(self.encoded.validation_targets) else ():
            self._try(self.best.scales, self.best.strength, loss)
        return self.best

    def _scales_and_strength(self) -> None:
        groups = inputs_together(self.encoded.inputs)
        if len(groups) < 2:
            self._strengths((1.0,) * len(self.encoded.inputs))
            return
        norms = [norm([self.encoded.train[place] for place in group]) for group in groups]
        equal = self._scales(groups, [norms[0] / norm for norm in norms])
        alone = [self._scales(groups, [float(other is group) for other in groups]) for group in groups]
        for scales in dict.fromkeys([equal, *alone, self._scales(groups, [1.0] * len(groups))]):
            self._try(scales)
        self._strengths(self.best.scales)
        for group in groups:
            for _ in range(MOST_STEPS):
                if not self._is_better_with(group, equal):
                    break

    @property
    def way(self) -> FitMethod:
        return WAYS[self.encoded.output.kind]

    @property
    def best(self) -> Tried:
        return self.way.best_of(self.options.metric, self.encoded, self.found)

    def fitted(
        self, tried: Tried, batches: Sequence[Batch], targets: np.ndarray, counts: np.ndarray | None
    ) -> tuple[list[np.ndarray], np.ndarray]:
        """Weights of the features as they are, and bias, of a model fitted on these rows as that one was."""
        used = [place for place, scale in enumerate(tried.scales) if scale]
        rows = matrix([scaled(batches[place], tried.scales[place]) for place in used])
        n_scores, seed = self.encoded.n_scores, self.options.seed
        joined, bias = self.way.solve(rows, Lesson(targets, counts, n_scores, tried.strength, seed, tried.loss))
        weights = [np.zeros((width(batch), n_scores), np.float32) for batch in batches]
        edges = np.cumsum([width(batches[place]) for place in used])[:-1]
        for place, found in zip(used, np.split(joined, edges), strict=True):
            weights[place] = found * np.float32(tried.scales[place])
        return weights, bias

    def _strengths(self, scales: tuple[float, ...]) -> None:
        for strength in self._strengths_of(scales):
            self._try(scales, strength)

    def _strengths_of(self, scales: Sequence[float]) -> tuple[float, ...]:
        if not len(self.encoded.validation_targets):
            return (self.way.unchosen,)
        used = [batch for batch, scale in zip(self.encoded.train, scales, strict=True) if scale]
        return self.way.strengths(any(isinstance(batch, Sparse) for batch in used))

    def _scales(self, groups: Sequence[Sequence[int]], found: Sequence[float]) -> tuple[float, ...]:
        of = {place: scale for group, scale in zip(groups, found, strict=True) for place in group}
        return tuple(of[place] for place in range(len(self.encoded.inputs)))

    def _is_better_with(self, group: Sequence[int], equal: Sequence[float]) -> bool:
        """Tries more and less of these inputs, a little of those left out; true where that made a better model."""
        before = self.best
        if not any(scale for place, scale in enumerate(before.scales) if place not in group):
            return False  # alone: its strength is its weight
        for factor in (1 / STEP, STEP if before.scales[group[0]] else 1 / STEP**2):
            scales = list(before.scales)
            for place in group:
                scales[place] = (scales[place] or equal[place]) * factor
            self._try(tuple(scales), before.strength)
        return self.best is not before

    def _try(self, scales: tuple[float, ...], strength: float | None = None, loss: str = "") -> None:
        """Fits once more, unless that was done or too much of the time is used."""
        strength = self._strengths_of(scales)[0] if strength is None else strength
        loss = loss or self.way.losses(self.options.metric)[0]
        is_done = any((each.scales, each.strength, each.loss) == (scales, strength, loss) for each in self.found)
        if is_done or (self.found and self.budget.spent() > 0.4 * self.budget.seconds):
            return
        self.progress("choosing strength and weights", len(self.found), 0, f"{strength:g}")
        tried = Tried(scales, strength, [], np.empty(0), np.empty(0), loss)
        weights, bias = self.fitted(tried, self.encoded.train, self.encoded.train_targets, self.encoded.train_weights)
        logits = np.asarray(self.validation @ np.concatenate(weights) + bias)
        self.found.append(replace(tried, weights=weights, bias=bias, logits=logits))


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Chooses strength and weights of the inputs on the validation rows, then fits on all rows but the test's."""
    n_scores = kinds.get(splits.output[splits.output_column]).n_scores
    output = objective_of(splits).fit_output(splits)
    assert n_scores is not None
    terms = {"text": {"n_terms": max(1_000, min(200_000, MAX_WEIGHTS // n_scores(output.state)))}}
    progress("reading", 0, 3, "")
    encoded = encode(splits, FORMS, {**PIXELS, **terms})
    validation = matrix(encoded.validation)
    search = Search(encoded, validation, options, budget, progress)
    best = search.run()
    weights, bias = best.weights, best.bias
    if len(encoded.validation_targets) and budget.left() > 0:
        progress("fitting on all rows", 2, 3, "")
        every = [join([one, other]) for one, other in zip(encoded.train, encoded.validation, strict=True)]
        weights, bias = search.fitted(best, every, encoded.every_target, encoded.every_weight)
    write_weights(options.artifact, weights, bias)
    golden = validation[:N_GOLDEN] @ np.concatenate(weights) + bias
    return finish(
        options,
        {"predictor": "linear", "learner": "linear", "settings": _settings(best, encoded)},
        encoded,
        splits,
        best.logits,
        np.asarray(golden),
    )


def _settings(best: Tried, encoded: Encoded) -> Json:
    names = [column.name for column in encoded.inputs]
    chosen: Json = {"strength": best.strength, **({"loss": best.loss} if best.loss else {})}
    if len(inputs_together(encoded.inputs)) < 2:
        return chosen
    scales = {name: float(f"{scale:.4g}") for name, scale in zip(names, best.scales, strict=True)}
    unused = [f"'{name}' is not used: without it validation rows were answered no worse" for name in names
              if not scales[name]]  # fmt: skip
    return {**chosen, "scales": scales, **({"notes": unused} if unused else {})}


def inputs_together(inputs: Sequence[Column]) -> list[list[int]]:
    """The places of the inputs that share a weight: each text, all columns of a table, each picture; in this order."""
    found = [kinds.get(column.kind) for column in inputs]
    texts = [[place] for place, kind in enumerate(found) if kind.is_prose]
    pictures = [[place] for place, kind in enumerate(found) if kind.is_picture]
    table = [place for place, kind in enumerate(found) if not (kind.is_prose or kind.is_picture)]
    return [*texts, *([table] if table else []), *pictures]


def norm(batches: Sequence[Batch]) -> float:
    """The root mean square length of the rows, all batches side by side; 1 where all is 0."""
    values = [batch.values if isinstance(batch, Sparse) else batch for batch in batches]
    n_rows = len(batches[0].starts) - 1 if isinstance(batches[0], Sparse) else len(batches[0])
    return float(np.sqrt(sum(np.square(each, dtype=np.float64).sum() for each in values) / max(n_rows, 1))) or 1.0


def scaled(batch: Batch, scale: float) -> Batch:
    if scale == 1:
        return batch
    factor = np.float32(scale)
    return replace(batch, values=batch.values * factor) if isinstance(batch, Sparse) else batch * factor


def matrix(batches: Sequence[Batch]) -> Any:
    """All inputs side by side: (n, features) dense float32, or scipy CSR when one of them is sparse."""
    dense = [batch.reshape(len(batch), width(batch)) for batch in batches if not isinstance(batch, Sparse)]
    if len(dense) == len(batches):
        return np.concatenate(dense, axis=1)
    parts = [
        sparse.csr_matrix((batch.values, batch.places, batch.starts), (len(batch.starts) - 1, batch.width))
        if isinstance(batch, Sparse)
        else sparse.csr_matrix(batch.reshape(len(batch), width(batch)))
        for batch in batches
    ]
    return sparse.hstack(parts, format="csr")


def best_of(metric: str, encoded: Encoded, found: Sequence[Tried]) -> Tried:
    """The one whose validation logits are best by the metric, of equals by log loss once calibrated.

    Few rows tell two models apart by chance alone, so log loss decides among all that are not measurably worse than
    the best. By the score alone a challenger of `improve` had got another strength than the champion, and was worse.
    A metric of ranking sees neither slope nor intercept; there log loss must be measurably lower itself (on eight rows
    of fraud it is noise).
    """
    truth = encoded.validation_targets
    if not len(truth):
        return found[0]
    logits = [each.logits.astype(np.float64) for each in found]
    shares = [softmax(each / best_temperature(truth, each)) for each in logits]
    losses = [log_loss(truth, each) for each in shares]
    marks = [label_marks(encoded.output, truth, softmax(each)) for each in logits]
    scores = [float(np.nan_to_num(each.value(metric))) for each in marks]
    first = max(range(len(found)), key=lambda place: (scores[place], -losses[place]))
    is_ranking = metric in BINARY_ONLY
    for place in sorted(range(len(found)), key=lambda place: losses[place]):
        if place == first:
            break
        if is_ranking and not _is_surely_closer(truth, shares[place], shares[first]):
            continue
        if not paired_difference(metric, marks[first], marks[place]).low > 0:
            return found[place]
    return found[first]


def _is_surely_closer(truth: np.ndarray, one: np.ndarray, other: np.ndarray) -> bool:
    """The first has less log loss than the other (n, k): one-sided at 5 %, by the rows' differences."""
    places = np.arange(len(truth))
    gains = np.log(np.maximum(one[places, truth], 1e-12)) - np.log(np.maximum(other[places, truth], 1e-12))
    return bool(gains.mean() > 1.645 * gains.std() / np.sqrt(len(gains)))


def _best_scored(metric: str, encoded: Encoded, found: Sequence[Tried]) -> Tried:
    """The one whose scores are best by the metric on the validation rows; without these the first.

    The elastic net must be better by a share that rows elsewhere show too: by less it was chosen by chance, and worse.
    """
    truth = encoded.validation_targets
    values = [encoded.aim.score(metric, encoded.output, truth, each.logits) for each in found]
    usual = [place for place, each in enumerate(found) if each.loss != ridge.ELASTIC]
    best = usual[ridge.best_place(metric, [values[place] for place in usual])]
    first = ridge.best_place(metric, values)
    return found[first if abs(values[first] - values[best]) > ridge.LEAST_GAIN * abs(values[best]) else best]


def _fitted(rows: Any, lesson: Lesson) -> tuple[np.ndarray, np.ndarray]:
    """Weights and bias of a model whose fit is cut off rather than run on when it converges slowly."""
    strength, seed = lesson.strength, lesson.seed
    model = (
        LinearSVC(C=strength, random_state=seed, max_iter=300)
        if sparse.issparse(rows)
        else LogisticRegression(C=strength, max_iter=200, random_state=seed)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return _weights(model.fit(rows, lesson.targets, lesson.weights), lesson.n_scores)


def _weights(model: Any, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """(features, k) float32 weights and (k,) bias; classes without a row keep a bias that is never the largest."""
    coefficients, intercepts = model.coef_, model.intercept_
    if len(coefficients) == 1:
        coefficients = np.concatenate([-coefficients / 2, coefficients / 2])
        intercepts = np.concatenate([-intercepts / 2, intercepts / 2])
    weights = np.zeros((coefficients.shape[1], n_classes), np.float32)
    bias = np.full(n_classes, -30.0, np.float32)
    weights[:, model.classes_] = coefficients.T
    bias[model.classes_] = intercepts
    return weights, bias


WAYS: dict[str, FitMethod] = {
    "category": FitMethod(
        lambda is_sparse: MARGIN_STRENGTHS if is_sparse else LOGISTIC_STRENGTHS,
        UNCHOSEN_STRENGTH,
        lambda metric: ("",),
        _fitted,
        best_of,
    ),
    "number": FitMethod(ridge.strengths, ridge.SPARSE_STRENGTHS[0], ridge.losses, ridge.solve, _best_scored),
    "tags": FitMethod(
        tagging.strengths, tagging.SPARSE_STRENGTHS[0], lambda metric: ("",), tagging.solve, _best_scored
    ),
}
"""Kind of the output -> how it is fitted."""
