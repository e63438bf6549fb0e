"""The roadmap in words: what each line says, the same in the terminal, in Markdown and on the page."""

from windlass.pages.text.words import amount, count, metric_name, percent, plain, share
from windlass.records import Item, Json, Roadmap

SURE = {
    "measured": "measured in a trial",
    "forecast": "a forecast, see the method",
    "rough": "a rule of thumb, to be checked early",
    "fact": "a fact, nothing is estimated",
}
LONG_DAYS = 14
STATES = {"met": "✓ met", "unsure": "? not certain", "missed": "✗ missed"}


def gain_words(item: Item) -> str:
    """What an item brings in the goal's metric: `+1.2 points [+0.4, +2.0]`."""
    if item.gain is None:
        return ""
    value, low, high = (100 * each for each in (item.gain.value, item.gain.low, item.gain.high))
    return f"{value:+.1f} points [{low:+.1f}, {high:+.1f}]"


def money_words(item: Item, currency: str) -> str:
    """What an item earns a month."""
    if item.money is None:
        return ""
    low, high = (f"{value:,.0f}" for value in (item.money.low, item.money.high))
    return f"{amount(item.money.value, currency)} a month [{low}, {high}]"


def gain_and_money(item: Item, currency: str) -> str:
    """Gain and money, or what it is good for where neither can be told."""
    found = [words for words in (gain_words(item), money_words(item, currency)) if words]
    return "; ".join(found) or item.benefit or "nothing that could be measured"


def sure_words(item: Item) -> str:
    """How sure: what sort of evidence, and the chance that the gain is real."""
    real = "it gains more than half a point" if item.sure == "forecast" else "it gains anything"
    chance = f"; {odds(item.chance)} that {real}" if item.chance is not None else ""
    return f"{SURE.get(item.sure, item.sure)}{chance}"


def odds(chance: float) -> str:
    """A chance as people say it: `8 in 10`, `under 1 in 20`."""
    if chance < 0.05:
        return "under 1 in 20"
    if chance > 0.95:
        return "over 19 in 20"
    return f"about {max(1, min(9, round(chance * 10)))} in 10"


def takes(item: Item, currency: str) -> str:
    """Cost, hours and days."""
    hours = f"{_hours(item.hours)} of the team"
    parts = [amount(item.cost, currency) if item.cost else "no money", hours] if currency else [hours]
    if item.monthly > 0:
        parts[0] = f"{amount(item.monthly, currency)} a month" + (f" and {parts[0]}" if item.cost else "")
    return ", ".join(parts) + (f" ({item.days:.0f} days to wait)" if item.days > 1 else "")


def is_long(item: Item) -> bool:
    """It holds up the end of the plan, and not by a few days."""
    return item.critical and item.days >= LONG_DAYS


def _hours(hours: float) -> str:
    return f"{hours:.0f} hour{'s' * (round(hours) != 1)}" if hours >= 1 else f"{60 * hours:.0f} minutes"


UNPRICED = (
    "Nothing here is told in money before product.yaml says what an answer, an hour and a label are worth to you: "
    "`windlass plan --ask` asks for it."
)


def service_lines(roadmap: Roadmap) -> list[str]:
    """What running costs and carries, in sentences."""
    service, money, currency = roadmap.service, roadmap.money, roadmap.currency
    machines = f"{count(service['machines'])} machine{'s' * (service['machines'] != 1)}"
    how = "measured" if service["measured"] else "estimated, as there is no release to try"
    carries = (
        f"A machine with {service['cores']} cores answers about {count(service['answers_a_second'])} requests a "
        f"second ({1000 * service['request_s']:.1f} ms of a processor each, {how}), with one process a core. Your peak "
        f"asks for {service['peak']:,.2g} a second: that is {machines}, {percent(service['used'])} busy at the peak."
    )
    if not money:
        return [carries, UNPRICED]
    user = f", {amount(money['user_month'], currency)} a user" if money["user_month"] is not None else ""
    lines = [
        carries,
        f"Running it yourself costs {amount(money['own'], currency)} a month{user}: machines "
        f"{amount(money['machines'], currency)}, your team's upkeep {amount(money['upkeep'], currency)}. For "
        f"{count(money['month'])} answers a month that is {amount(money['own_thousand'], currency)} for 1,000 answers, "
        f"of which {_cheap(money['machine_thousand'], currency)} for machines; a machine that is kept busy gives 1,000 "
        f"for {_cheap(money['busy_thousand'], currency)}.",
        f"An API asks {_range(money['api_thousand'], currency)} for 1,000 answers, {_range(money['api'], currency)} a "
        "month, by the price list below; how well it would answer was not measured.",
        _break_even(money, currency),
    ]
    if money["runway_months"] is not None:
        lines.append(
            f"After the plan {amount(money['left'], currency)} of the budget is left; it would pay for running the "
            f"service for {money['runway_months']:,.0f} months."
        )
    lines.append(
        f"Training once with twice the rows takes {seconds_words(service['training_seconds_double'])} of a "
        f"processor, {_cheap(service['training_cost_double'], currency)}."
    )
    return lines


