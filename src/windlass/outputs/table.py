"""The one table of outputs, and what is asked of the output of a spec."""

from collections.abc import Callable, Sequence
from importlib import import_module

from windlass.errors import SpecError, did_you_mean, expected
from windlass.goals import Goal, parse_goal
from windlass.metrics.citations import N_RANKED
from windlass.metrics.recommendations import COVERAGE, TAIL
from windlass.outputs.contract import Output, Why
from windlass.predictors.contract import Predictor
from windlass.records import Explanation, Json, Row
from windlass.spec import Spec

MOST_SENTENCES = 50
"""Of a summary."""


def _of(folder: str) -> Callable[[], Output]:
    """An output whose modules are imported when it is first asked for: a product has one of them."""

    def output() -> Output:
        found: Output = import_module(f"windlass.outputs.{folder}.output").OUTPUT
        return found

    return output


OUTPUTS: dict[str, Callable[[], Output]] = {
    "category": _of("labels"),
    "text": _of("texts"),
    "number": _of("numbers"),
    "forecast": _of("forecasts"),
    "tags": _of("tags"),
    "anomaly": _of("anomalies"),
    "cited": _of("cited"),
    "boxes": _of("boxes"),
    "masks": _of("masks"),
    "items": _of("items"),
}


def get(kind: str) -> Output:
    """The output of a kind. Raises: SpecError: answers cannot be of this kind."""
    if kind not in OUTPUTS:
        raise SpecError(f"output is '{kind}', expected {expected(OUTPUTS)}", did_you_mean(kind, OUTPUTS))
    return OUTPUTS[kind]()


def of(spec: Spec) -> Output:
    """The output of a spec. Raises: SpecError: its kind cannot be answered."""
    kind = spec.output[spec.output_column]
    if kind not in OUTPUTS:
        raise SpecError(f"output '{spec.output_column}' is '{kind}', expected {expected(OUTPUTS)}")
    return OUTPUTS[kind]()


def goal(spec: Spec) -> Goal:
    """What decides between candidates: the spec's goal, else the headline metric of the output. Raises: SpecError."""
    output, stated = of(spec), parse_goal(spec.goal)
    known = output.metrics
    if stated.metric and stated.metric not in known:
        raise SpecError(
            f"goal asks for '{stated.metric}' of an output that is '{output.kind}', expected {expected(known)}",
            did_you_mean(stated.metric, known),
        )
    if spec.unit and not output.has_unit:
        raise SpecError(
            f"'unit' is '{spec.unit}' and output '{spec.output_column}' is {output.kind}, expected a number"
        )
    if spec.documents and not output.cites:
        raise SpecError(
            f"'documents' is '{spec.documents}' and output '{spec.output_column}' is {output.kind}, expected cited",
            f"`output: {{{spec.output_column}: cited}}`",
        )
    for name in (COVERAGE, TAIL):
        if getattr(spec.limits, name) is not None and name not in known:
            raise SpecError(
                f"'limits.{name}' is set and output '{spec.output_column}' is {output.kind}, expected items"
            )
    output.check(spec, stated)
    metric = stated.metric or output.headline(spec)
    return Goal(metric=metric, bound=stated.bound, unit=spec.units.get(metric, ""))


def learned_metric(spec: Spec) -> str:
    """What learners look at while they learn: the goal's metric, or another one where that would take too long."""
    return of(spec).learned(goal(spec).metric)


def explain(predictor: Predictor, rows: Sequence[Row], why: Why = Why()) -> list[Explanation]:
    """One explanation a row, in order.

    Raises: DataError: a row cannot be read, or the answer to explain is unknown. NotReady: nothing is known of why, or
            the time is over.
    """
    output = get(predictor.manifest.output.kind)
    return [output.explain(predictor, row, number, why) for number, row in enumerate(rows)]


def search(spec: Spec, predictor: Predictor, words: str, k: int) -> list[Json]:
    """The k best passages for some words. Raises: SpecError: answers cite nothing, or k is out of range."""
    found = of(spec).search
    if found is None:
        raise _no_documents(spec.output_column, "search")
    if not 1 <= k <= N_RANKED:
        raise SpecError(f"k is {k}, expected 1 to {N_RANKED}")
    return found(predictor, [dict.fromkeys(spec.inputs, words)], k)[0]


def summarise(predictor: Predictor, document: str, n_best: int) -> Json:
    """The sentences that stand for a document. Raises: SpecError: answers cite nothing, or n_best is out of range."""
    found = get(predictor.manifest.output.kind).summarise
    if found is None:
        raise _no_documents(predictor.manifest.output.name, "summarise")
    if not 1 <= n_best <= MOST_SENTENCES:
        raise SpecError(f"n is {n_best}, expected 1 to {MOST_SENTENCES} sentences")
    return found(predictor, document, n_best)


def report_on(predictor: Predictor, topics: Sequence[str]) -> list[Json]:
    """Of each topic or question: topic, its answer, and what documents say of it.

    Raises: SpecError: answers cite nothing, or a topic is empty.
    """
    found, inputs = get(predictor.manifest.output.kind).spoken_of, [each.name for each in predictor.manifest.inputs]
    if found is None:
        raise _no_documents(predictor.manifest.output.name, "report on")
    if not topics or not all(topic.strip() for topic in topics):
        raise SpecError("a topic is empty, expected some words or a question")
    answers = predictor.answer([dict.fromkeys(inputs, topic) for topic in topics])
    return [
        {"topic": topic, "answer": answer.value, "documents": found(predictor, topic)}
        for topic, answer in zip(topics, answers, strict=True)
    ]


def _no_documents(name: str, what: str) -> SpecError:
    return SpecError(f"output '{name}' is no cited answer, expected documents to {what}")
