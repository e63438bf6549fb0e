"""What somebody did with items, the oldest first; and, as an answer, the items that are wanted next.

Ids are text, as they are outside: a number 7 is '7', and the text '007' stays what it is. What an event weighs is
told by the product (`counts`, or from which rating on something is `liked`); 0 is seen, and not wanted.
"""

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError, did_you_mean, expected
from windlass.kinds import number
from windlass.kinds.contract import Kind, has_surrogate, is_blank, is_finite, is_missing, shown
from windlass.kinds.points.reading import moments_of
from windlass.kinds.sketch import MISSING, Profile, Sketch, Trait
from windlass.records import Answer, Json

MOST_EVENTS, MOST_ID, MOST_ASKED, USUAL = 10_000, 200, 100, 10
"""Of a history; characters of an id; items of an answer, and how many it has where nobody says."""
MILLISECONDS, LATEST = 1e11, 4_102_444_800.0
"""From which number on a moment counts milliseconds; the year 2100: what is later is no moment."""
KEYS = ("user", "events", "items", "times", "weights", "now", "whole", "k", "age", "seen")
APART = re.compile(r"[\s]*[,;|\n\t][\s]*")
SEEN = ("leave out", "keep")
LENGTHS = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500)
N_TASTES, N_OTHERS, N_LEARNED = 24, 8, 50_000
FEW = 5
"""Events of which fewer say little of a taste: the user counts as new."""
MOST_BEFORE = 300
"""Events of the history of one answer of a log, the latest: a row is read whole, and years have thousands."""


@dataclass(frozen=True)
class How:
    """How events of a product are written: names of what an event has, and what it weighs. explore: how its answers
    explore, for who reads the state of the column."""

    item: str = "item"
    time: str = "time"
    event: str = "event"
    rating: str = "rating"
    counts: Mapping[str, float] | None = None
    liked: float | None = None
    explore: Mapping[str, float] | None = None
    new: float = 0.0  # of lists: the share for items of no event, how different, what margins are worth
    diverse: float = 0.0
    margin: float = 0.0

    def weight(self, event: Any, rating: Any) -> float:
        """What an event weighs. Raises: ValueError: it has no weight."""
        if self.liked is not None and not is_missing(rating):
            try:
                found = number.parse(rating)
            except (ValueError, OverflowError):
                raise ValueError(f"rating is {shown(rating)}, expected a number") from None
            return float(found >= self.liked)
        if is_missing(event):
            return 1.0
        counts = self.counts or {}
        if counts and str(event).strip() not in counts:
            hint = did_you_mean(str(event), counts)
            raise ValueError(f"event is {shown(event)}, expected {expected(counts)}" + (f" ({hint})" if hint else ""))
        return counts.get(str(event).strip(), 1.0)


PLAIN = How()


@dataclass(frozen=True)
class History:
    """n events, the oldest first. times: seconds since 1970, NaN where nobody told. weights: 0 = not wanted.

    user: whose it is, '' = nobody says. now: when it is asked, NaN = now. whole: nothing of what is known of the user
    is to be added. k: items that are wanted. age: of who asks, NaN = not told. keeps_seen: what is in the history may
    be recommended again.
    """

    items: tuple[str, ...] = ()
    times: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()
    user: str = ""
    now: float = math.nan
    whole: bool = False
    k: int = USUAL
    age: float = math.nan
    keeps_seen: bool = False

    def __len__(self) -> int:
        return len(self.items)

    @property
    def liked(self) -> list[str]:
        """Items that weigh something, each once."""
        return list(dict.fromkeys(item for item, weight in zip(self.items, self.weights, strict=True) if weight > 0))

    def part(self, first: int, end: int) -> "History":
        return replace(self, items=self.items[first:end], times=self.times[first:end], weights=self.weights[first:end])

    def as_json(self) -> Json:
        """As it is kept and sent: what is as usual is left out."""
        timed, weighed = not all(map(math.isnan, self.times)), any(weight != 1 for weight in self.weights)
        return {
            **({"user": self.user} if self.user else {}),
            "items": list(self.items),
            **({"times": [None if math.isnan(each) else _short(each) for each in self.times]} if timed else {}),
            **({"weights": [_short(each) for each in self.weights]} if weighed else {}),
            **({} if math.isnan(self.now) else {"now": _short(self.now)}),
            **({"whole": True} if self.whole else {}),
            **({"k": self.k} if self.k != USUAL else {}),
            **({} if math.isnan(self.age) else {"age": _short(self.age)}),
            **({"seen": SEEN[1]} if self.keeps_seen else {}),
        }

    def as_text(self) -> str:
        return json.dumps(self.as_json(), ensure_ascii=False, separators=(",", ":"))


