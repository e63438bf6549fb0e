"""What the report says of boxes: classes, what sort of mistakes there are, and pictures with boxes drawn on them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

import numpy as np

from windlass.kinds import boxes
from windlass.kinds import table as kinds
from windlass.kinds.boxes import LABEL, SCORE
from windlass.kinds.things import labels_of
from windlass.metrics.costs import COST
from windlass.metrics.detection import BOX_RECALL, MAP, MOST_FOUND, SIZES, Found
from windlass.metrics.measures import Marks
from windlass.outputs.boxes import mistakes
from windlass.outputs.boxes.drawing import drawn, key, labelled
from windlass.outputs.boxes.measures import box_marks
from windlass.outputs.contract import Shown
from windlass.pages.html.sections import Section, label, table
from windlass.pages.text.words import escaped, share
from windlass.predictors.detection.heatmap import right_of
from windlass.records import Json, Row
from windlass.spec import Spec

N_SHOWN, N_WORST, MOST_NAMED = 16, 8, 16
UNKNOWN = "–"
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
        Section("mistakes", "What sort of mistakes", mistakes.section(marks)),
        *([Section("costs", "What mistakes cost", _costs(shown))] if marks.costs is not None else []),
        Section("seen", "Pictures with their boxes", _pictures(shown, evenly)),
        Section("worst", "Pictures with most mistakes", _pictures(shown, worst)),
        Section("missing", "Things that nobody may have drawn", _missing(shown)),
    ]


def _classes(shown: Shown) -> str:
    marks = box_marks(shown.marks)
    lines = []
    for number, name in enumerate(marks.classes):
        hits, wrong, there = marks.by_class[number].counts(marks.thresholds[number], marks.weights(None))
        lines.append([
            label(name), str(int(there)), str(int(hits)), str(int(there - hits)), str(int(wrong)),
            share(marks.average_precision(number)), share(marks.average_precision(number, MAP)),
            *(_known(marks.average_precision(number, size=size)) for size in SIZES),
            f"{marks.thresholds[number]:.2f}",
        ])  # fmt: skip
    heads = [("class", ""), ("there", "n"), ("found", "n"), ("missed", "n"), ("found where none is", "n"),
             ("AP50", "n"), ("AP50-95", "n"), *((f"AP50 {size}", "n") for size in SIZES),
             ("given from score", "n")]  # fmt: skip
    sides = [int(area[1] ** 0.5) for area in SIZES.values()]
    words = (
        f"AP as COCO measures it, the {MOST_FOUND} surest boxes of a class on a picture (maxDets {MOST_FOUND}); small "
        f"is up to {sides[0]} × {sides[0]} pixels, medium up to {sides[1]} × {sides[1]}."
    )
    gap = marks.calibration_error
    if gap is not None:
        words += f" A score is how likely a box is right, off by {share(gap)} on average (D-ECE of the boxes given)."
    return f'<p class="quiet">{words}</p>' + table(heads, lines, "plain stack")


def _known(value: float) -> str:
    return UNKNOWN if np.isnan(value) else share(value)


def _costs(shown: Shown) -> str:
    """The band of each class, and what its mistakes have cost."""
    marks = box_marks(shown.marks)
    costs = marks.costs
    assert costs is not None
    unit = f" {escaped(costs.unit, 16)}" if costs.unit else ""
    lines = []
    for number, (name, (low, high)) in enumerate(zip(marks.classes, costs.bands, strict=True)):
        band = f"{low:.2f} – {high:.2f}" if high > low else UNKNOWN
        spent = float(marks.class_costs(number, low, high).mean())
        prices = [f"{side[number]:g}{unit}" for side in (costs.miss, costs.false_alarm)]
        lines.append([label(name), *prices, f"{low:.2f}", band, f"{spent:.3g}{unit}"])
    heads = [("class", ""), ("a miss", "n"), ("a false alarm", "n"), ("given from score", "n"),
             ("to a person between", "n"), ("cost of a picture", "n")]  # fmt: skip
    look = f" A person's look at a box costs {costs.review:g}{unit}." if costs.review is not None else ""
    total = f"{marks.value(COST):.3g}{unit}"
    words = f"<p>Mistakes and looks cost {total} a picture on the test pictures.{look}</p>"
    return words + table(heads, lines, "plain stack")


def _missing(shown: Shown) -> str:
    """Train pictures on which the model is sure of boxes that are not drawn."""
    marks = box_marks(shown.marks)
    name = next((name for name, kind in shown.inputs.items() if kinds.get(kind).is_picture), "")
    if not shown.suspected or not name:
        return ""
    n_boxes = sum(len(each.found) for each in shown.suspected)
    found = [drawn(each.row[name], _placed(boxes.truth(each.right), marks.classes), _placed(each.found, marks.classes),
                   marks.classes) for each in shown.suspected[:N_SHOWN]]  # fmt: skip
    words = (
        f"<p>On {len(shown.suspected):,} train pictures the model is sure of {n_boxes:,} boxes (drawn in full) where "
        "no right one lies (dashed): add what was left out, and it will learn more. The surest first.</p>"
    )
    return f'{words}{key(marks.classes)}<div class="pictures">{"".join(found)}</div>'


def _placed(things: Any, classes: Sequence[str]) -> Found:
    """With their scores, where they have one."""
    known = [thing for thing in things if thing[LABEL] in classes]
    right = right_of(known, classes)
    return right._replace(scores=np.array([float(thing.get(SCORE, 0.0)) for thing in known]))


def details(marks: Marks) -> Json:
    """Average precision of each class, and of its things of each size, as JSON; null where there are none."""
    found = box_marks(marks)

    def known(value: float) -> float | None:
        return None if np.isnan(value) else round(value, 6)

    return {
        "most_found": MOST_FOUND,
        **mistakes.details(found),
        "classes": {
            name: {
                "ap50": known(found.average_precision(number)),
                "ap50_95": known(found.average_precision(number, MAP)),
                **mistakes.of_class(found, number),
                **{f"ap50_{size}": known(found.average_precision(number, size=size)) for size in SIZES},
            }
            for number, name in enumerate(found.classes)
        },
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


def data_sections(splits: Mapping[str, Sequence[Row]], spec: Spec) -> list[Section]:
    """Pictures with the boxes that they came with."""

    def draw(picture: Any, value: Any, classes: Sequence[str]) -> str:
        return labelled(picture, right_of(boxes.truth(value), classes), classes)

    return [Section("seen", "Pictures with their boxes", labelled_pictures(splits, spec, draw))]


def labelled_pictures(
    splits: Mapping[str, Sequence[Row]], spec: Spec, draw: Callable[[Any, Any, Sequence[str]], str]
) -> str:
    """Sixteen pictures with the things that they came with, the rarest classes among them, from all splits, as HTML.

    draw(picture, value, classes) -> SVG; '' where the picture cannot be read.
    """
    picture, output = next(iter(spec.inputs)), spec.output_column
    rows = [(name, row, labels_of(row[output])) for name, part in splits.items() for row in part]
    counts = Counter(name for _, _, names in rows for name in names)
    classes = sorted(counts, key=lambda name: (-counts[name], name))
    found = []
    for split, row, _ in (rows[place] for place in _telling([set(names) for _, _, names in rows], classes)):
        brief = escaped(kinds.get(spec.output[output]).brief(row[output]), 80)
        said = f"{split}: {label(str(row[picture]).rpartition('/')[2])}<br>{brief}"
        svg = draw(row[picture], row[output], classes)
        found += [f"<figure>{svg}<figcaption>{said}</figcaption></figure>"] if svg else []
    words = f'<p class="quiet">{len(found)} of {len(rows):,} pictures. Is drawn what is there, and where it is?</p>'
    return f'{words}{key(classes[:MOST_NAMED])}<div class="pictures">{"".join(found)}</div>'


def _telling(held: Sequence[Set[str]], classes: Sequence[str]) -> list[int]:
    """Sixteen places in order: one for each of the rarest classes, an empty one, and the others evenly from all."""
    wanted = [
        next(place for place, names in enumerate(held) if name in names) for name in classes[::-1][: N_SHOWN // 2]
    ]
    wanted += [place for place, names in enumerate(held) if not names][:1]
    evenly = np.unique(np.linspace(0, max(0, len(held) - 1), min(N_SHOWN, len(held))).astype(int)).tolist()
    rest = [place for place in [*evenly, *range(len(held))] if place not in wanted]
    return sorted([*dict.fromkeys([*wanted, *rest])][:N_SHOWN])


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
