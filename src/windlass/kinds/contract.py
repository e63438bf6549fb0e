"""What a kind is: how values of one sort are checked, read, encoded, and, as an output, decoded and measured.

`fit` and `encode` are the whole of feature making: training and serving call the same two functions, so that
skew between them cannot arise. Torch-free.
"""

import math
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from windlass.kinds.sketch import Sketch
from windlass.records import Json, Manifest

UNSEEN = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
"""General categories of Unicode."""


@dataclass(frozen=True)
class Sparse:
    """A batch of sparse rows (compressed sparse row): row i holds `values[starts[i]:starts[i+1]]`.

    starts: (n + 1,) int64; places: (m,) int32, columns below `width`; values: (m,) float32.
    """

    starts: np.ndarray
    places: np.ndarray
    values: np.ndarray
    width: int


Batch = np.ndarray | Sparse


Place = tuple[int, int] | tuple[float, float, float, float]
"""A part of a value: characters (start, end) of a text; left, top, right, bottom of a picture as shares of it."""


@dataclass(frozen=True)
class Parts:
    """How a value comes apart, so that each part can be taken away and what it was worth be seen.

    find(value) -> its parts, coarse and in order. finer(value, place) -> the parts of a part; none: it is a smallest.
    without(value, state, places) -> the value with these places empty.
    spread(value, state, weights) -> what each smallest part is worth, from what each feature (of the kind's sparse or
        pixel form) is worth, `weights` (features,); the place None is what the value does not hold. The sum is kept.
    show(value) -> what places lie on: the text, or with `is_picture` the picture as a data: URI.
    """

    find: Callable[[Any], list[Place]]
    finer: Callable[[Any, Place], list[Place]]
    without: Callable[[Any, Json, Sequence[Place]], Any]
    spread: Callable[[Any, Json, np.ndarray], list[tuple[Place | None, float]]]
    show: Callable[[Any], str]
    is_picture: bool = False


@dataclass(frozen=True)
class Size:
    """How large a value is, and words for it.

    of(collected value) -> the size. ends: what a third of small and of large ones is called. low, middle, high: of a
    quarter, with the bounds `low` and `high` to fill in; middle: '' where it is not told.
    """

    of: Callable[[Any], float]
    ends: tuple[str, str]
    low: str
    high: str
    middle: str = ""