EMPTY = History()


def _short(value: float) -> float | int:
    return int(value) if float(value).is_integer() else round(float(value), 6)


def item_id(value: Any) -> str:
    """The id as text: 7 and 7.0 are '7'. Raises: ValueError: it is none."""
    is_plain = type(value) is str and value.isascii() and value.isprintable()
    if is_plain and 0 < len(value.strip()) == len(value) <= MOST_ID:
        return str(value)  # nearly all ids, ten times as quickly: a history has thousands
    if isinstance(value, bool | np.bool_) or not isinstance(value, str | int | float | np.integer | np.floating):
        raise ValueError(f"has the item {shown(value)}, expected its id as text")
    if isinstance(value, float | np.floating):
        if not math.isfinite(value) or not float(value).is_integer() or abs(float(value)) >= 2**53:
            raise ValueError(f"has the item {shown(value)}, expected its id as text, or a whole number")
        value = int(value)
    if isinstance(value, int) and value.bit_length() > 3 * MOST_ID:
        raise ValueError(f"has an item of more than {MOST_ID} digits, expected its id")
    found = str(value).strip()
    if not found or is_blank(found):
        raise ValueError("has an item without an id, expected one in each")
    if len(found) > MOST_ID or "\x00" in found or has_surrogate(found):
        raise ValueError(f"has the item {shown(found)}, expected an id of at most {MOST_ID} printable characters")
    return found


def seconds(value: Any) -> float:
    """A moment as seconds since 1970: of a date, an ISO moment, or a number of seconds or milliseconds; NaN of none.

    Raises: ValueError: it is no moment.
    """
    if type(value) in (int, float) and 0 <= value <= LATEST:
        return float(value)
    if is_missing(value):
        return math.nan
    found = _as_number(value)
    if found is None:
        try:
            return float(moments_of([value])[0].astype("datetime64[s]").astype(np.int64))
        except DataError as error:
            raise ValueError(error.message) from None
    found = found / 1_000 if found >= MILLISECONDS else found
    if not 0 <= found <= LATEST:
        raise ValueError(f"has the moment {shown(value)}, expected seconds since 1970, or such as 2026-03-31T14:00")
    return found


def _as_number(value: Any) -> float | None:
    if isinstance(value, bool | np.bool_):
        return None
    if isinstance(value, int | float | np.integer | np.floating):
        return float(value) if not isinstance(value, int) or value.bit_length() < 999 else math.inf
    text = value.strip() if isinstance(value, str) else ""
    return float(text) if re.fullmatch(r"\d{9,16}(\.\d{1,9})?", text) else None


def check(value: Any, how: How = PLAIN) -> str | None:
    try:
        _read(value, how)
    except ValueError as error:
        return str(error)
    except RecursionError:
        return "is nested too deeply, expected a list of items"
    return None


def read(value: Any, root: Path | None, how: How = PLAIN) -> History:
    """Nothing of a missing value. Raises: DataError."""
    try:
        return _read(value, how)
    except (ValueError, RecursionError) as error:
        raise DataError(f"history {error}") from None


def _read(value: Any, how: How) -> History:
    if isinstance(value, History):
        return value
    if is_missing(value):
        return EMPTY
    if isinstance(value, str):
        text = value.strip()
        if text[:1] not in ("[", "{"):
            return _of_events([each for each in APART.split(text) if each], how)
        try:
            value = json.loads(text)
        except ValueError:
            raise ValueError(f"is {shown(text)}, expected a list as JSON, or ids with commas") from None
    if isinstance(value, Mapping):
        return _of_object(value, how)
    if not isinstance(value, list | tuple):
        raise ValueError(f"is {shown(value)}, expected a list of items")
    return _of_events(value, how)


