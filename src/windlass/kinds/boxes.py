"""Things in a picture: each a class name and a box, in pixels of the upright picture; an empty list is an answer, too.

A box is left, top, right, bottom (xyxy), floats from the picture's upper left corner, which is 0, 0: the whole of a
picture 640 wide and 480 high is 0, 0, 640, 480. Upright: as EXIF's orientation turns it.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from unicodedata import normalize

from windlass.errors import DataError
from windlass.kinds import category
from windlass.kinds.contract import Kind, has_surrogate, is_missing, shown
from windlass.kinds.sketch import MISSING, Profile, Sketch, Trait
from windlass.metrics import box_calibration, costs
from windlass.metrics.box_calibration import CALIBRATION
from windlass.records import Answer, Json, Manifest

CLASSES, THRESHOLDS, COSTS, COUNT_FACTOR = "classes", "thresholds", "costs", "count_factor"
"""Of an output's state: class names, the score from which on a box of each is given, what mistakes cost, and how wide
intervals of counts are."""
LABEL, BOX, CROWD, SCORE, HAND_OVER = "label", "box", "crowd", "score", "hand_over"
KEYS = frozenset({LABEL, BOX, CROWD, SCORE, HAND_OVER})
"""Of a thing. crowd: its box holds several that nobody told apart. score: 0-1, how likely an answer's box is right;
hand_over: a person's look at it is cheaper than a mistake; neither is kept as truth."""
MOST_BOXES, MOST_CHARACTERS, MOST_PIXELS = 2_000, 200, 1_000_000
PLACES = 2
"""Digits of a pixel that are kept: far finer than anybody draws."""
LEAST_SIDE = 1.0
"""Pixels that a box has at least: one of zero or less is a slip of the hand."""
OVER, BESIDE, NARROW = "partly beside the picture", "beside the picture", "narrower than a pixel"
"""What may be wrong with a box on its picture: the first is cut to what lies on it, the others are taken out."""
COUNTS, SHARES = (1, 2, 3, 4, 6, 9, 13, 19, 28, 41, 61, 91), (0.001, 0.004, 0.016, 0.06, 0.25)
"""Bounds of the bins of how many things there are, and of the share of the picture, or the score, of a usual one."""
SCORES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
Things = list[dict[str, Any]]


def check(value: Any) -> str | None:
    if is_missing(value):
        return None
    found = elements(value)
    if found is None:
        return f"is {shown(value)}, expected a list of boxes with their labels"
    if len(found) > MOST_BOXES:
        return f"has {len(found):,} boxes, expected at most {MOST_BOXES:,}"
    return next((fault for number, each in enumerate(found, 1) if (fault := _fault(each, number))), None)


def elements(value: Any) -> list[Any] | None:
    """The elements of a list, or of the JSON of one; None where it is none."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return list(value) if isinstance(value, list | tuple) else None


def _fault(thing: Any, number: int) -> str:
    what = f"has a box {number} that"
    if not isinstance(thing, Mapping) or LABEL not in thing or BOX not in thing:
        return f'{what} is {shown(thing)}, expected {{"label": "cat", "box": [left, top, right, bottom]}}'
    if unknown := [name for name in thing if name not in KEYS]:
        return f"{what} has {shown(unknown[0])}, expected a label, a box, and no more but whether it is a crowd"
    label, box = thing[LABEL], thing[BOX]
    if not isinstance(label, str) or not name_of(label):
        return f"{what} is called {shown(label)}, expected a name"
    if has_surrogate(label) or len(label) > MOST_CHARACTERS:
        return f"{what} is called {shown(label)}, expected valid Unicode of at most {MOST_CHARACTERS} characters"
    if not isinstance(thing.get(CROWD, False), bool):
        return f"{what} has crowd {shown(thing[CROWD])}, expected true or false"
    return f"{what} {fault}" if (fault := fault_of_box(box)) else ""


def fault_of_box(box: Any) -> str:
    """What is wrong with left, top, right, bottom by themselves, whatever picture they lie on; '' where nothing is."""
    if not isinstance(box, list | tuple) or len(box) != 4 or not all(map(is_pixel, box)):
        return f"lies at {shown(box)}, expected four numbers: left, top, right, bottom"
    left, top, right, bottom = box
    if right <= left or bottom <= top:
        words = "left, top, right, bottom with right beyond left and bottom below top"
        return f"lies at {_words(box)}, expected {words}; is it left, top, width, height?"
    return ""


def is_pixel(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and abs(value) <= MOST_PIXELS


def _words(box: Sequence[float]) -> str:
    return ", ".join(f"{side:g}" for side in box)


def name_of(label: str) -> str:
    """The label in its one form: NFKC, without white space around it or twice inside."""
    return " ".join(normalize("NFKC", label).strip(category.INVISIBLE).split())


def read(value: Any, root: Path | None) -> Things | None:
    """What is there, in the order given; None: nobody has said. Raises: DataError."""
    if fault := check(value):
        raise DataError(f"boxes {fault}")
    return None if is_missing(value) else [_read(thing) for thing in elements(value) or []]


def _read(thing: Mapping[str, Any]) -> dict[str, Any]:
    found = {LABEL: name_of(thing[LABEL]), BOX: [round(float(side), PLACES) for side in thing[BOX]]}
    return {**found, CROWD: True} if thing.get(CROWD) else found


def clean(value: Any, root: Path | None) -> str:
    return kept(read(value, root))


def kept(things: Iterable[Mapping[str, Any]] | None) -> str:
    """As the table of rows keeps it: JSON; '' where nobody has said."""
    return "" if things is None else json.dumps(list(things), ensure_ascii=False)


def truth(value: Any) -> Things:
    """What a collected row says is there; nothing where nobody has said."""
    return read(value, None) or []


def inside(box: Sequence[float], width: float, height: float) -> tuple[list[float], str]:
    """The part of a box that lies on a picture of this size, and what is wrong with the box; '' = nothing.

    What lies beyond the border is cut off. One that lies beside it, or has less than `LEAST_SIDE` left, is none.
    """
    left, top, right, bottom = box
    cut = [max(0.0, left), max(0.0, top), min(width, right), min(height, bottom)]
    if cut[2] <= cut[0] or cut[3] <= cut[1]:
        return [], BESIDE
    slack = 10**-PLACES
    if min(cut[2] - cut[0], cut[3] - cut[1]) < LEAST_SIDE - slack:
        return [], NARROW
    return cut, "" if all(abs(one - other) <= slack for one, other in zip(cut, box, strict=True)) else OVER


def brief(value: Any) -> str:
    return told(truth(value))


def told(things: Things) -> str:
    """How many there are of each class, the commonest first."""
    found = Counter(thing[LABEL] for thing in things)
    return ", ".join(f"{count} {label}" for label, count in found.most_common()) or "nothing"


def learn(values: Iterable[Any]) -> Json:
    return {}


def profile(things: Sequence[Mapping[str, Any]] | None, state: Json) -> Profile:
    """How many there are, how long a usual one is as a share of the picture's farthest box, and its score."""
    if things is None:
        return [MISSING] * 3
    edge = max((max(thing[BOX][2:]) for thing in things), default=1.0) or 1.0
    areas = sorted((box[2] - box[0]) * (box[3] - box[1]) / edge**2 for box in (thing[BOX] for thing in things))
    scores = sorted(thing.get(SCORE, 1.0) for thing in things)
    middle = len(things) // 2
    return [
        1 + sum(len(things) >= bound for bound in COUNTS),
        1 + sum(areas[middle] >= bound for bound in SHARES) if areas else MISSING,
        1 + sum(scores[middle] >= bound for bound in SCORES) if scores else MISSING,
    ]