def cheaper(money: Json) -> str:
    """Whether own or API costs less at this traffic, all counted, as far as the API's price is known."""
    if money["own"] < money["api"]["low"]:
        return "your own model"
    return "the API" if money["own"] > money["api"]["high"] else "neither for certain"


def _break_even(money: Json, currency: str) -> str:
    """From how many answers a month on the own model is cheaper, and where today's traffic lies."""
    if money["even"]["value"] is None:
        return (
            "There is no break-even: at these prices the API is cheaper at any traffic, as a machine costs more than "
            "the answers that it gives."
        )
    alone, all_in = money["even_machines"], money["even"]
    times = money["month"] / all_in["value"]
    gap = amount(abs(money["own"] - money["api"]["value"]), currency)
    verdict = {"neither for certain": "the two cost about the same"}.get(
        cheaper(money), f"{cheaper(money)} is cheaper, by about {gap} a month"
    )
    return (
        f"Break-even: your own model is cheaper from about {_span(all_in)} answers a month on, if your team's upkeep "
        f"is counted for it and none for the API; from {_span(alone)} on, machines alone. Your traffic is "
        f"{times:.2g} times the former: {verdict}."
    )


def _span(estimate: Json) -> str:
    """Answers a month with two leading digits, and the interval of the API's price."""
    value = count(_two(estimate["value"]))
    low, high = ("never" if each is None else count(_two(each)) for each in (estimate["low"], estimate["high"]))
    return value if low == high == value else f"{value} [{low}, {high}]"


def _range(estimate: Json, currency: str) -> str:
    low, high = (amount(estimate[key], "").strip() for key in ("low", "high"))
    brackets = "" if low == high else f" [{low}, {high}]"
    return f"{_cheap(estimate['value'], currency)}{brackets}"


def _cheap(value: float, currency: str) -> str:
    return f"under {currency} 0.01" if value < 0.01 else amount(value, currency)


def _two(value: float) -> float:
    """Two leading digits."""
    return float(f"{value:.1e}")


def seconds_words(seconds: float) -> str:
    """About so long, in words."""
    if seconds < 1:
        return "less than a second"
    return f"about {seconds:.0f} s" if seconds < 90 else f"about {seconds / 60:.0f} min"


def promise_lines(roadmap: Roadmap) -> list[str]:
    """What was promised and what came, and how far off the promises were."""
    told = roadmap.promises
    if not told:
        return []
    lines, names = [], {entry["id"]: plain(entry["what"]) for entry in told["came"]}
    for entry in told["came"]:
        if entry["came"] is None:
            lines.append(f"{entry['at']}: done: {plain(entry['what'])} (no figure was promised).")
            continue
        others = ", ".join(f"“{names.get(name, name)}”" for name in entry["beside"])
        beside = f" (shared with {others}, done at the same time)" if others else ""
        lines.append(
            f"{entry['at']}: {plain(entry['what'])}: promised {100 * entry['promised']:+.1f} points, came "
            f"{100 * entry['came']:+.1f}{beside}; {'inside' if entry['inside'] else 'outside'} of the promised "
            "interval."
        )
    if told["count"]:
        bias = "too much" if told["bias"] > 0 else "too little"
        lines.append(
            f"Mean error of {told['count']} promise{'s' * (told['count'] != 1)}: {100 * told['error']:.1f} points; "
            f"on average {100 * abs(told['bias']):.1f} points {bias} was promised; {told['inside']} inside of their "
            "interval."
        )
    else:
        lines.append(
            f"No promise has come due yet; {len(told['open'])} are open. The next plans compare them with what came."
        )
    return lines


def milestone_words(milestone: Json, headline: str) -> str:
    """What has to be there on that day."""
    if milestone["score"] is None:
        return str(milestone["words"])
    return (
        f"{milestone['words']}; {metric_name(headline)} about {share(milestone['score'])} by then, at least "
        f"{share(milestone['least'])}"
    )