@dataclass(frozen=True)
class Kind:
    """One kind of value.

    check(value) -> what is wrong with the value, or None; never raises, and quotes with `shown`. A missing value is
        wrong only for a kind that cannot encode one (image).
    read(value, root) -> the value as Python or numpy holds it. `root` is the folder that paths are relative to;
        None (a client sent it) means that the value must carry its own bytes. Raises: DataError.
    forms: the encodings that a learner may ask for.
    fit(values, form, options) -> state: all that `encode` needs, as plain JSON. `values` were read.
    encode(values, state) -> one array (n, ...) or `Sparse` for n read values; missing values allowed. For no values it
        gives the shape of a row, and raises when the state is damaged: artifacts are checked by it.
    clean(value, root) -> the value as the table of collected rows keeps it (None given: what `read` gives).
        Checks it wholly, so that a row that is collected can be read ever after. Raises: DataError.
    stored_as: the type of a cleaned value.
    portable(value, root) -> the value as a client would send it, JSON.
    heaviest() -> a value, as a client would send it, that takes about as much memory as `read` allows to any; None:
        no value takes much.
    file_of(value) -> the file that a value of training data names, '' when it names none; a client can name none.
    has_points: its values are series, of which may be asked what comes next. has_events: they are histories of what
        somebody did.
    is_moment: its values are days or moments.
    is_prose: its values are running text. turns(read value) -> the messages of a conversation, each with its `role`
        and `content`; None: it is none. is_named: its values are names, of which some are frequent.
    size: what short and long, or low and high values are told by; None: they are not told.
    fault(manifest) -> what is wrong with an artifact that answers this kind, '' when nothing is.
    n_scores(state) -> numbers a row that an engine gives for an output with this state; None: it gives none.
    answers: what may be remembered of an answer of this kind, its `profile` takes an `Answer`; None: its mix says all.
    needs: packages that reading its values imports, beside those of every service.
    claims(values) -> the values of a column are of this kind and of no other; asked before anything is guessed.
    background(state) -> read values that stand for the training rows where this one is left out, with their shares.
    brief(collected value) -> a line that stands for it where rows are listed.
    describe(value, state) -> a read value among the training rows, in words.
    parts: how a value comes apart; None: it is one piece.
    sketch: what may be remembered of a value without keeping it, and how that drifts; every kind has one.
    as_written(how) -> the kind as it reads a column whose values are written in a way of their own, and what this kind
        reads too; `how` is plain JSON, kept in the column's state. None: values have one form. Raises: SpecError.
    spelt(value) -> a value that came as JSON as a file of this column has it.
    doubt(value) -> what of a raw value is not kept though it is read, in words; '' = nothing.
    loss(collected value) -> the same of what a value names, such as the depth of a picture.
    advice(raw values of a column) -> how to read those that are refused, judged by all of them; '' = the hint of the
        refusal says it.
    unknown(values, state) -> number of a read value -> what of it training did not know, in words.
    effort(value) -> what a raw value costs to be read and encoded, told in characters of text; cheap, and never raises.
    """

    name: str
    forms: tuple[str, ...]
    check: Callable[[Any], str | None]
    read: Callable[[Any, Path | None], Any]
    fit: Callable[[Iterable[Any], str, Json], Json]
    encode: Callable[[Sequence[Any], Json], Batch]
    clean: Callable[[Any, Path | None], Any] | None = None
    stored_as: type = str
    portable: Callable[[Any, Path | None], Any] = lambda value, root: None if is_missing(value) else value
    heaviest: Callable[[], Any] = lambda: None
    file_of: Callable[[Any], str] = lambda value: ""
    has_points: bool = False
    has_events: bool = False
    is_moment: bool = False
    is_prose: bool = False
    turns: Callable[[Any], list[Json]] | None = None
    is_named: bool = False
    size: Size | None = None
    fault: Callable[[Manifest], str] = lambda manifest: ""
    n_scores: Callable[[Json], int] | None = None
    answers: Sketch | None = None
    needs: tuple[str, ...] = ()
    claims: Callable[[Sequence[Any]], bool] = lambda values: False
    background: Callable[[Json], list[tuple[Any, float]]] = lambda state: [("", 1.0)]
    brief: Callable[[Any], str] = str
    describe: Callable[[Any, Json], str] = lambda value, state: shown(value)
    parts: Parts | None = None
    sketch: Sketch | None = None
    loss: Callable[[Any], str] = lambda value: ""
    as_written: "Callable[[Json], Kind] | None" = None
    spelt: Callable[[Any], Any] = lambda value: value
    doubt: Callable[[Any], str] = lambda value: ""
    advice: Callable[[Sequence[Any]], str] = lambda values: ""
    unknown: Callable[[Sequence[Any], Json], dict[int, str]] = lambda values, state: {}
    effort: Callable[[Any], int] = lambda value: len(value) if isinstance(value, str) else 0

    @property
    def is_picture(self) -> bool:
        """Its values are shown as pictures."""
        return self.parts is not None and self.parts.is_picture

    @property
    def is_language(self) -> bool:
        """Its values are what people say or write."""
        return self.is_prose or self.turns is not None


def is_missing(value: Any) -> bool:
    """True for None, NaN and the empty string."""
    if isinstance(value, str):
        return not value
    return value is None or (isinstance(value, float | np.floating) and bool(value != value))


def is_finite(value: Any) -> bool:
    """True for a number of plain JSON."""
    return isinstance(value, int | float) and math.isfinite(value)


def is_blank(text: str) -> bool:
    """True when nothing of the text is seen: spaces, control characters, and what has no width or stands for NUL."""
    return all(sign == "\ufffd" or unicodedata.category(sign) in UNSEEN for sign in text)


def has_surrogate(text: str) -> bool:
    """True when the text holds half of a surrogate pair, and so cannot be written as UTF-8."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def shown(value: Any) -> str:
    """The value as a message quotes it: at most 40 characters, always printable as UTF-8."""
    if isinstance(value, int) and abs(value) > 10**40:
        return "a whole number of more than 40 digits"
    try:
        words = f"'{value[:40]}'" if isinstance(value, str) else repr(value)[:40]
    except ValueError:  # a whole number of over 4,300 digits somewhere inside
        return f"a {type(value).__name__}"
    return words.encode("utf-8", "backslashreplace").decode("utf-8")
