"""What the report says of boxes: classes, what sort of mistakes there are, and pictures with boxes drawn on them."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set

import numpy as np

from windlass.kinds import boxes
from windlass.kinds import table as kinds
from windlass.kinds.boxes import LABEL
from windlass.metrics.detection import BOX_RECALL, MAP, Found
from windlass.metrics.measures import Marks
from windlass.outputs.boxes.drawing import drawn, key, labelled
from windlass.outputs.boxes.measures import box_marks
from windlass.outputs.contract import Shown
from windlass.pages.html.sections import Section, label, table
from windlass.pages.text.words import escaped, share
from windlass.predictors.detection.heatmap import right_of
from windlass.records import Row
from windlass.spec import Spec

N_SHOWN, N_WORST, MOST_NAMED = 16, 8, 16
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
    """Sixteen pictures with the boxes that they came with, the rarest classes among them, from all splits."""
    picture, output = next(iter(spec.inputs)), spec.output_column
    rows = [(name, row, boxes.truth(row[output])) for name, part in splits.items() for row in part]
    counts = Counter(thing[LABEL] for _, _, things in rows for thing in things)
    classes = sorted(counts, key=lambda name: (-counts[name], name))
    chosen = _telling([{thing[LABEL] for thing in things} for _, _, things in rows], classes)
    found = []
    for split, row, things in (rows[place] for place in chosen):
        svg = labelled(row[picture], right_of(things, classes), classes)
        said = f"{split}: {label(str(row[picture]).rpartition('/')[2])}<br>{escaped(boxes.brief(row[output]), 80)}"
        found += [f"<figure>{svg}<figcaption>{said}</figcaption></figure>"] if svg else []
    words = f'<p class="quiet">{len(found)} of {len(rows):,} pictures. Do the boxes lie where the things are?</p>'
    return [Section("seen", "Pictures with their boxes",
                    f'{words}{key(classes[:MOST_NAMED])}<div class="pictures">{"".join(found)}</div>')]  # fmt: skip


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
