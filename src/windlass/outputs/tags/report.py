"""What the report says of tags: each tag, calibration, tags that may be missing in the data; what to do next."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from windlass.metrics.measures import Estimate, Marks, Threshold, wilson
from windlass.metrics.tags import TagMarks
from windlass.outputs.contract import Shown
from windlass.outputs.tags.measures import tag_marks_of
from windlass.pages.html import sections
from windlass.pages.html.sections import EXAMPLE_LIMIT, Section, label, table
from windlass.pages.text.advice import few_rows
from windlass.pages.text.candidates import chosen
from windlass.pages.text.classes import ClassScore, confidence_bins
from windlass.pages.text.words import NOTHING, count, escaped, interval, number, percent, quoted, share

MISSING_FROM = 0.9
"""The probability from which on a tag that a row does not have may have been forgotten."""
N_SHOWN, MOST_TAGS = 10, 200


@dataclass(frozen=True)
class Forgotten:
    """A tag that a test row does not have although it is likely. share: 0-1, by a model that has not seen the row."""

    row: int
    tag: str
    share: float


def report_sections(shown: Shown) -> list[Section]:
    """Those of the report, in its order."""
    marks, best = tag_marks_of(shown.marks), chosen(shown.board)
    error = best.calibration_error if best else marks.calibration_error
    return [
        Section("tags", "Each tag", _each_tag(marks)),
        Section("calibration", "Can the confidence be trusted?", _calibration(marks, error)),
        Section("forgotten", "Tags that may be missing in the data", _forgotten(marks, shown.examples)),
        Section("mistakes", "Rows with the most wrong tags", _worst(marks, shown.examples)),
    ]


def tag_scores(marks: TagMarks) -> list[ClassScore]:
    """Precision, recall and F1 of each tag on the test rows, with intervals."""
    found = []
    for place, name in enumerate(marks.labels):
        truth, said = marks.targets[:, place], marks.answers[:, place]
        hits, right, given = (float(each.sum()) for each in (truth & said, truth, said))
        overlap = wilson(hits, right + given - hits)
        f1 = Estimate(*(2 * each / (1 + each) for each in (overlap.value, overlap.low, overlap.high)))
        found.append(ClassScore(name, wilson(hits, given), wilson(hits, right), f1, int(right)))
    return found


def forgotten(marks: TagMarks) -> list[Forgotten]:
    """Tags that rows do not have although they are likely, the likeliest first."""
    rows, places = np.nonzero(~marks.targets & (marks.probabilities >= MISSING_FROM))
    found = [
        Forgotten(int(row), marks.labels[place], float(marks.probabilities[row, place]))
        for row, place in zip(rows, places, strict=True)
    ]
    return sorted(found, key=lambda each: -each.share)


def _each_tag(marks: TagMarks) -> str:
    scores, ranked = tag_scores(marks), marks.average_precisions()
    order = sorted(range(len(scores)), key=lambda at: (scores[at].rows == 0, number(scores[at].f1.value) or 0.0))
    rows = [
        [
            label(scores[at].label),
            *(interval(each) for each in (scores[at].f1, scores[at].precision, scores[at].recall)),
            share(float(ranked[at])),
            NOTHING if marks.thresholds[at] > 1 else share(float(marks.thresholds[at])),
            count(scores[at].rows),
        ]
        for at in order[:MOST_TAGS]
    ]
    heads = [("tag", "name"), ("F1", "n"), ("precision", "n"), ("recall", "n"), ("average precision", "n"),
             ("said from", "n"), ("test rows", "n")]  # fmt: skip
    rest = f'<p class="quiet">and {count(len(order) - MOST_TAGS)} tags more</p>' if len(order) > MOST_TAGS else ""
    return (
        '<p class="quiet">Shares 0–1 on the test rows with 95 % score intervals (Wilson 1927), the weakest first. A '
        "tag is said from that probability on with which the goal is best on validation rows; average precision needs "
        "none."
        f"</p>{table(heads, rows)}{rest}"
    )


def _calibration(marks: TagMarks, error: float | None) -> str:
    if marks.confidence is None:
        return ""
    shares = np.stack([1 - marks.confidence, marks.confidence], axis=1)
    bins = confidence_bins(marks.right.astype(int), shares, threshold=Threshold(1, 0.0))
    note = '<p class="quiet">The confidence is how likely all tags of an answer are right, and no other is.</p>'
    return note + sections.calibration(bins, error)


def _forgotten(marks: TagMarks, examples: Sequence[str]) -> str:
    found = forgotten(marks)
    if not found:
        return f"<p>No test row lacks a tag that has a probability of {percent(MISSING_FROM)} or more.</p>"
    rows = [[_example(each.row, examples), label(each.tag), percent(each.share)] for each in found[:N_SHOWN]]
    heads = [("test row", "text"), ("tag that it lacks", "name"), ("probability", "n")]
    expected = sum(1 - each.share for each in found)
    return (
        f"<p>{count(len(found))} tags are not in the data although the model, which has not seen these rows, gives "
        f"them {percent(MISSING_FROM)} or more; were all probabilities right, {expected:.1f} tags would rightly be "
        "absent. People forget tags more often than they invent them: read these rows.</p>"
        f"{table(heads, rows, 'plain stack')}"
    )


def _worst(marks: TagMarks, examples: Sequence[str]) -> str:
    wrong = (marks.answers != marks.targets).sum(axis=1)
    order = [int(row) for row in np.argsort(-wrong, kind="stable") if wrong[row]][:N_SHOWN]
    rows = [
        [_example(row, examples), _tags(marks, marks.targets[row]), _tags(marks, marks.answers[row])] for row in order
    ]
    heads = [("test row", "text"), ("tags in the data", "text"), ("answer", "text")]
    return table(heads, rows, "plain stack") if rows else "<p>No mistakes.</p>"


def _tags(marks: TagMarks, chosen: np.ndarray) -> str:
    return ", ".join(label(marks.labels[place]) for place in np.flatnonzero(chosen)) or NOTHING


def _example(row: int, examples: Sequence[str]) -> str:
    words = escaped(examples[row], EXAMPLE_LIMIT) if row < len(examples) else f"test row {row}"
    return f'<span dir="auto">{words or NOTHING}</span>'


def advice(marks: Marks, misses: bool) -> list[str]:
    """The weakest tag where the goal is missed, tags that may have been forgotten, and those with few test rows."""
    found = tag_marks_of(marks)
    scores, absent = tag_scores(found), forgotten(found)
    steps = []
    seen = [score for score in scores if score.rows]
    if misses and seen:
        weak = min(seen, key=lambda score: number(score.f1.value) or 0.0)
        steps.append(
            f"Look at {quoted(weak.label)} first: its F1 is {interval(weak.f1)} on {count(weak.rows)} test rows. More "
            "rows with it help most there."
        )
    if absent:
        names = ", ".join(quoted(name, 24) for name in dict.fromkeys(each.tag for each in absent[:N_SHOWN]))
        steps.append(
            f"Read the {count(len(absent))} test rows that lack a tag with {percent(MISSING_FROM)} or more ({names}), "
            "and add the tags that were forgotten; train rows lack as many in proportion."
        )
    return [*steps, *few_rows(scores)]
