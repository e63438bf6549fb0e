"""What can be done about the model, its use and the machines it runs on. Each item names its evidence."""

from collections.abc import Iterator

from windlass.improving.verdict import CHANGED
from windlass.metrics.measures import LOWER, Estimate
from windlass.pages.text.words import count, measure, metric_name, percent, plain, quoted, share
from windlass.planning.context import Setting
from windlass.planning.items.data import LEAST_EXCHANGE, effort
from windlass.planning.items.item import at_least, at_most, item, points_of
from windlass.planning.schedule.economics import exchange
from windlass.records import Candidate, Item, Json

MOST_TEST = 10.0
SMALL_COLUMN = 0.003
RETRAIN = "`windlass improve --rows new.csv`, or `windlass improve` alone where there is feedback"


def other_model(setting: Setting) -> Iterator[Item]:
    """The best candidate of the leaderboard that is certainly better than the chosen one, and fits or could be let
    in."""
    evidence = setting.evidence
    better = [(name, gain) for name, gain in evidence.others.items() if gain.low > 0]
    if not better:
        return
    name, gain = max(better, key=lambda pair: pair[1].value)
    other, mine = evidence.board.candidate(name), evidence.best
    _, now = setting.running(mine)
    _, then = setting.running(other)
    money = setting.worth.money(gain)
    limits = [miss for miss in other.misses if not miss.startswith(evidence.metric)]
    raised = f"; needs a higher limit ({plain('; '.join(limits))})" if limits else ""
    yield item(
        setting,
        id=f"model-{name}",
        what=f"Serve '{name}' instead of '{mine.name}'",
        why=f"on the same test rows it is better by {points_of(gain)}; an answer takes "
        f"{measure(other.latency_p50_ms, 'ms')} instead of {measure(mine.latency_p50_ms, 'ms')}, and the machines "
        f"{setting.product.currency} {then:,.0f} a month instead of {now:,.0f}{raised}",
        method="paired bootstrap of the difference",
        gain=gain,
        money=Estimate(*(value - (then - now) for value in (money.value, money.low, money.high))),
        how=f"`windlass release {name}`" + "; raise the limit in windlass.yaml first" * bool(limits),
        hours=2 + 4 * bool(limits),
        **_another_champion(setting, name),
    )


def cheaper_model(setting: Setting) -> Iterator[Item]:
    """A candidate that is not measurably worse, where it saves machines or brings the limits within reach."""
    evidence, mine = setting.evidence, setting.evidence.best
    _, now = setting.running(mine)
    for other in evidence.board.candidates:
        _, then = setting.running(other)
        is_needed = bool(_limits_missed(mine, evidence.metric)) and not _limits_missed(other, evidence.metric)
        if not other.as_good_as_chosen or not (is_needed or then < now * 0.9) or other.name not in evidence.others:
            continue
        gain = evidence.others[other.name]
        yield item(
            setting,
            id=f"cheaper-{other.name}",
            what=f"Serve '{other.name}' instead of '{mine.name}': it is not measurably worse and costs less to run",
            why=f"the difference is {points_of(gain)}; an answer takes {measure(other.latency_p50_ms, 'ms')} instead "
            f"of {measure(mine.latency_p50_ms, 'ms')}, size {measure(other.size_mb, 'MB')} instead of "
            f"{measure(mine.size_mb, 'MB')}",
            method="paired bootstrap; machines by processor time of an answer",
            gain=gain,
            money=Estimate(now - then, now - then, now - then),
            chance=1.0,
            how=f"`windlass release {other.name}`",
            hours=2,
            **_another_champion(setting, other.name),
        )
        return


def _another_champion(setting: Setting, name: str) -> Json:
    """What is the same whichever candidate of the leaderboard is served instead, and why ever."""
    return {
        "evidence": f"leaderboard, both on {count(setting.evidence.board.n_test)} test rows",
        "sure": "measured",
        "days": 1,
        "acceptance": f"`windlass release {name}` is the champion",
        "until": at_least(f"champion:{name}", 1),
        "instead_of": "model",
    }


def _limits_missed(candidate: Candidate, metric: str) -> list[str]:
    return [miss for miss in candidate.misses if not miss.startswith(metric)]


