"""Recommends: a history in, a ranked list of items out, each with its reason; who and what is not known never fails.

What is known of a user is in the artifact, and what a row says is added; what somebody has seen, what is not to be had
and what is for older people is left out. Where a history tells nothing, what is popular is recommended.
"""

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds import table as kinds
from windlass.kinds.contract import shown
from windlass.kinds.items import History
from windlass.metrics.recommendations import EACH, N_RANKED, RankedMarks, of_list
from windlass.predictors.contract import check_row, read_value
from windlass.predictors.recommend import arrangement, item_index, known_users
from windlass.predictors.recommend import scorer as scorers
from windlass.predictors.recommend.arrangement import Arrangement, Rules
from windlass.predictors.recommend.exploration import Exploration
from windlass.predictors.recommend.item_index import ItemIndex
from windlass.predictors.recommend.known_users import Known, KnownUsers
from windlass.predictors.recommend.popular import Popular
from windlass.predictors.recommend.reranking import top
from windlass.predictors.recommend.scorer import Because, Scorer
from windlass.records import Answer, Column, Json, Manifest, Row

NEVER = -np.inf
UNRANKED = 10**9
UNTIL = "until"
"""Where settings keep the time of the latest event that was learned from."""
MOST_NAMED = 3


@dataclass(frozen=True)
class Asked:
    """A row as arrays. known: the events of items that are known, those of the user's own history first. unknown: items
    that are not. is_known: the user is, or nobody was named."""

    history: History
    known: Known
    now: float
    unknown: tuple[str, ...] = ()
    is_known: bool = True


