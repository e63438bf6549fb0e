"""What can be done about the model, its use and the machines it runs on. Each item names its evidence."""

from collections.abc import Iterator

from windlass.metrics import LOWER, Estimate
from windlass.pages.words import count, measure, metric_name, percent, plain, quoted, share
from windlass.planning.data_items import chance_of
from windlass.planning.setting import Setting, item, points_of
from windlass.planning.worth import running
from windlass.records import Candidate, Item

MOST_TEST = 10.0
SMALL_COLUMN = 0.003
MUCH_FASTER = 1.5


def other_model(setting: Setting) -> Iterator[Item]:
    """The best candidate of the leaderboard that is certainly better than the chosen one, and fits or could be let
    in."""
    evidence = setting.evidence
    better = [(name, gain) for name, gain in evidence.others.items() if gain.low > 0]
    if not better:
        return
    name, gain = max(better, key=lambda pair: pair[1].value)
    other, mine = evidence.board.candidate(name), evidence.best
    _, now = running(mine, setting.product, setting.prices)
    _, then = running(other, setting.product, setting.prices)
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
        evidence=f"leaderboard, both on {count(evidence.board.n_test)} test rows",
        method="paired bootstrap of the difference",
        gain=gain,
        money=Estimate(*(value - (then - now) for value in (money.value, money.low, money.high))),
        chance=chance_of(gain),
        sure="measured",
        cost=0.0,
        hours=2 + 4 * bool(limits),
        days=1,
        acceptance=f"`windlass release {name}` is the champion",
        measure=f"champion:{name}",
        bound=1.0,
        instead_of="model",
    )


def cheaper_model(setting: Setting) -> Iterator[Item]:
    """A candidate that is not measurably worse, where it saves machines or brings the limits within reach."""
    evidence, mine = setting.evidence, setting.evidence.best
    _, now = running(mine, setting.product, setting.prices)
    for other in evidence.board.candidates:
        _, then = running(other, setting.product, setting.prices)
        is_needed = bool(_limits_missed(mine, evidence.metric)) and not _limits_missed(other, evidence.metric)
        if not other.as_good_as_chosen or not (is_needed or then < now * 0.9) or other.name not in evidence.others:
            continue
        gain = evidence.others[other.name]
        yield item(
            setting,
            id=f"cheaper-{other.name}",
            what=f"Serve '{other.name}' instead of '{mine.name}': it is not measurably worse and costs less to run",
            why=f"the difference is {points_of(gain)}; an answer takes {measure(other.latency_p50_ms, 'ms')} "
            f"instead of "
            f"{measure(mine.latency_p50_ms, 'ms')}, size {measure(other.size_mb, 'MB')} instead of "
            f"{measure(mine.size_mb, 'MB')}",
            evidence=f"leaderboard, both on {count(evidence.board.n_test)} test rows",
            method="paired bootstrap; machines by processor time of an answer",
            gain=gain,
            money=Estimate(now - then, now - then, now - then),
            chance=1.0,
            sure="measured",
            cost=0.0,
            hours=2,
            days=1,
            acceptance=f"`windlass release {other.name}` is the champion",
            measure=f"champion:{other.name}",
            bound=1.0,
            instead_of="model",
        )
        return


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
        why=f"{name} is {share(today.value)}, but may be anything from {share(today.low)} to {share(today.high)}: "
        f"the goal "
        f"{goal:g} lies between, so nobody can say whether it is {'met' if today.value >= goal else 'missed'}",
        evidence=f"95 % interval on {count(n_test)} test rows",
        method="the interval narrows with the root of the rows",
        gain=None,
        chance=None,
        sure="measured",
        cost=more * setting.label_cost,
        hours=2 + (0.05 * more if setting.label_cost else more) / setting.prices.label_rows_hour,
        days=7 * more / setting.product.rows_a_week,
        acceptance=f"{count(needed)} test rows, and the goal outside of the interval",
        measure="test_rows",
        bound=float(needed),
    )


