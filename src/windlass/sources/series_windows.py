"""Windows of series as rows: each holds the latest points up to its last one, and the answer of that one.

Neighbouring windows share points, and what breaks stays broken for a while, so that rows drawn by chance would test
what was learned. So time parts them: what came last is tested, what came before that validates, all before it trains,
and a window that would hold points of two of the three is left out. Where it is said how soon something is over
(`rest`), that holds of so many of its latest points: what is older is a past, which is known in use, too.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from windlass.kinds.points.reading import Series
from windlass.spec import SeriesShape

TEST_SHARE = VALIDATION_SHARE = 0.2


@dataclass(frozen=True)
class Answered:
    """Of a step: its answer, None where none is known, and the split that its file is for, '' = none is said."""

    answer: Any = None
    split: str = ""


@dataclass(frozen=True)
class Window:
    """first, last: of the points that decide: moments, or places where points are only counted."""

    series: Series
    answer: Any
    first: Any
    last: Any
    split: str


@dataclass
class Windows:
    """Takes series, and gives their windows once all are known."""

    shape: SeriesShape
    found: list[tuple[Mapping[str, Any], Window]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def take(self, series: Series, steps: list[Answered], attributes: Mapping[str, Any]) -> bool:
        """Cuts a series; False: it is shorter than a window. steps: one a point; attributes: inputs beside it."""
        size, stride = self.shape.window, self.shape.stride or max(1, self.shape.window // 2)
        usual = _usual(steps)
        times = series.times()
        for end in range(len(series), size - 1, -stride):
            first, inside = end - size, steps[end - size : end]
            if self._is_good(series.part(first, end), inside, usual):
                near = end - (self.shape.rest or size)
                begins, ends = (near, end - 1) if times is None else (times[max(near, first)], times[end - 1])
                window = Window(series.part(first, end), inside[-1].answer, begins, ends, inside[-1].split)
                self.found.append((attributes, window))
        return len(series) >= size

    def _is_good(self, series: Series, inside: list[Answered], usual: Any) -> bool:
        """False, and counted, where a window has no answer or its points tell of another one than it has."""
        answer = inside[-1].answer
        told = {step.answer for step in inside[-self.shape.rest :] if step.answer is not None}
        if answer is None:
            self.left_out["whose last point has no answer"] += 1
        elif isinstance(answer, str) and answer == usual and told != {answer}:
            self.left_out[f"that end in '{usual}' and still hold points of what was before"] += 1
        elif len({step.split for step in inside if step != Answered()}) > 1:
            self.left_out["that hold points of two files"] += 1
        elif not any(np.isfinite(series.numbers(name)).any() for name in series.columns):
            self.left_out["without any number"] += 1
        else:
            return True
        return False

    def in_splits(self) -> Iterator[tuple[Mapping[str, Any], Window]]:
        """All windows in the order of time, each in its split: as files say, else by time."""
        ordered = sorted(self.found, key=lambda each: each[1].last)
        if not ordered or any(window.split for _, window in ordered):
            yield from ordered
            return
        places = [round((1 - share) * len(ordered)) for share in (TEST_SHARE + VALIDATION_SHARE, TEST_SHARE)]
        validation, test = (ordered[min(place, len(ordered) - 1)][1].last for place in places)
        for attributes, window in ordered:
            split = _split(window, validation, test)
            if split:
                yield attributes, replace(window, split=split)
            else:
                self.left_out["between train, validation and test, which would share their points"] += 1

    @property
    def warnings(self) -> list[str]:
        """How many windows were left out, and why."""
        return [f"{count:,} windows {why} are left out" for why, count in self.left_out.most_common()]


def _usual(steps: list[Answered]) -> Any:
    """The commonest answer of a series: what is back when something else is over."""
    counts = Counter(step.answer for step in steps if step.answer is not None)
    return counts.most_common(1)[0][0] if counts else None


def _split(window: Window, validation: Any, test: Any) -> str:
    """'' where the window lies on both sides of where validation or test begins."""
    if window.first >= test:
        return "test"
    if window.last >= test:
        return ""
    if window.first >= validation:
        return "validation"
    return "train" if window.last < validation else ""