@dataclass(frozen=True)
class Recommender:
    """Answers by what the manifest says and the scorer computes. clock: seconds since 1970."""

    manifest: Manifest
    scorer: Scorer
    index: ItemIndex
    users: KnownUsers = field(default_factory=KnownUsers)
    arrangement: Arrangement | None = None
    clock: Callable[[], float] = time.time
    random: np.random.Generator = field(default_factory=np.random.default_rng)

    @property
    def column(self) -> Column:
        """The input that holds the history."""
        return next(column for column in self.manifest.inputs if kinds.get(column.kind).has_events)

    def asked(self, rows: Sequence[Row], root: Path | None = None) -> list[Asked]:
        """Raises: DataError: a column is missing, or a value cannot be read."""
        names, kind = [column.name for column in self.manifest.inputs], kinds.of(self.column)
        for number, row in enumerate(rows):
            check_row(row, names, number)
        read = [read_value(kind.read, row, self.column.name, number, root) for number, row in enumerate(rows)]
        return [self._asked(each) for each in read]

    def _asked(self, history: History) -> Asked:
        now = self.clock() if math.isnan(history.now) else history.now
        numbers = self.index.numbers(history.items)
        times = np.array(history.times, np.float64)
        times[np.isnan(times)] = now
        there = numbers >= 0
        said = Known(numbers[there], times[there], np.array(history.weights, np.float32)[there])
        unknown = tuple(dict.fromkeys(item for item, number in zip(history.items, numbers, strict=True) if number < 0))
        before = self.users.of(history.user) if history.user and not history.whole else None
        is_known = not history.user or history.whole or before is not None
        return Asked(history, said if before is None else _joined(before, said), now, unknown, is_known)

    def scores(self, asked: Asked) -> np.ndarray:
        """(n_items,) float64; what must not be recommended has `NEVER`."""
        known = asked.known
        found = np.asarray(self.scorer.scores(known.items, known.weights, known.times, asked.now), np.float64)
        if tells_nothing(found):
            found = self.index.events.astype(np.float64)
        found = np.where(self.index.may_see(asked.history.age), found, NEVER)
        if not asked.history.keeps_seen:
            found[known.items] = NEVER
        return found

    def listed(self, asked: Asked, scores: np.ndarray, k: int) -> np.ndarray:
        """(<= k,) numbers of items, the first first, by the rules of the product."""
        if self.arrangement is None:
            return top(scores, k)
        return self.arrangement.arranged(scores, asked.known.items, asked.known.weights, k)

    def answer(self, rows: Sequence[Row], root: Path | None = None) -> list[Answer]:
        """One answer a row: a list of items, the likeliest first, each with its score and why."""
        return [self._answer(each) for each in self.asked(rows, root)]

    def _answer(self, asked: Asked) -> Answer:
        scores = self.scores(asked)
        best, chances = self.slate(asked, scores)
        reasons = self.reasons(asked, best)
        entries = [self._entry(scores, number, because) for number, because in zip(best.tolist(), reasons, strict=True)]
        if chances is not None:
            for entry, chance in zip(entries, chances.tolist(), strict=True):
                entry["chance"] = rounded(chance)
        return Answer(entries, None, evidence=self._notes(asked))

    def slate(self, asked: Asked, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """The items that are shown, and the chance with which each stands at its place; None: the ranking itself.

        What is asked as of a moment (`now`) is a replay, and never explored.
        """
        explore, k = self.exploration, asked.history.k
        if explore is None or not math.isnan(asked.history.now):
            return self.listed(asked, scores, k), None
        pool = self.listed(asked, scores, max(k, explore.pool))
        slate = explore.slate(scores[pool], self.index.touched[pool], k, self.random)
        return pool[slate.places], slate.chances

    @cached_property
    def exploration(self) -> Exploration | None:
        """How the product says that it explores."""
        return Exploration.of((self.column.state.get(kinds.WRITTEN) or {}).get("explore"))

    def _entry(self, scores: np.ndarray, number: int, because: str) -> Json:
        catalogue = self.index.catalogue
        item = catalogue.ids[number]
        title = catalogue.title(item)
        people = int(self.index.people[number])
        said = {"item": item, **({"title": title} if title != item else {}), "score": rounded(float(scores[number]))}
        said |= catalogue.told(item)
        if because:
            return {**said, "reason": f"as you had {catalogue.title(because)}", "because": [because]}
        return {**said, "reason": f"{people:,} people had it" if people else "new", "because": [], "people": people}

    def reasons(self, asked: Asked, numbers: np.ndarray) -> list[str]:
        """The item of the history that speaks most for each of these (k,); '' where none does."""
        found = self._spoken_for(asked.known, self.scorer, numbers)
        listed = self.arrangement
        if listed is not None and listed.content is not None and listed.is_new[numbers].any():
            by_content = self._spoken_for(asked.known, listed.content, numbers)
            found = [by_content[place] if listed.is_new[number] else found[place]
                     for place, number in enumerate(numbers.tolist())]  # fmt: skip
        return found

    def _spoken_for(self, known: Known, scorer: Scorer, numbers: np.ndarray) -> list[str]:
        if not isinstance(scorer, Because) or not len(known) or not len(numbers):
            return [""] * len(numbers)
        adds = np.asarray(scorer.because(known.items, known.weights, known.times, numbers))
        places, ids = np.argmax(adds, axis=1), self.index.catalogue.ids
        return [ids[int(known.items[place])] if adds[row, place] > 0 else "" for row, place in enumerate(places)]

    def _notes(self, asked: Asked) -> tuple[str, ...]:
        """What a person should know of the answer."""
        said = []
        if not asked.is_known:
            said.append(f"user {shown(asked.history.user)} is not known")
        if asked.unknown:
            named = ", ".join(map(shown, asked.unknown[:MOST_NAMED]))
            more = f" and {len(asked.unknown) - MOST_NAMED:,} more" if len(asked.unknown) > MOST_NAMED else ""
            said.append(f"not known, and without effect: {named}{more}")
        if not (asked.known.weights > 0).any():
            said.append("nothing is known of what is liked: what is popular is recommended")
        if self.index.hides_for_age(asked.history.age):
            said.append("items for grown-ups are left out, as `age` is not told")
        return tuple(said)

    # measured --------------------------------------------------------------------------------------------------------

    def marks(self, rows: Sequence[Row], truth: Sequence[Any], root: Path | None = None) -> RankedMarks:
        """Its lists beside what was liked, and beside what is popular. Raises: DataError: as `asked`."""
        kind = kinds.of(self.manifest.output)
        asked, right = self.asked(rows, root), [kind.read(value, root) for value in truth]
        plain = replace(self, scorer=Popular(self.index.events))
        own, popular = measured(self, asked, right), measured(plain, asked, right)
        return replace(own, popular=popular)

    def golden(self, rows: Sequence[Row]) -> list[str]:
        """The items with their scores, as golden rows keep them."""
        found = []
        for asked in self.asked(rows):
            scores = self.scores(asked)
            best = self.listed(asked, scores, N_RANKED)
            pairs = [[self.index.catalogue.ids[number], rounded(float(scores[number]))] for number in best.tolist()]
            found.append(json.dumps(pairs, ensure_ascii=False))
        return found

    def difference(self, rows: Sequence[Row], wanted: Sequence[Any]) -> float:
        """The largest difference of a score, as a share of the largest. Raises: DataError: no lists."""
        return max((_apart(_pairs(now), _pairs(then)) for now, then in zip(self.golden(rows), wanted, strict=True)),
                   default=0.0)  # fmt: skip

    def gap(self, answer: Json, wanted: Any) -> float:
        """The same of one answer as the server gives it."""
        try:
            given = [(str(each["item"]), float(each["score"])) for each in answer["value"]]
            return _apart(given, _pairs(wanted))
        except (DataError, KeyError, TypeError, ValueError):
            return math.inf


def tells_nothing(scores: np.ndarray) -> bool:
    """All items alike."""
    return not len(scores) or float(scores.max()) == float(scores.min())


def rounded(value: float) -> float:
    """To six digits."""
    return float(f"{value:.6g}")


def measured(recommender: Recommender, asked: Sequence[Asked], right: Sequence[History]) -> RankedMarks:
    """The lists of these rows beside what was liked and had not been seen. Among equal scores an item stands in the
    middle of them."""
    index, n_rows = recommender.index, len(asked)
    shown_items = np.full((n_rows, N_RANKED), -1, np.int64)
    each = {name: np.full(n_rows, np.nan) for name in EACH}
    n_right, n_unseen = np.zeros(n_rows, np.int64), np.zeros(n_rows, np.int64)
    for row, (question, truth) in enumerate(zip(asked, right, strict=True)):
        scores = recommender.scores(question)
        best = recommender.listed(question, scores, N_RANKED)
        shown_items[row, : len(best)] = best
        seen = set() if question.history.keeps_seen else set(question.history.items)
        liked = [item for item in truth.liked if item not in seen]
        if not liked:
            continue
        numbers = index.numbers(liked)
        known = numbers[numbers >= 0]
        ranks = np.full(len(liked), UNRANKED)
        ranks[: len(known)] = [_rank(scores, number, best) for number in known.tolist()]
        n_right[row] = len(liked)
        n_unseen[row] = len(liked) - int((index.touched[known] > 0).sum())
        for name, value in of_list(ranks).items():
            each[name][row] = value
    n_events = np.array([len(question.known) for question in asked], np.int64)
    return RankedMarks(shown_items, each, index.events, n_events, n_right, n_unseen)


def _rank(scores: np.ndarray, number: int, best: np.ndarray) -> int:
    """As it is shown, else from how many score more."""
    inside = np.flatnonzero(best == number)
    if len(inside):
        return int(inside[0]) + 1
    if not np.isfinite(scores[number]):
        return UNRANKED
    more, equal = int((scores > scores[number]).sum()), int((scores == scores[number]).sum())
    return max(N_RANKED + 1, more + (equal + 1) // 2)


def _joined(before: Known, said: Known) -> Known:
    """The user's own history and what a row adds to it; what both have counts once."""
    if not len(said):
        return before
    there = set(zip(before.items.tolist(), before.times.tolist(), strict=True))
    pairs = zip(said.items.tolist(), said.times.tolist(), strict=True)
    new = np.array([pair not in there for pair in pairs], bool)
    items, times, weights = (
        np.concatenate([getattr(before, name), getattr(said, name)[new]]) for name in ("items", "times", "weights")
    )
    order = np.argsort(times, kind="stable")
    return Known(items[order], times[order], weights[order])


def _pairs(text: Any) -> list[tuple[str, float]]:
    """Raises: DataError: no list of items with scores."""
    try:
        return [(str(item), float(score)) for item, score in json.loads(text)]
    except (ValueError, TypeError):
        raise DataError("a golden answer is damaged, expected items with their scores") from None


def _apart(given: Sequence[tuple[str, float]], wanted: Sequence[tuple[str, float]]) -> float:
    """Scores place by place, as items of one score may change places; and those of each item that both name. A list
    with too few names in common is another one."""
    if len(given) != len(wanted):
        return math.inf
    if not wanted:
        return 0.0
    unit = max(max(abs(score) for _, score in wanted), 1e-9)
    there = dict(given)
    by_place = max(abs(one - other) for (_, one), (_, other) in zip(given, wanted, strict=True))
    last = wanted[-1][1]
    by_name = max(abs(there.get(item, last) - score) for item, score in wanted)
    return max(by_place, by_name) / unit


def load(folder: Path, manifest: Manifest) -> Recommender:
    """Raises: DataError: it is damaged."""
    index = item_index.load(folder)
    scorer = scorers.load(folder, manifest.settings)
    rules = Rules.of(manifest.output.state)
    listed = arrangement.load(folder, rules, index.touched == 0, index.margins) if rules.as_json() else None
    found = Recommender(manifest, scorer, index, known_users.load(folder, len(index)), listed)
    if not any(kinds.get(column.kind).has_events for column in manifest.inputs):
        raise DataError(f"{folder} has no input that is a history, expected one")
    empty = np.zeros(0, np.int64)
    size = np.shape(scorer.scores(empty, np.zeros(0, np.float32), np.zeros(0), 0.0))
    if size != (len(index),):
        raise DataError(f"{folder} scores {size} items, expected {len(index):,}")
    return found