def more_test_rows(setting: Setting) -> Iterator[Item]:
    """Test rows that settle whether the goal is met, where its interval holds the goal."""
    today, goal = setting.evidence.today, setting.goal
    if today is None or goal is None or not today.low < goal < today.high or setting.evidence.metric in LOWER:
        return
    n_test = setting.evidence.board.n_test
    half = (today.high - today.low) / 2
    distance = max(abs(today.value - goal), half / MOST_TEST**0.5)
    needed = -(-n_test * (half / distance) ** 2 // 100) * 100
    more = int(needed - n_test)
    name = metric_name(setting.evidence.metric)
    if more < 50:
        return
    yield item(
        setting,
        id="test-rows",
        what=f"Label {count(more)} more rows for testing only, {count(needed)} in all",
        why=f"{name} is {share(today.value)} on {count(n_test)} test rows, but may in truth be anything from "
        f"{share(today.low)} to {share(today.high)}. The goal {goal:g} lies between: nobody can say yet whether it "
        "is met",
        evidence=f"95 % interval on {count(n_test)} test rows",
        method="the interval narrows with the root of the rows",
        sure="fact",
        benefit="certainty whether the goal is met",
        how="keep them in a file of their own, named under `data: {test: ...}` in windlass.yaml, then `windlass run`",
        **effort(setting, more, 2),
        acceptance=f"{count(needed)} test rows, and the goal outside of the interval",
        until=at_least("test_rows", needed),
    )


def hand_over(setting: Setting) -> Iterator[Item]:
    """Deciding by what mistakes cost, a person among the choices."""
    found = setting.handover
    if found is None or found.saved_now.low <= 0 or found.saved.value * setting.worth.month < 1:
        return
    month, currency, each = setting.worth.month, setting.product.currency, found.saved
    what = "Decide each case by what mistakes cost: the label whose expected cost is least, or a person"
    if found.threshold is not None:
        what = f"Hand answers under {percent(found.threshold)} confidence to a person"
    compared = "the `alternatives` of each answer, weighed by what mistakes cost"
    if found.threshold is not None:
        compared = f"the `confidence` of each answer with {found.threshold:.2f}"
    hours = found.handed * setting.product.requests_a_day * setting.product.case_minutes / 60
    told = (
        f"People would take {percent(found.handed)} of the cases, about {hours:,.1f} hours of work a day, which is in "
        "these costs and not in the hours of the plan"
    )
    if found.threshold is not None:
        told += f"; of the answers still given {percent(found.wrong)} are wrong instead of {percent(found.wrong_now)}"
    yield item(
        setting,
        id="handover",
        what=what,
        why=f"on average a case costs {currency} {found.best:,.2f} then, mistakes and people's work together; it "
        f"costs {found.now:,.2f} if the likeliest label always decides, and {found.people:,.2f} if people decide "
        f"all. {told}",
        evidence=f"calibrated confidence and right answers of {count(setting.evidence.board.n_test)} test rows",
        method="cost of each choice by its probability (Chow 1970, Elkan 2001); saving against the better of the "
        "two others, bootstrap",
        money=Estimate(each.value * month, each.low * month, each.high * month),
        chance=found.chance,
        sure="measured",
        how=f"your program asks the service and compares {compared}; `watch: {{hand_over_below: ...}}` in "
        "windlass.yaml counts what goes to people",
        hours=8,
        days=7,
        acceptance=f"about {percent(found.handed)} of the cases are handed over; a case costs {currency} "
        f"{found.best:,.2f} or less over a month",
        until=at_least("handed_over", round(found.handed / 2, 4)),
    )


def watching(setting: Setting) -> Iterator[Item]:
    """Looking at what is served, where something was released and nobody looks."""
    if setting.evidence.released is None or setting.evidence.health is not None:
        return
    yield item(
        setting,
        id="watch",
        what="Run `windlass watch` every day on what the service answers",
        why="a release is ready, and nobody would notice when its input changes or its quality falls",
        evidence="no result of `windlass watch` in the store",
        method="none needed: a missing alarm is a fact",
        sure="fact",
        benefit="an alarm within a day when input or quality change",
        how="`windlass watch --every 1d`; `watch:` in windlass.yaml says who is told",
        hours=2,
        days=1,
        acceptance="a result of `windlass watch`, not older than a day",
        until=at_least("watched", 1),
    )


def keeping(setting: Setting) -> Iterator[Item]:
    """Saying how long what users send is kept."""
    spec = setting.evidence.spec
    if not spec.keep_inputs or spec.keep_days is not None:
        return
    yield item(
        setting,
        id="keep-days",
        what="Set `keep_days:` in windlass.yaml to what you told your users",
        why="`keep_inputs: true` keeps what users send, and without `keep_days` for ever",
        evidence="windlass.yaml",
        method="none needed",
        sure="fact",
        benefit="a promise to users that is kept",
        how="such as `keep_days: 90` in windlass.yaml",
        hours=1,
        days=0,
        acceptance="`keep_days` is set",
        until=at_least("keep_days", 1),
    )


def retrain(setting: Setting) -> Iterator[Item]:
    """Retraining on recent rows, where the watch has raised an alarm."""
    health = setting.evidence.health
    if health is None:
        return
    serious = [alarm for alarm in health.alarms if alarm.name in ("drift", "concept", "quality")]
    if not serious:
        return
    gain, accuracy = None, setting.evidence.accuracy
    if health.measured is not None and accuracy is not None:
        rate = max(exchange(setting.evidence.points), LEAST_EXCHANGE)
        fall, most = (max(accuracy.value - value, 0.0) / rate for value in (health.measured.value, health.measured.low))
        gain = Estimate(fall / 2, 0.0, most)
    what, how = "Learn from recent rows (`windlass improve`) and release again", RETRAIN
    reasons = [plain(alarm.words) for alarm in serious[:3]]
    if setting.evidence.is_world_changed:
        what, how = "Train on the new rows, without old ones that no longer hold, and release again", CHANGED
        reasons.append("the last `windlass improve` answered recent rows better and old test rows worse: refused")
    yield item(
        setting,
        id="retrain",
        what=what,
        why="; ".join(reasons),
        evidence=f"`windlass watch`, {count(health.answers)} answers and {count(health.feedback)} with feedback",
        method="half of what was lost against the test rows comes back (none to all of it)",
        gain=gain,
        sure="rough",
        benefit="an end of the alarm" if gain is None else "",
        how=how,
        hours=4,
        days=2,
        acceptance="no such alarm in the next watch",
        until=at_most("alarms", 0),
        instead_of="learn",
    )


def columns(setting: Setting) -> Iterator[Item]:
    """Columns that add nothing need not be asked for."""
    useless = [
        each["column"]
        for each in setting.evidence.columns
        if each["adds"]["value"] < SMALL_COLUMN and each["adds"]["high"] < 4 * SMALL_COLUMN
    ]
    if not useless:
        return
    column = min(setting.evidence.columns, key=lambda each: each["adds"]["value"] if each["column"] in useless else 9)
    adds = column["adds"]
    gain = Estimate(-adds["value"], -adds["high"], -adds["low"])
    kept = len(setting.evidence.spec.inputs) - 1
    yield item(
        setting,
        id=f"without-{column['column']}",
        what=f"Stop asking for {quoted(column['column'])}",
        why=f"the model is as good without it ({points_of(gain)}); one field less to ask, to keep and to protect",
        evidence=f"one training without it, on validation rows (so for each of the {kept + 1} columns)",
        method="paired bootstrap of the difference",
        gain=gain,
        money=None,
        sure="measured",
        how=f"take {quoted(column['column'])} out of `inputs:` in windlass.yaml, then `windlass run`",
        hours=2,
        days=1,
        acceptance=f"at most {kept} input columns, and the goal still met",
        until=at_most("inputs", kept),
    )


def fairness(setting: Setting) -> Iterator[Item]:
    """Groups of a marked column that are answered differently."""
    for each in setting.unequal[:1]:
        yield item(
            setting,
            id=f"fair-{each.column}",
            what=f"Treat groups of {quoted(each.column)} alike: more rows of the worse group, a threshold each, or "
            "leave the column out; then measure again",
            why=f"of those who are truly {quoted(each.label)}, {percent(each.low.value)} are found where "
            f"{each.low_words}, {percent(each.high.value)} where {each.high_words}",
            evidence=f"difference {percent(each.gap.value)} [{percent(each.gap.low)}, {percent(each.gap.high)}] on "
            "test rows",
            method="equal opportunity (Hardt et al. 2016), certain after correcting for all groups compared",
            sure="measured",
            benefit="groups that are treated alike",
            how="try one change after the other and `windlass run`: each plan measures the difference again",
            hours=16,
            days=14,
            acceptance=f"the difference is at most {percent(each.gap.value / 2)}",
            until=at_most(f"unequal:{each.column}", round(each.gap.value / 2, 4)),
        )
