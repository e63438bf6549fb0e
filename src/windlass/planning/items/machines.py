"""What can be done about the machines that answer, and about the weight of the model that they run."""

from collections.abc import Iterator
from math import ceil

from windlass.metrics.measures import Estimate
from windlass.pages.text.words import amount, count, measure, number, plain
from windlass.planning.context import Setting
from windlass.planning.evidence.compression import FOLDER, is_better
from windlass.planning.items.item import at_least, at_most, item, points_of
from windlass.planning.schedule.capacity import BUSIEST, mean_wait_s
from windlass.planning.schedule.economics import rent
from windlass.records import Item, Json

RESTLESS = 5.0
"""A p95 so many times the p50 comes from other programs on the machine rather than from the model."""
TRIAL_ERROR = 0.3
"""How far a short trial has been from a load test at most (benchmarks/results/planning.md)."""


def hardware(setting: Setting) -> Iterator[Item]:
    """More processes, machines or larger ones where what runs today does not carry the peak; fewer where it is more
    than that takes."""
    if setting.carried >= setting.asked_for:
        yield from _fewer(setting)
    elif setting.product.machines * _cores(setting) / setting.request_s >= setting.asked_for:
        yield _workers(setting)
    else:
        yield _machines(setting)


def _cores(setting: Setting) -> int:
    """Of a machine that runs today."""
    return max(setting.prices.machine_cores, setting.product.workers)


def _why(setting: Setting) -> str:
    product = setting.product
    return (
        f"the busiest second asks for {few(product.peak)} answers; what runs today ({machines_words(setting)}) gives "
        f"{count(setting.carried)} a second and should not be planned for more than {BUSIEST:.0%} of that: above, "
        "waiting grows faster than traffic"
    ).replace("%", " %")


