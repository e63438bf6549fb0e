"""Things in a picture, each a class name and the pixels that it covers; an empty list is an answer, too.

One form serves both sorts of masks: where each pixel has a class, a class has one entry with all its pixels; where
things are told apart, each has its own. Pixels are run lengths as COCO packs them, column by column of the upright
picture. Of things that overlap the smaller one lies on top, so that each pixel belongs to one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds import boxes
from windlass.kinds.boxes import BOX, CLASSES, COUNTS, CROWD, LABEL, SCORE, SCORES, SHARES, Things, elements, name_of
from windlass.kinds.contract import Kind, has_surrogate, is_missing, shown
from windlass.kinds.sketch import MISSING, Profile, Sketch, Trait
from windlass.metrics import run_lengths
from windlass.metrics.measures import Array
from windlass.records import Answer, Json, Manifest

MASK, SIZE, RUNS = "mask", "size", "counts"
"""Of a thing; of its mask: height and width, and the run lengths, as COCO calls them."""
KEYS = frozenset({LABEL, MASK, CROWD, SCORE, BOX})
VOID = "void"
"""The label of pixels of which nobody told what they are: neither right nor wrong."""
APART = "apart"
"""Of an output's state: things of a class are told apart."""
PIXEL, SEED, SMALLEST = "pixel", "seed", "smallest"
"""Of an output's state: from which share on a pixel is one of a thing, and a place its inside; and pixels of a thing at
least."""
SHARE_KEYS = (PIXEL, SEED)
MOST_MASKS, MOST_SIDE = 4_000, 100_000


def check(value: Any) -> str | None:
    if is_missing(value):
        return None
    found = elements(value)
    if found is None:
        return f"is {shown(value)}, expected a list of masks with their labels"
    if len(found) > MOST_MASKS:
        return f"has {len(found):,} masks, expected at most {MOST_MASKS:,}"
    fault = next((fault for number, each in enumerate(found, 1) if (fault := _fault(each, number))), "")
    return fault or _of_sizes(found)


def _of_sizes(things: Sequence[Json]) -> str | None:
    sizes = sorted({size_of(thing) for thing in things})
    if len(sizes) < 2:
        return None
    (high, wide), (higher, wider) = sizes[:2]
    return f"has masks of {wide} x {high} and of {wider} x {higher} pixels, expected those of one picture"


def size_of(thing: Mapping[str, Any]) -> tuple[int, int]:
    """Height and width of the picture that the mask of a thing is of."""
    high, wide = thing[MASK][SIZE]
    return high, wide


def _fault(thing: Any, number: int) -> str:
    what = f"has a mask {number} that"
    if not isinstance(thing, Mapping) or LABEL not in thing or MASK not in thing:
        return f'{what} is {shown(thing)}, expected {{"label": "cat", "mask": {{"size": [...], "counts": ...}}}}'
    if unknown := [name for name in thing if name not in KEYS]:
        return f"{what} has {shown(unknown[0])}, expected a label, a mask, and no more but whether it is a crowd"
    label = thing[LABEL]
    if not isinstance(label, str) or not name_of(label):
        return f"{what} is called {shown(label)}, expected a name"
    if has_surrogate(label) or len(label) > boxes.MOST_CHARACTERS:
        return f"{what} is called {shown(label)}, expected valid Unicode of at most {boxes.MOST_CHARACTERS} characters"
    if not isinstance(thing.get(CROWD, False), bool):
        return f"{what} has crowd {shown(thing[CROWD])}, expected true or false"
    return f"{what} {fault}" if (fault := _fault_of_mask(thing[MASK])) else ""


def _fault_of_mask(mask: Any) -> str:
    size = mask.get(SIZE) if isinstance(mask, Mapping) else None
    if not isinstance(size, list | tuple) or len(size) != 2 or not all(map(_is_side, size)):
        return f"is {shown(mask)}, expected its size, [height, width], and counts, its run lengths"
    try:
        runs = runs_of(mask)
    except (TypeError, ValueError):
        return f"has counts {shown(mask.get(RUNS))}, expected COCO's run lengths"
    if sum(runs) != size[0] * size[1]:
        return f"has {sum(runs):,} pixels in its runs, expected {size[0] * size[1]:,}: {size[1]} x {size[0]}"
    return "" if run_lengths.area(runs) else "covers no pixel, expected one at least"