def roadmap_markdown(roadmap: Roadmap) -> str:
    """The whole roadmap as Markdown."""
    currency = roadmap.currency
    lines = [f"# {roadmap.product}: what to do next", "", f"Made on {roadmap.made} from what was measured by then.", ""]
    lines += [f"- {plain(line)}" for line in roadmap.summary]
    if roadmap.what_if:
        lines += ["", f"## What if: {plain(roadmap.what_if)}", "", *[f"- {plain(line)}" for line in roadmap.changes]]
    lines += ["", "## From today to the goal", "", "| | today | wanted | |", "|---|---|---|---|"]
    lines += [
        f"| {_cell(g['name'])} | {_cell(g['today'])} | {_cell(g['goal'])} | {STATES[g['state']]} |"
        for g in roadmap.gaps
    ]
    lines += ["", "## What to do, in this order", ""]
    if not roadmap.chosen:
        lines.append("Nothing is worth its cost at present.")
    for number, item in enumerate(roadmap.chosen, 1):
        lines += _item_lines(number, item, currency)
    lines += ["## Milestones", "", "| by | what has to be there |", "|---|---|"]
    lines += [f"| {each['date']} | {_cell(milestone_words(each, roadmap.headline))} |" for each in roadmap.milestones]
    left = [item for item in roadmap.items if not item.starts]
    if left:
        lines += ["", "## Left out, and why", ""]
        lines += [f"- {plain(item.what)} ({gain_and_money(item, currency)}): {plain(item.left_out)}." for item in left]
    lines += ["", "## Risks", "", "| risk | how bad | evidence | what to do |", "|---|---|---|---|"]
    lines += [
        f"| {_cell(risk.name)} | {risk.severity} | {_cell(risk.evidence)} | {_cell(risk.answer)} |"
        for risk in roadmap.risks
    ]
    lines += ["", "## Running it", "", *[f"- {line}" for line in service_lines(roadmap)]]
    lines += ["", "## Promised, and what came", "", *[f"- {line}" for line in promise_lines(roadmap)]]
    if roadmap.missing:
        lines += ["", "## Not known", ""]
        lines += [f"- {plain(each['what'])}: {plain(each['command'])}" for each in roadmap.missing]
    lines += ["", "## What this rests on", "", "| figure | value | from | meaning |", "|---|---|---|---|"]
    lines += [f"| {_name(a['name'])} | {_cell(a['value'])} | {_cell(a['source'])} | {_cell(a['meaning'])} |"
              for a in roadmap.assumptions]  # fmt: skip
    return "\n".join(lines) + "\n"


def _item_lines(number: int, item: Item, currency: str) -> list[str]:
    critical = " The end of the plan depends on it." if is_long(item) else ""
    after = f" After: {', '.join(item.after)}." if item.after else ""
    return [
        f"### {number}. {plain(item.what)}",
        "",
        f"- **Why:** {plain(item.why)}.",
        f"- **Brings:** {gain_and_money(item, currency)}.",
        f"- **How sure:** {sure_words(item)}. Method: {plain(item.method)}. Evidence: {plain(item.evidence)}.",
        f"- **Takes:** {takes(item, currency)}.",
        f"- **When:** {item.starts} to {item.finishes}.{critical}{after}",
        *([f"- **How:** {plain(item.how)}."] if item.how else []),
        f"- **Done when:** {plain(item.acceptance)}.",
        "",
    ]


def _cell(value: object) -> str:
    return plain(value).replace("|", "\\|")


def _name(name: str) -> str:
    return name.replace("_", " ")


def roadmap_text(roadmap: Roadmap) -> str:
    """The roadmap for a terminal: the summary, one paragraph an item, and where the page is."""
    currency = roadmap.currency
    lines = [f"{roadmap.product}: what to do next ({roadmap.made})", ""]
    lines += [f"  {plain(line)}" for line in roadmap.summary]
    if roadmap.what_if:
        lines += ["", f"  what if {plain(roadmap.what_if)}:", *[f"    {plain(line)}" for line in roadmap.changes]]
    for number, item in enumerate(roadmap.chosen, 1):
        lines += [
            "",
            f"{number:>3}. {plain(item.what)}",
            f"     why    {plain(item.why)}",
            f"     brings {gain_and_money(item, currency)}",
            f"     sure   {sure_words(item)}",
            f"     takes  {takes(item, currency)}; by {item.finishes}",
            *([f"     how    {plain(item.how)}"] if item.how else []),
        ]
    left = sum(not item.starts for item in roadmap.items)
    serious = sum(risk.severity == "high" for risk in roadmap.risks)
    assumed = sum(each["source"] == "assumed" for each in roadmap.assumptions)
    lines += [
        "",
        f"  {left} left out (the page says why), {len(roadmap.risks)} risks ({serious} high), {len(roadmap.missing)} "
        f"things not known, {assumed} figures assumed: `windlass plan --ask` asks for yours.",
    ]
    return "\n".join(lines)
