"""What can be done about ranked lists: more histories, nightly learning, what is told of items, and what was shown."""

from collections.abc import Iterator

from windlass.kinds import table as kinds
from windlass.metrics.measures import Estimate
from windlass.pages.text.words import count, percent, share
from windlass.planning.context import Setting
from windlass.planning.items.data import CURVE, UNMEASURED, grown
from windlass.planning.items.item import REAL, at_least, at_most, forecast, item, points_of
from windlass.records import Item, Json

STEPS = (0.5, 1.0)
"""Of the histories that are there, so many more."""
MANY_UNSEEN, MANY_COLD = 0.1, 0.2
"""Shares of what is liked that no event has shown, and of users of whom little is known."""
QUOTA = 0.1


def has_lists(setting: Setting) -> bool:
    """A row is all that somebody did."""
    return any(kinds.get(kind).has_events for kind in setting.evidence.spec.inputs.values()) and (
        "targets" in setting.evidence.board.details
    )


def more_histories(setting: Setting) -> Iterator[Item]:
    """What more users bring, by the learning curve over those that are there."""
    evidence = setting.evidence
    if not has_lists(setting) or evidence.curve is None:
        return
    first, last = evidence.points[0], evidence.points[-1]
    before, after = (float(sum(each["scores"]) / len(each["scores"])) for each in (first, last))
    for step in STEPS:
        more = int(max(10, round(step * evidence.n_rows, -1)))
        told = forecast(grown(setting, evidence.curve, more))
        yield item(
            setting,
            id=f"histories-{evidence.n_rows + more}",
            what=f"Let {count(more)} more users' events come in ({count(evidence.n_rows + more)} in all)",
            why=f"with {count(first['rows'])} users the score was {share(before)}, with {count(last['rows'])} it was "
            f"{share(after)} (validation rows)" + ": it has nearly stopped rising" * (told["gain"].value < REAL),
            evidence=f"{sum(len(each['scores']) for each in evidence.points)} trainings of '{evidence.learner}' on "
            f"{len(evidence.points)} sizes",
            method=CURVE,
            **told,
            how="a longer log, events that are not in it yet (views, baskets, ratings), or wait; then `windlass run`",
            hours=2.0,
            days=30.0 * step,
            instead_of="rows",
            acceptance=f"{count(evidence.n_rows + more)} users to learn from",
            until=at_least("learn_rows", evidence.n_rows + more),
        )


def nightly(setting: Setting) -> Iterator[Item]:
    """Learning each night, by what a model that is older by the span of the validation rows loses."""
    found = setting.evidence.freshness
    if not found:
        return
    gain, days = Estimate(**found["gain"]), found["days"]
    if gain.value <= 0:
        return
    yield item(
        setting,
        id="nightly",
        what="Learn from each day's events at night",
        why=f"a model that is {days:.0f} days older scores {points_of(Estimate(-gain.value, -gain.high, -gain.low))} "
        "on the same test rows",
        evidence=f"two trainings of '{setting.evidence.learner}', one without the last {days:.0f} days before the test",
        method="paired by user on the test rows",
        gain=gain,
        sure="measured",
        how="`windlass improve --every 1d` beside the service, with what came of lists as feedback and "
        "`keep_inputs: true`",
        hours=1.0,
        days=1.0,
        acceptance="an attempt of `windlass improve`",
        until=at_least("improvements", len(setting.evidence.improvements) + 1),
    )


def unseen_items(setting: Setting) -> Iterator[Item]:
    """Texts of items, or places for new ones, where much of what is liked no event has shown."""
    if not has_lists(setting):
        return
    details, shape = setting.evidence.board.details, setting.evidence.spec.items
    part = details["unseen_targets"] / max(1, details["targets"])
    if shape is None or part < MANY_UNSEEN or shape.new:
        return
    is_told = bool(shape.catalogue)
    yield item(
        setting,
        id="new-items" if is_told else "catalogue",
        what="Keep one place of ten for new items" if is_told else "Give a table of the items with their texts",
        why=f"{count(details['unseen_targets'])} of {count(details['targets'])} liked items ({percent(part)}) are of "
        "no event before: no learner of events can find them",
        evidence="liked items of the test rows, and the events before them",
        method=UNMEASURED,
        benefit="items are found from their first day on",
        sure="rough",
        how=f"`items: {{new: {QUOTA}}}` in windlass.yaml, then `windlass run`: the board says what it costs" if is_told
        else "`items: {catalogue: data/items.csv}` in windlass.yaml, then `windlass run`",
        hours=0.5 if is_told else 8.0,
        days=0.0,
        acceptance="fewer liked items that no event has shown",
        until=at_most("unseen_share", round(part / 2, 3)),
    )  # fmt: skip


def exploring(setting: Setting) -> Iterator[Item]:
    """A list in twenty by chance, where nothing is explored."""
    shape = setting.evidence.spec.items
    if not has_lists(setting) or shape is None or shape.explore:
        return
    yield item(
        setting,
        id="explore",
        what="Fill a list in twenty by chance",
        why="what was never shown is never clicked: without chance a log cannot say what another release would earn",
        evidence="windlass.yaml says nothing of `explore`",
        method=UNMEASURED,
        benefit="another release can be judged by the clicks of the log, with an interval, before it is shown",
        sure="fact",
        how="`items: {explore: {epsilon: 0.05}}` in windlass.yaml, then `windlass run` and `windlass release`",
        hours=0.5,
        days=0.0,
        acceptance="lists with chances in the log",
        until=at_least("explores", 1),
    )


def cold_users(setting: Setting) -> Iterator[Item]:
    """Asking newcomers what they like, where of many little is known and they are answered worse."""
    if not has_lists(setting):
        return
    users = setting.evidence.board.details.get("users", {})
    part = cold_share(users)
    if part is None or part < MANY_COLD:
        return
    n_cold, n_all = users["cold"]["users"], users["cold"]["users"] + users["warm"]["users"]
    yield item(
        setting,
        id="newcomers",
        what="Ask newcomers for a few items that they like",
        why=f"of {count(n_cold)} of {count(n_all)} users ({percent(part)}) fewer than five events are known",
        evidence="events of each test user before the test",
        method=UNMEASURED,
        benefit="newcomers are answered as others are",
        sure="rough",
        how="send the chosen items as `history` of the first request",
        hours=8.0,
        days=0.0,
        acceptance="fewer users of whom little is known",
        until=at_most("cold_share", round(part / 2, 3)),
    )


def cold_share(users: Json) -> float | None:
    """Of the test users, those of whom little is known; None where a row is no user."""
    n_cold, n_warm = (users.get(name, {}).get("users", 0) for name in ("cold", "warm"))
    return n_cold / (n_cold + n_warm) if n_cold + n_warm else None