def traits(state: Json) -> tuple[Trait, ...]:
    return (
        Trait("number of boxes", "ordered", 0, len(COUNTS) + 2),
        Trait("size of a usual box", "ordered", 1, len(SHARES) + 2),
        Trait("score of a usual box", "ordered", 2, len(SCORES) + 2),
    )


def _answered(answer: Answer, state: Json) -> Profile:
    return profile(answer.value, state)


def fit(values: Iterable[Things | None], form: str, options: Json) -> Json:
    """The class names, the commonest first."""
    counts = Counter(thing[LABEL] for things in values for thing in things or ())
    return {CLASSES: [name for name, _ in sorted(counts.items(), key=lambda each: (-each[1], each[0]))]}


def fault(manifest: Manifest) -> str:
    """What is wrong with the artifact's classes and thresholds; '' where nothing is."""
    state = manifest.output.state
    names, least = state.get(CLASSES, []), state.get(THRESHOLDS, [])
    if found := classes_fault(names):
        return found
    wide = state.get(COUNT_FACTOR, 0.0)
    if not isinstance(wide, int | float) or not 0 <= wide <= MOST_BOXES:
        return "its intervals of counts have no width"
    is_sound = isinstance(least, list) and all(isinstance(each, int | float) and 0 <= each <= 2 for each in least)
    if not is_sound or len(least) not in (0, len(names)):
        return "its thresholds are no score for each class"
    if COSTS in state and (found := costs.box_fault(state[COSTS], len(names))):
        return f"its {found}"
    return box_calibration.fault(state.get(CALIBRATION, []), len(names))


def classes_fault(names: Any) -> str:
    """What is wrong with the class names of an artifact, of boxes or of masks; '' where nothing is."""
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        return "its output has no classes, expected the names of what it finds"
    return "its output has a class twice, expected each once" if len(set(names)) != len(names) else ""


def claims(values: Sequence[Any], key: str = BOX) -> bool:
    """Lists of labelled things that each have this key, or the JSON of such, at least one of which holds one."""
    looked_at = values[:: max(1, len(values) // 200)]
    found = [elements(value) for value in looked_at if isinstance(value, list) or is_list(value)]
    return len(found) == len(looked_at) and any(found) and all(_are_things(things, key) for things in found)


def is_list(value: Any) -> bool:
    return isinstance(value, str) and value.lstrip()[:1] == "["


def _are_things(things: list[Any] | None, key: str) -> bool:
    return things is not None and all(isinstance(thing, Mapping) and {LABEL, key} <= set(thing) for thing in things)


KIND = Kind(
    name="boxes",
    forms=(),
    check=check,
    read=read,
    fit=fit,
    encode=lambda values, state: _not_encoded(),
    clean=clean,
    portable=read,
    brief=brief,
    fault=fault,
    claims=claims,
    sketch=Sketch(learn, profile, traits),
    answers=Sketch(learn, _answered, traits),
    effort=lambda value: len(value) if isinstance(value, str | list) else 0,
)


def _not_encoded() -> Any:
    raise DataError("boxes are an input, expected them as an output")