def hand_over(setting: Setting) -> Iterator[Item]:
    """Deciding by what mistakes cost, a person among the choices."""
    found = setting.handover
    if found is None or found.saved.low <= 0 or found.saved.value * setting.worth.month < 1:
        return
    month, currency = setting.worth.month, setting.product.currency
    each = found.saved
    if found.threshold is not None:
        what = f"Hand answers under {percent(found.threshold)} confidence to a person"
    else:
        what = "Decide by what mistakes cost: give the label whose expected cost is least, or hand over to a person"
    hours = found.handed * setting.product.requests_a_day * setting.product.case_minutes / 60
    share_words = (
        f"{percent(found.handed)} of the cases, about {hours:.1f} hours of work a day" if found.handed else "none"
    )
    yield item(
        setting,
        id="handover",
        what=what,
        why=f"an answer costs {currency} {found.now:.2f} in mistakes on average; decided by cost {currency} "
        f"{found.best:.2f}, the work of people included. They would take {share_words}; of the answers still given "
        f"{percent(found.wrong)} are wrong instead of {percent(found.wrong_now)}",
        evidence=f"calibrated confidence and right answers of {count(setting.evidence.board.n_test)} test rows",
        method="cost of each choice by its probability (Chow 1970, Elkan 2001); bootstrap of the saving",
        gain=None,
        money=Estimate(each.value * month, each.low * month, each.high * month),
        chance=0.975 if each.low > 0 else None,
        sure="measured",
        cost=0.0,
        hours=8,
        days=7,
        acceptance=f"about {percent(found.handed)} of the cases are handed over, and mistakes cost {currency} "
        f"{found.best:.2f} an answer or less",
        measure="handed_over",
        bound=round(found.handed / 2, 4),
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
        fall = accuracy.value - health.measured.value
        gain = Estimate(max(fall, 0.0) / 2, 0.0, max(accuracy.value - health.measured.low, 0.0))
    yield item(
        setting,
        id="retrain",
        what="Learn from recent rows (`windlass improve`) and release again",
        why="; ".join(plain(alarm.words) for alarm in serious[:3]),
        evidence=f"`windlass watch`, {count(health.answers)} answers and {count(health.feedback)} with feedback",
        method="half of what was lost against the test rows comes back (none to all of it)",
        gain=gain,
        chance=None,
        sure="rough",
        cost=0.0,
        hours=4,
        days=2,
        acceptance="no such alarm in the next watch",
        measure="alarms",
        bound=0.0,
        at_most=True,
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
        chance=chance_of(gain),
        sure="measured",
        cost=0.0,
        hours=2,
        days=1,
        acceptance=f"at most {kept} input columns, and the goal still met",
        measure="inputs",
        bound=float(kept),
        at_most=True,
    )


def fairness(setting: Setting) -> Iterator[Item]:
    """Groups of a marked column that are answered differently."""
    for each in setting.unequal[:1]:
        yield item(
            setting,
            id=f"fair-{each.column}",
            what=f"Treat groups of {quoted(each.column)} alike: more rows of the worse group, a threshold each, or "
            f"leave "
            "the column out; then measure again",
            why=f"of those who are truly {quoted(each.label)}, {percent(each.low.value)} are found where "
            f"{each.low_words}, "
            f"{percent(each.high.value)} where {each.high_words}",
            evidence=f"difference {percent(each.gap.value)} [{percent(each.gap.low)}, {percent(each.gap.high)}] on "
            f"test rows",
            method="equal opportunity (Hardt et al. 2016), certain after correcting for all groups compared",
            gain=None,
            chance=None,
            sure="measured",
            cost=0.0,
            hours=16,
            days=14,
            acceptance=f"the difference is at most {percent(each.gap.value / 2)}",
            measure=f"unequal:{each.column}",
            bound=round(each.gap.value / 2, 4),
            at_most=True,
        )


def machines(setting: Setting) -> Iterator[Item]:
    """More machines, where the peak needs them."""
    found, month = running(setting.evidence.best, setting.product, setting.prices)
    if found.machines < 2:
        return
    yield item(
        setting,
        id=f"machines-{found.machines}",
        what=f"Run {found.machines} machines ({setting.prices.machine_cores} cores each) at the peak",
        why=f"{setting.product.peak:,.1f} answers in the busiest second; one machine gives "
        f"{found.answers_a_second:,.0f} "
        "and should not be planned for more than 60 % of it",
        evidence=f"processor time of an answer: {measure(setting.evidence.best.latency_p50_ms, 'ms')} by the model, "
        "1.1 ms for the request",
        method="utilisation; waiting by M/M/c",
        gain=None,
        money=None,
        chance=None,
        sure="forecast",
        cost=0.0,
        hours=4,
        days=1,
        acceptance=f"{found.machines} machines; {setting.product.currency} {month:,.0f} a month",
        measure="machines",
        bound=float(found.machines),
    )
