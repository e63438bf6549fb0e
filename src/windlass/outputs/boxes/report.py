"""What the report says of boxes: classes, what sort of mistakes there are, and pictures with boxes drawn on them."""

import numpy as np

from windlass.kinds import table as kinds
from windlass.metrics import counting
from windlass.metrics.detection import BOX_RECALL, MAP, BoxMarks, Found
from windlass.metrics.detection_errors import BACKGROUND, BOTH, CLASS, DUPLICATE, MISSED, PLACE, mistakes
from windlass.metrics.measures import Marks
from windlass.outputs.boxes.drawing import drawn, key
from windlass.outputs.boxes.measures import box_marks
from windlass.outputs.contract import Shown
from windlass.pages.html.sections import Section, label, table
from windlass.pages.text.words import escaped, percent, share
from windlass.records import Json

N_SHOWN, N_WORST = 16, 8
FEW_FOUND = 0.7


def report_sections(shown: Shown) -> list[Section]:
    """Those of the report, in its order."""
    marks = box_marks(shown.marks)
    if not len(marks):
        return []
    evenly = np.unique(np.linspace(0, len(marks) - 1, min(N_SHOWN, len(marks))).astype(int)).tolist()
    worst = [place for place in np.argsort(marks.each, kind="stable")[:N_WORST].tolist() if marks.each[place] < 1]
    return [
        Section("classes", "Classes", _classes(shown)),
        Section("mistakes", "What sort of mistakes", _mistakes(marks)),
        Section("seen", "Pictures with their boxes", _pictures(shown, evenly)),
        Section("worst", "Pictures with most mistakes", _pictures(shown, worst)),
    ]


def _classes(shown: Shown) -> str:
    marks = box_marks(shown.marks)
    lines = []
    for number, name in enumerate(marks.classes):
        hits, wrong, there = marks.by_class[number].counts(marks.thresholds[number], marks.weights(None))
        lines.append([
            label(name), str(int(there)), str(int(hits)), str(int(there - hits)), str(int(wrong)),
            share(marks.average_precision(number)), share(marks.average_precision(number, MAP)),
            f"{marks.thresholds[number]:.2f}",
        ])  # fmt: skip
    heads = [("class", ""), ("there", "n"), ("found", "n"), ("missed", "n"), ("found where none is", "n"),
             ("AP50", "n"), ("AP50-95", "n"), ("given from score", "n")]  # fmt: skip
    return table(heads, lines)


MEANINGS = {
    CLASS: "a box at the right place, with another class",
    PLACE: "the right class, but it overlaps its thing by a tenth to a half",
    BOTH: "near a thing, and neither its place nor its class is right",
    DUPLICATE: "a second box on what another one has found",
    BACKGROUND: "a box where nothing is",
    MISSED: "a thing without a box",
}


def _mistakes(marks: BoxMarks) -> str:
    """Of the boxes that are given: each sort with its share of all mistakes."""
    found = mistakes(marks)
    whole = sum(found.values())
    if not whole:
        return '<p class="quiet">There are none on the test pictures.</p>'
    lines = [[label(name), str(n), share(n / whole), escaped(MEANINGS[name])] for name, n in found.items()]
    heads = [("mistake", ""), ("boxes", "n"), ("of all mistakes", "n"), ("what it is", "text")]
    said = f"On {len(marks):,} test pictures, at the scores from which on a box is given."
    return table(heads, lines) + f'<p class="quiet">{said}</p>' + _counted(marks)


def _counted(marks: BoxMarks) -> str:
    """How far counts are off, and how often they lie in their intervals."""
    if marks.count_inside is None:
        return ""
    exact = int((marks.n_given.sum(axis=1) == marks.n_there.sum(axis=1)).sum())
    return (
        f'<p class="quiet">The number of boxes is right on {exact:,} of {len(marks):,} test pictures, and lies in its '
        f"interval (made for {percent(counting.SHARE)}) on {percent(float(marks.count_inside.mean()))}.</p>"
    )


def details(marks: Marks) -> Json:
    """For those who compute with the board, as `plan` does: the mistakes of each sort, the classes, the counts."""
    found = box_marks(marks)
    inside = found.count_inside
    counts = {} if inside is None else {"counts_in_interval": float(inside.mean()) if len(inside) else None}
    return {"mistakes": mistakes(found), "classes": [_class(found, n) for n in range(len(found.classes))], **counts}


def _class(marks: BoxMarks, number: int) -> Json:
    hits, wrong, there = marks.by_class[number].counts(marks.thresholds[number], marks.weights(None))
    precision = marks.average_precision(number)
    return {
        "name": marks.classes[number],
        "ap50": precision if precision == precision else None,
        "boxes": int(there),
        "found": hits / there if there else 0.0,
        "wrong": int(wrong),
    }


def _pictures(shown: Shown, places: list[int]) -> str:
    marks = box_marks(shown.marks)
    name = next((name for name, kind in shown.inputs.items() if kinds.get(kind).is_picture), "")
    if not name or not shown.rows or not places:
        return ""
    found = [drawn(shown.rows[n][name], marks.right[n], _given(marks.given[n], marks.thresholds), marks.classes)
             for n in places]  # fmt: skip
    words = '<p class="quiet">Found boxes are drawn in full, right ones dashed; a box says its class and score.</p>'
    return f'{words}{key(marks.classes)}<div class="pictures">{"".join(found)}</div>'


def _given(found: Found, thresholds: np.ndarray) -> Found:
    kept = found.scores >= thresholds[found.classes]
    return Found(*(part[kept] for part in found))


def remarks(marks: Marks, metric: str) -> list[str]:
    """Classes of which the test says little."""
    found = box_marks(marks)
    few = [name for name, count in zip(found.classes, found.n_there.sum(axis=0), strict=True) if count < 30]
    return [f"fewer than 30 test boxes of {', '.join(repr(name[:40]) for name in few[:4])}"] if few else []


def advice(marks: Marks, misses: bool) -> list[str]:
    """What to do next."""
    found = box_marks(marks)
    scores = [found.average_precision(number) for number in range(len(found.classes))]
    known = [(score, name) for score, name in zip(scores, found.classes, strict=True) if score == score]
    said = []
    if known and misses:
        said.append(f"Label more pictures with '{min(known)[1][:40]}': it is found worst (AP50 {min(known)[0]:.2f}).")
    if found.value(BOX_RECALL) < FEW_FOUND:
        said.append("Give it more minutes: many boxes are not found yet.")
    return said or ["Look at the pictures with most mistakes: are boxes missing among the right ones?"]
