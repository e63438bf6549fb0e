"""What sort of mistake each wrong box is, and which right ones are missed.

Of the boxes that are given, one that takes no right box is, in this order:
    place       it overlaps one of its class by a tenth, and by no more than a half
    class       it overlaps one of another class by a half
    duplicate   it overlaps one of its class by a half that a surer box has taken
    background  it overlaps none by more than a tenth
    both        all else: neither its class nor its place is right
A right box that none takes is missed, unless it is the one that a mistake of place or class was meant for.
Source: Bolya et al. 2020, arXiv:2008.08115 (TIDE), section 2.2 and its code; there of boxes of all scores.
"""

from collections import Counter

import numpy as np

from windlass.metrics.detection import OVERLAPS, BoxMarks, Found, matched, overlaps
from windlass.metrics.measures import Array

CLASS, PLACE, BOTH, DUPLICATE, BACKGROUND, MISSED = "class", "place", "both", "duplicate", "background", "missed"
MISTAKES = (CLASS, PLACE, BOTH, DUPLICATE, BACKGROUND, MISSED)
ENOUGH, SOME = OVERLAPS[0], 0.1


def mistakes(marks: BoxMarks) -> dict[str, int]:
    """How many of each sort there are among the boxes that are given, and are missing."""
    found: Counter[str] = Counter()
    for given, right in zip(marks.given, marks.right, strict=True):
        kept = given.scores >= marks.thresholds[given.classes]
        found.update(of_picture(Found(*(part[kept] for part in given)), right))
    return {name: found[name] for name in MISTAKES}


def of_picture(given: Found, right: Found) -> list[str]:
    """The mistakes on one picture. Boxes on a crowd are neither right nor wrong."""
    order = np.argsort(-given.scores, kind="mergesort")
    given = Found(*(part[order] for part in given))
    is_crowd = right.scores > 0
    takes, on_crowd = _matched(given, right, is_crowd)
    likeness = np.where(is_crowd, 0.0, overlaps(given.boxes, right.boxes))
    own = given.classes[:, None] == right.classes[None, :]
    meant = set(takes[takes >= 0].tolist())
    found = []
    for place in np.flatnonzero((takes < 0) & ~on_crowd).tolist():
        name, target = _sort(likeness[place], own[place])
        found.append(name)
        meant.update([target] if target is not None else [])
    missed = [number for number in np.flatnonzero(~is_crowd).tolist() if number not in meant]
    return found + [MISSED] * len(missed)


def _matched(given: Found, right: Found, is_crowd: Array) -> tuple[Array, Array]:
    """Which right box each given one takes, (n,) int, -1 = none; and whether it lies on a crowd, (n,) bool."""
    takes, on_crowd = np.full(len(given.classes), -1), np.zeros(len(given.classes), bool)
    for label in np.unique(given.classes).tolist():
        mine, theirs = np.flatnonzero(given.classes == label), np.flatnonzero(right.classes == label)
        likeness = overlaps(given.boxes[mine], right.boxes[theirs], is_crowd[theirs])
        taken, ignored = (each[0] for each in matched(likeness, is_crowd[theirs], OVERLAPS[:1]))
        hit = (taken >= 0) & ~ignored
        takes[mine[hit]] = theirs[taken[hit]]
        on_crowd[mine[ignored]] = True
    return takes, on_crowd


def _sort(likeness: Array, own: Array) -> tuple[str, int | None]:
    """The sort of mistake, and the right box that was meant. likeness: (m,) with all right boxes; own: (m,) of its
    class."""
    if not len(likeness):
        return BACKGROUND, None
    same, other = np.where(own, likeness, 0.0), np.where(own, 0.0, likeness)
    if SOME <= same.max() < ENOUGH:
        return PLACE, int(same.argmax())
    if other.max() >= ENOUGH:
        return CLASS, int(other.argmax())
    if same.max() >= ENOUGH:
        return DUPLICATE, None
    return (BACKGROUND, None) if likeness.max() <= SOME else (BOTH, None)
