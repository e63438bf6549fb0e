"""What the report says of masks: classes, and pictures with masks drawn on them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from windlass.kinds import table as kinds
from windlass.kinds.boxes import LABEL, elements
from windlass.metrics.measures import Marks
from windlass.outputs.boxes.drawing import key
from windlass.outputs.boxes.report import N_SHOWN, N_WORST, labelled_pictures
from windlass.outputs.contract import Shown
from windlass.outputs.masks.drawing import drawn
from windlass.outputs.masks.measures import mask_marks
from windlass.pages.html.sections import Section, label, table
from windlass.pages.text.words import share
from windlass.records import Row
from windlass.spec import Spec

FEW = 10
"""Test pictures with a class of which the test says little."""
FAR = 0.5


def report_sections(shown: Shown) -> list[Section]:
    """Those of the report, in its order."""
    marks = mask_marks(shown.marks)
    if not len(marks):
        return []
    evenly = np.unique(np.linspace(0, len(marks) - 1, min(N_SHOWN, len(marks))).astype(int)).tolist()
    worst = [place for place in np.argsort(marks.each, kind="stable")[:N_WORST].tolist() if marks.each[place] < 1]
    return [
        Section("classes", "Classes", _classes(shown)),
        Section("seen", "Pictures with their masks", _pictures(shown, evenly)),
        Section("worst", "Pictures with most mistakes", _pictures(shown, worst)),
    ]


def _classes(shown: Shown) -> str:
    marks = mask_marks(shown.marks)
    hits, wrong, missed = marks.things[:, :, :, 0].sum(axis=0)
    n_pictures = (marks.pixels[:, 2] > 0).sum(axis=0)
    lines = [
        [
            label(name), str(int(n_pictures[number])), share(dice), share(iou), str(int(hits[number] + missed[number])),
            str(int(hits[number])), str(int(missed[number])), str(int(wrong[number])),
        ]
        for number, (name, dice, iou) in enumerate(zip(marks.classes, marks.dice(), marks.iou(), strict=True))
    ]  # fmt: skip
    heads = [("class", ""), ("pictures", "n"), ("Dice", "n"), ("IoU", "n"), ("things", "n"), ("found", "n"),
             ("missed", "n"), ("found where none is", "n")]  # fmt: skip
    return table(heads, lines)


def _pictures(shown: Shown, places: list[int]) -> str:
    marks = mask_marks(shown.marks)
    name = next((name for name, kind in shown.inputs.items() if kinds.get(kind).is_picture), "")
    if not name or not shown.rows or not places:
        return ""
    found = [drawn(shown.rows[n][name], marks.right[n], marks.given[n], marks.classes) for n in places]
    words = '<p class="quiet">Found masks are coloured, outlines of right ones are white.</p>'
    return f'{words}{key(marks.classes)}<div class="pictures">{"".join(found)}</div>'


def data_sections(splits: Mapping[str, Sequence[Row]], spec: Spec) -> list[Section]:
    """Pictures with the masks that they came with."""

    def draw(picture: Any, value: Any, classes: Sequence[str]) -> str:
        things = [thing for thing in elements(value) or () if thing[LABEL] in classes]
        return drawn(picture, [], things, classes, f"{len(things)} things")

    return [Section("seen", "Pictures with their masks", labelled_pictures(splits, spec, draw))]


def remarks(marks: Marks, metric: str) -> list[str]:
    """Classes of which the test says little."""
    found = mask_marks(marks)
    few = [name for name, count in zip(found.classes, (found.pixels[:, 2] > 0).sum(axis=0), strict=True) if count < FEW]
    return [f"fewer than {FEW} test pictures of {', '.join(repr(name[:40]) for name in few[:4])}"] if few else []


def advice(marks: Marks, misses: bool) -> list[str]:
    """What to do next."""
    found = mask_marks(marks)
    known = [(value, name) for value, name in zip(found.dice(), found.classes, strict=True) if value == value]
    said = []
    if known and misses:
        said.append(f"Label more pictures with '{min(known)[1][:40]}': it is found worst (Dice {min(known)[0]:.2f}).")
    if float(found.each.mean()) < FAR:
        said.append("Give it more minutes: most pixels are not found yet.")
    return said or ["Look at the pictures with most mistakes: are masks missing among the right ones?"]