def _is_side(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST_SIDE


def runs_of(mask: Mapping[str, Any]) -> list[int]:
    """The runs of a mask, packed or not. Raises: ValueError, TypeError: they cannot be read."""
    counts = mask.get(RUNS)
    if isinstance(counts, str):
        return run_lengths.unpacked(counts)
    if not isinstance(counts, list | tuple) or not all(
        isinstance(run, int) and not isinstance(run, bool) and run >= 0 for run in counts
    ):
        raise ValueError("no run lengths")
    return list(counts)


def read(value: Any, root: Path | None) -> Things | None:
    """What is there, in the order given; None: nobody has said. Raises: DataError."""
    if fault := check(value):
        raise DataError(f"masks {fault}")
    return None if is_missing(value) else [_read(thing) for thing in elements(value) or []]


def _read(thing: Mapping[str, Any]) -> dict[str, Any]:
    found = thing_of(name_of(thing[LABEL]), runs_of(thing[MASK]), size_of(thing))
    return {**found, CROWD: True} if thing.get(CROWD) else found


def thing_of(label: str, runs: Sequence[int], size: tuple[int, int]) -> dict[str, Any]:
    """A thing as it is kept, with size as height and width."""
    return {LABEL: label, MASK: {SIZE: list(size), RUNS: run_lengths.packed(runs)}}


def clean(value: Any, root: Path | None) -> str:
    return boxes.kept(read(value, root))


def truth(value: Any) -> Things:
    """What a collected row says is there; nothing where nobody has said."""
    return read(value, None) or []


def map_of(things: Sequence[Mapping[str, Any]], size: tuple[int, int]) -> Array:
    """(H, W) int32: 0 where nothing is, else the number of the thing, counted from 1; smaller ones lie on top.

    Args: size: height and width; masks of another size are a mistake of who calls.
    """
    found = np.zeros(size, np.int32)
    runs = [runs_of(thing[MASK]) for thing in things]
    for place in sorted(range(len(runs)), key=lambda place: -run_lengths.area(runs[place])):
        found[run_lengths.mask_of(runs[place], *size)] = place + 1
    return found


def of_map(numbers: Array, labels: Mapping[int, str]) -> Things:
    """The things of a map (H, W) of numbers, ascending; labels: number -> label, those without one are left out."""
    size = (numbers.shape[0], numbers.shape[1])
    return [thing_of(labels[number], runs, size) for number, runs in run_lengths.each_of(numbers) if number in labels]


def brief(value: Any) -> str:
    return boxes.told(truth(value))


def profile(things: Sequence[Mapping[str, Any]] | None, state: Json) -> Profile:
    """How many there are, which share of the picture a usual one covers, and its score."""
    if things is None:
        return [MISSING] * 3
    shares = sorted(
        run_lengths.area(runs_of(each[MASK])) / max(1, size_of(each)[0] * size_of(each)[1]) for each in things
    )
    scores = sorted(thing.get(SCORE, 1.0) for thing in things)
    middle = len(things) // 2
    return [
        1 + sum(len(things) >= bound for bound in COUNTS),
        1 + sum(shares[middle] >= bound for bound in SHARES) if shares else MISSING,
        1 + sum(scores[middle] >= bound for bound in SCORES) if scores else MISSING,
    ]


def _share(thing: Mapping[str, Any]) -> float:
    height, width = size_of(thing)
    return run_lengths.area(runs_of(thing[MASK])) / (height * width)


def traits(state: Json) -> tuple[Trait, ...]:
    return (
        Trait("number of masks", "ordered", 0, len(COUNTS) + 2),
        Trait("size of a usual mask", "ordered", 1, len(SHARES) + 2),
        Trait("score of a usual mask", "ordered", 2, len(SCORES) + 2),
    )


def fit(values: Iterable[Things | None], form: str, options: Json) -> Json:
    """The class names, the commonest first, and whether some picture has two things of a class."""
    counts, is_apart = Counter[str](), False
    for things in values:
        own = Counter(thing[LABEL] for thing in things or () if thing[LABEL] != VOID and not thing.get(CROWD))
        counts.update(own)
        is_apart = is_apart or max(own.values(), default=0) > 1
    names = [name for name, _ in sorted(counts.items(), key=lambda each: (-each[1], each[0]))]
    return {CLASSES: names, APART: is_apart}


def fault(manifest: Manifest) -> str:
    """What is wrong with the artifact's classes and decisions; '' where nothing is."""
    state = manifest.output.state
    if found := boxes.classes_fault(state.get(CLASSES)):
        return found
    shares = [state[key] for key in SHARE_KEYS if key in state]
    is_sound = all(isinstance(each, int | float) and 0 <= each <= 1 for each in shares)
    is_sound = is_sound and isinstance(state.get(SMALLEST, 1), int) and isinstance(state.get(APART, False), bool)
    return "" if is_sound else "its thresholds are no shares, expected 0 to 1"


def claims(values: Sequence[Any]) -> bool:
    """Lists of labelled masks, or the JSON of such, at least one of which holds one."""
    return boxes.claims(values, MASK)


def _answered(answer: Answer, state: Json) -> Profile:
    return profile(answer.value, state)


KIND = Kind(
    name="masks",
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
    sketch=Sketch(boxes.learn, profile, traits),
    answers=Sketch(boxes.learn, _answered, traits),
    effort=lambda value: len(value) if isinstance(value, str | list) else 0,
)


def _not_encoded() -> Any:
    raise DataError("masks are an input, expected them as an output")