def _of_object(value: Mapping[str, Any], how: How) -> History:
    if how.item in value and not set(value) & {"events", "items"}:
        return _of_events([value], how)
    unknown = next((str(name) for name in value if name not in KEYS), "")
    if unknown:
        raise ValueError(f"has {shown(unknown)}, expected {expected(KEYS)}")
    if "events" in value and "items" in value:
        raise ValueError("has 'events' and 'items', expected one of the two")
    events = value.get("events", value.get("items")) or []
    if not isinstance(events, list | tuple):
        raise ValueError(f"has events {shown(events)}, expected a list")
    found = _of_events(_together(events, value), how)
    k, seen = value.get("k", USUAL), value.get("seen", SEEN[0])
    if not isinstance(k, int) or isinstance(k, bool) or not 1 <= k <= MOST_ASKED:
        raise ValueError(f"has k {shown(k)}, expected 1 to {MOST_ASKED}")
    if seen not in SEEN:
        raise ValueError(f"has seen {shown(seen)}, expected {expected(SEEN)}")
    if not isinstance(value.get("whole", False), bool):
        raise ValueError(f"has whole {shown(value['whole'])}, expected true or false")
    return replace(
        found,
        user="" if is_missing(value.get("user")) else item_id(value["user"]),
        now=seconds(value.get("now")),
        whole=value.get("whole", False),
        k=k,
        age=_amount("age", value.get("age"), math.nan),
        keeps_seen=seen == SEEN[1],
    )


def _together(events: Sequence[Any], value: Mapping[str, Any]) -> Sequence[Any]:
    """Events with the times and weights that stand in lists beside them."""
    columns = {name: value[name] for name in ("times", "weights") if value.get(name) is not None}
    for name, each in columns.items():
        if not isinstance(each, list | tuple) or len(each) != len(events):
            raise ValueError(f"has {len(events):,} items and other {name}, expected as many")
    if not columns:
        return events
    empty = [None] * len(events)
    times, weights = columns.get("times", empty), columns.get("weights", empty)
    return list(zip(events, times, weights, strict=True))


def _of_events(events: Sequence[Any], how: How) -> History:
    if len(events) > MOST_EVENTS:
        raise ValueError(f"has {len(events):,} events, expected at most {MOST_EVENTS:,}, the latest")
    read = [_event(each, how) for each in events]
    times = [time for _, time, _ in read]
    if any(one > other for one, other in pairwise(times)):
        read.sort(key=lambda each: each[1] if each[1] == each[1] else -math.inf)
    columns = zip(*read, strict=True) if read else ((), (), ())
    items, when, weights = (tuple(each) for each in columns)
    return History(items, when, weights)


def _event(value: Any, how: How) -> tuple[str, float, float]:
    """(item, time, weight)."""
    if isinstance(value, tuple) and len(value) == 3:
        return item_id(value[0]), seconds(value[1]), _amount("weight", value[2], 1.0)
    if not isinstance(value, Mapping):
        return item_id(value), math.nan, 1.0
    if how.item not in value and "item" not in value:
        raise ValueError(f"has the event {shown(dict(value))}, expected one with '{how.item}'")

    def told(name: str, usual: str) -> Any:
        return value.get(name, value.get(usual))

    time = seconds(told(how.time, "time"))
    if not is_missing(value.get("weight")):
        weight = _amount("weight", value["weight"], 1.0)
    else:
        weight = how.weight(told(how.event, "event"), told(how.rating, "rating"))
    return item_id(told(how.item, "item")), time, weight


def _amount(name: str, value: Any, missing: float) -> float:
    if type(value) in (int, float) and 0 <= value <= 1e6:
        return float(value)
    if is_missing(value):
        return missing
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not is_number or abs(value) > 1e6 or not is_finite(float(value)) or value < 0:
        raise ValueError(f"has the {name} {shown(value)}, expected a number from 0 on")
    return float(value)