def few(value: float) -> str:
    """Answers a second, also where they are under one."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def machines_words(setting: Setting) -> str:
    """What serves today."""
    product = setting.product
    machines = f"{count(product.machines)} machine{'s' * (product.machines != 1)}"
    return f"{machines} with {count(product.workers)} process{'es' * (product.workers != 1)}" + (
        " each" if product.machines > 1 else ""
    )


def _served(setting: Setting, cores: int, carries: float) -> str:
    """What there is at the peak afterwards, and how sure that is."""
    peak, seconds = setting.product.peak, setting.request_s
    wait = 1000 * mean_wait_s(cores, peak, seconds)
    low, high = (carries / (1 + sign * TRIAL_ERROR) for sign in (1, -1))
    before = 1000 * mean_wait_s(setting.cores_in_use, peak, seconds)
    instead = "without end" if before == float("inf") else measure(before, "ms")
    return (
        f"{count(carries)} answers a second [{count(low)}, {count(high)}]; at the peak a request waits "
        f"{measure(wait, 'ms')} for a free core instead of {instead}"
    )


def _trial(setting: Setting) -> Json:
    """Evidence, method, and how sure it is."""
    spent = f"{1000 * setting.request_s:.1f} ms of a processor for one request"
    evidence, sure = f"{spent}, estimated from the time of an answer: there is no release to try", "rough"
    if setting.evidence.request_s is not None:
        evidence, sure = f"{spent}, measured on the champion over HTTP", "measured"
    return {"evidence": evidence, "method": METHOD, "sure": sure}


METHOD = (
    f"use of the machines and waiting by M/M/c; the brackets are the trial's {TRIAL_ERROR:.0%} of error against load "
    "tests"
).replace("%", " %")


def _workers(setting: Setting) -> Item:
    product = setting.product
    workers = min(_cores(setting), ceil(setting.asked_for * setting.request_s / product.machines))
    in_use = product.machines * workers
    return item(
        setting,
        id=f"workers-{workers}",
        what=f"Serve with {workers} processes on each machine, one a core",
        why=_why(setting),
        **_trial(setting),
        benefit=_served(setting, in_use, in_use / setting.request_s),
        how=f"`windlass serve --workers {workers}`; then `workers: {workers}` in product.yaml",
        hours=1,
        days=0,
        acceptance=f"`workers: {workers}` or more, and the busiest second is answered in time",
        until=at_least("workers", workers),
    )


def _machines(setting: Setting) -> Item:
    found, month = setting.running(setting.evidence.best)
    product, prices = setting.product, setting.prices
    more = month - rent(product, prices)
    several = "s" * (found.machines != 1)
    is_larger = found.cores != prices.machine_cores
    acceptance = f"`machines: {found.machines}` and `workers: {found.cores}` in product.yaml"
    return item(
        setting,
        id=f"machines-{found.machines}x{found.cores}",
        what=f"Run {found.machines} {'larger ' * is_larger}machine{several} of {found.cores} cores for the peak",
        why=f"{_why(setting)}. By the price list these are the cheapest that carry it: "
        f"{amount(month, product.currency)} a month",
        **_trial(setting),
        benefit=_served(setting, found.machines * found.cores, found.machines * found.answers_a_second),
        how=f"`windlass ship kubernetes` or `windlass ship systemd`, each with `--workers {found.cores}`, behind a "
        "load balancer"
        if found.machines > 1
        else f"rent it, `windlass serve --workers {found.cores}`, then turn the old one off",
        monthly=more,
        hours=4,
        days=1,
        acceptance=f"{acceptance}, and the busiest second is answered in time",
        until=at_least("cores", found.machines * found.cores),
    )


def _fewer(setting: Setting) -> Iterator[Item]:
    """Machines that the peak does not need, where somebody said how many there are."""
    found, month = setting.running(setting.evidence.best)
    product, prices = setting.product, setting.prices
    spared = rent(product, prices) - month
    if found.cores != prices.machine_cores or found.machines >= product.machines or spared <= 0:
        return
    yield item(
        setting,
        id=f"fewer-machines-{found.machines}",
        what=f"Give back {count(product.machines - found.machines)} of {count(product.machines)} machines",
        why=f"the busiest second asks for {few(product.peak)} answers, one machine gives "
        f"{count(found.answers_a_second)}; with one alone, nobody is answered while it stands still",
        **_trial(setting),
        money=Estimate(spared, spared, spared),
        how="move traffic away first; watch p95 for a day",
        hours=2,
        days=1,
        acceptance=f"`machines: {found.machines}` in product.yaml, and the busiest second is answered in time",
        until=at_most("machines", found.machines),
    )


def compression(setting: Setting) -> Iterator[Item]:
    """8-bit weights, where a copy that was tried is much smaller or faster."""
    found, mine = setting.evidence.compressed, setting.evidence.best
    if not found or found["fault"] or not is_better(found):
        return
    gain = Estimate(**found["gain"])
    _, now = setting.running(mine)
    _, then = setting.running_with(found["ms"] - found["ms_now"])
    money = setting.worth.money(gain)
    place = f".windlass/plan/{FOLDER}"
    closing = "; that brings it within the limits" if fits_when_compressed(setting) else ""
    yield item(
        setting,
        id=f"int8-{mine.name}",
        what=f"Answer from 8-bit weights of '{mine.name}'",
        why=f"a copy with 8-bit weights was made and tried: {measure(found['size_mb'], 'MB')} instead of "
        f"{measure(found['size_mb_now'], 'MB')}, {measure(found['ms'], 'ms')} of a processor for an answer instead of "
        f"{measure(found['ms_now'], 'ms')}{closing}; the score changes by {points_of(gain)}",
        evidence=f"the copy beside the model on {count(found['rows'])} validation rows",
        method="int8 weights, one scale a channel, activations rounded at each run; paired bootstrap",
        gain=gain,
        money=Estimate(*(value + now - then for value in (money.value, money.low, money.high))),
        sure="measured",
        how="Windlass releases no such copy yet, as its answers differ from those that were tested. It lies in "
        f"`{place}`: `windlass.load('{place}').predict(rows)` answers from it in a program of your own",
        hours=8,
        days=2,
        acceptance=f"what answers takes at most {measure(found['size_mb'], 'MB')}, and the goal is still met",
        until=at_most("size_mb", round(found["size_mb"], 3)),
        instead_of="model",
    )


def fits_when_compressed(setting: Setting) -> bool:
    """Limits that the model misses are kept by the copy."""
    found, best, limits = setting.evidence.compressed, setting.evidence.best, setting.evidence.board.limits
    if not found or found["fault"]:
        return False
    slow, large = number(limits.get("latency_p95_ms")), number(limits.get("size_mb"))
    pairs = [
        (slow, best.latency_p95_ms, best.latency_p95_ms * found["ms"] / found["ms_now"]),
        (large, best.size_mb, found["size_mb"]),
    ]
    known = [(limit, before, after) for limit, before, after in pairs if limit is not None]
    return any(before > limit for limit, before, _ in known) and all(after <= limit for limit, _, after in known)


def too_slow(setting: Setting) -> Iterator[Item]:
    """The limit of time that is missed, where no other model and no 8-bit weights keep it."""
    evidence, best = setting.evidence, setting.evidence.best
    limit = number(evidence.board.limits.get("latency_p95_ms"))
    others = [each for each in evidence.board.candidates if each.as_good_as_chosen and each.name in evidence.others]
    if limit is None or best.latency_p95_ms <= limit or fits_when_compressed(setting):
        return
    if any(each.latency_p95_ms <= limit for each in others):
        return
    p50, p95 = measure(best.latency_p50_ms, "ms"), measure(best.latency_p95_ms, "ms")
    is_restless = best.latency_p95_ms > RESTLESS * best.latency_p50_ms and best.latency_p50_ms <= limit
    times = best.latency_p95_ms / limit
    what, how = (
        ("Measure the time of an answer again, on a machine that does nothing else", "`windlass evaluate`")
        if is_restless
        else (f"Serve on a processor that is {times:.1f} times as fast, or allow {p95}",
              "run `windlass evaluate` there; or `limits:` in windlass.yaml")
    )  # fmt: skip
    told = (
        f"; half of them take {p50} or less, so other programs on that machine are the likelier cause"
        if is_restless
        else f"; no candidate that is as good is fast enough, and 8-bit weights {_not_enough(setting)}"
    )
    yield item(
        setting,
        id="latency",
        what=what,
        why=f"one answer in twenty takes more than {p95}, {limit:g} ms are allowed: `windlass release` refuses{told}",
        evidence=f"time of single answers on {plain(evidence.board.machine, 80)}",
        method="none needed: it was timed",
        sure="measured",
        benefit="a model that may be released",
        how=how,
        hours=1 if is_restless else 4,
        days=0 if is_restless else 2,
        acceptance=f"p95 is at most {limit:g} ms",
        until=at_most("p95_ms", limit),
    )


def _not_enough(setting: Setting) -> str:
    found = setting.evidence.compressed
    if not found or found["fault"]:
        return "were not tried" if found else "do not apply to it"
    return f"would take {measure(found['ms'], 'ms')} instead of {measure(found['ms_now'], 'ms')}"


def closing(setting: Setting) -> dict[str, float]:
    """id -> gaps beside the one in quality that an item here closes."""
    found = {each.id: 1.0 for each in [*hardware(setting), *too_slow(setting)] if not each.id.startswith("fewer")}
    return found | ({f"int8-{setting.evidence.best.name}": 1.0} if fits_when_compressed(setting) else {})
