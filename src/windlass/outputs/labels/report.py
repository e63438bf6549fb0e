"""What the report says of labels: what is confused with what, calibration, mistakes, each label; what to do next."""

from windlass.metrics.measures import LabelMarks, Marks, confusion
from windlass.outputs.contract import Shown
from windlass.pages.html import sections
from windlass.pages.html.sections import Section
from windlass.pages.text.advice import few_rows, weakest
from windlass.pages.text.candidates import chosen
from windlass.pages.text.classes import class_scores, confidence_bins, confident_mistakes, confused_pairs


def report_sections(shown: Shown) -> list[Section]:
    """Those of the report, in its order."""
    marks, best = shown.marks, chosen(shown.board)
    assert isinstance(marks, LabelMarks)
    labels = list(marks.labels)
    matrix = confusion(marks.targets, marks.answers, len(labels))
    bins = confidence_bins(marks.targets, marks.probabilities, threshold=marks.threshold)
    wrong = confident_mistakes(marks.targets, marks.probabilities, threshold=marks.threshold)
    error = best.calibration_error if best else None
    return [
        Section("confusion", "What is confused with what", sections.confusions(matrix, labels)),
        Section("calibration", "Can the confidence be trusted?", sections.calibration(bins, error)),
        Section("mistakes", "Most confident mistakes", sections.mistakes(wrong, labels, list(shown.examples))),
        Section("labels", "Each label", sections.per_class(class_scores(matrix, labels))),
    ]


def advice(marks: Marks, misses: bool) -> list[str]:
    """What to look at first, where the goal is missed, and which labels have few test rows."""
    assert isinstance(marks, LabelMarks)
    labels = list(marks.labels)
    matrix = confusion(marks.targets, marks.answers, len(labels))
    scores = class_scores(matrix, labels)
    return [*(weakest(scores, confused_pairs(matrix, labels, 25)) if misses else []), *few_rows(scores)]