def clean(value: Any, root: Path | None, how: How = PLAIN) -> str:
    """As JSON; '' where nothing is told."""
    return "" if is_missing(value) else read(value, root, how).as_text()


def portable(value: Any, root: Path | None, how: How = PLAIN) -> Json | None:
    return None if is_missing(value) else read(value, root, how).as_json()


def brief(value: Any) -> str:
    """`12 items, the latest 'i9'`."""
    found = read(value, None)
    whose = f"user '{found.user}': " if found.user else ""
    named = f", the latest '{found.items[-1]}'" if len(found) else ""
    return f"{whose}{len(found):,} {'item' if len(found) == 1 else 'items'}{named}"


def describe(value: History, state: Json) -> str:
    return f"has {brief(value)}"


def effort(value: Any) -> int:
    """A few characters an event."""
    if isinstance(value, str):
        return len(value)
    events = value.get("events", value.get("items")) if isinstance(value, Mapping) else value
    return 20 * len(events) if isinstance(events, list | tuple) else 0


def claims(values: Sequence[Any]) -> bool:
    """Lists of events as JSON objects that name an item."""
    sample = [value for value in values[:50] if not is_missing(value)]
    return bool(sample) and all(
        isinstance(value, list | tuple | str) and '"item"' in json.dumps(value, default=str).replace('\\"', '"')
        and check(value) is None for value in sample
    )  # fmt: skip


def learn(values: Iterable[History]) -> Json:
    """The items that are dealt with most."""
    counts = Counter(item for value in islice(values, N_LEARNED) for item in value.items)
    return {"frequent": [item for item, _ in counts.most_common(N_TASTES)]}


def profile(value: History, state: Json) -> Profile:
    """How long the history is, whether it is short, and what its latest item is: one of the most frequent, or of eight
    shares of the others by chance."""
    n_events = len(value)
    latest = _taste(value.items[-1], state) if n_events else MISSING
    return [1 + sum(n_events >= bound for bound in LENGTHS), 1 + (n_events < FEW), latest]


def _taste(item: str, state: Json) -> int:
    frequent = state["frequent"]
    if item in frequent:
        return 1 + frequent.index(item)
    part = hashlib.sha256(item.encode("utf-8", "replace")).digest()[0] % N_OTHERS
    return 1 + N_TASTES + part


def traits(state: Json) -> tuple[Trait, ...]:
    return (
        Trait("events of a history", "ordered", 0, len(LENGTHS) + 2),
        Trait("few events", "rate", 1, 3, (2,)),
        Trait("latest item", "names", 2, 1 + N_TASTES + N_OTHERS),
    )


def profile_answer(value: Sequence[Any], state: Json) -> Profile:
    """The first item of a list, and how many it has."""
    items = [str(each["item"]) for each in value]
    return [_taste(items[0], state) if items else MISSING, 1 + min(len(items), 2 * USUAL)]


def answer_traits(state: Json) -> tuple[Trait, ...]:
    return (
        Trait("first item", "names", 0, 1 + N_TASTES + N_OTHERS),
        Trait("number of items", "ordered", 1, 2 * USUAL + 2),
    )


def _answered(answer: Answer, state: Json) -> Profile:
    return profile_answer(answer.value, state)


def _kind(how: How) -> Kind:
    return Kind(
        name="items",
        forms=(),
        check=partial(check, how=how),
        read=partial(read, how=how),
        fit=lambda values, form, options: {},
        encode=lambda values, state: _not_encoded(),
        clean=partial(clean, how=how),
        portable=partial(portable, how=how),
        has_events=True,
        background=lambda state: [(EMPTY, 1.0)],
        brief=brief,
        describe=describe,
        sketch=Sketch(learn, profile, traits),
        answers=Sketch(learn, _answered, answer_traits),
        claims=claims,
        as_written=lambda said: _kind(How(**said)),
        effort=effort,
    )


def _not_encoded() -> Any:
    raise DataError("a history is no number, expected a learner that reads events")


KIND = _kind(PLAIN)
