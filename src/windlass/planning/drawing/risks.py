"""What may go wrong, from what was measured: each risk names its evidence and what is done about it."""

from collections.abc import Iterator

from windlass.metrics.measures import Estimate
from windlass.pages.text.words import amount, count, metric_name, percent, plain, share
from windlass.planning.context import Setting
from windlass.records import Risk

FEW_ROWS, FEW_LABEL_ROWS = 1_000, 20
MUCH_NOISE, ROUGH_CONFIDENCE = 0.02, 0.05
BUSY = 0.5
PERSONAL = (
    "name",
    "email",
    "e_mail",
    "phone",
    "address",
    "birth",
    "iban",
    "ssn",
    "gender",
    "sex",
    "race",
    "age",
    "region",
)
LICENCES = ("licence", "license", "non-commercial", "personal", "pii", "e-mail")


def risks(setting: Setting) -> list[Risk]:
    """The risks, the worst first."""
    found = [risk for look in LOOKS for risk in look(setting)]
    return sorted(found, key=lambda risk: ("high", "medium", "low").index(risk.severity))


def _goal(setting: Setting) -> Iterator[Risk]:
    today, goal = setting.evidence.today, setting.goal
    if today is None or goal is None:
        return
    name = metric_name(setting.evidence.metric)
    if today.low < goal <= today.value:
        yield Risk(
            "The goal may be missed in truth",
            "medium",
            f"{name} {share(today.value)} meets {goal:g}, but its 95 % interval begins at {share(today.low)}",
            "more test rows settle it; until then promise the lower end",
        )
    if today.value < goal:
        yield Risk(
            "The goal is not met",
            "high",
            f"{name} is {share(today.value)} [{share(today.low)}, {share(today.high)}], wanted {goal:g}",
            "the items above, or another goal; `windlass release` refuses until then",
        )


def _labels(setting: Setting) -> Iterator[Risk]:
    doubts = setting.evidence.doubts
    if not doubts.get("share"):
        return
    part = Estimate(**doubts["share"])
    if part.value >= MUCH_NOISE:
        helped = doubts["gain"] and doubts["gain"]["value"] > 0
        yield Risk(
            "Wrong labels",
            "medium" if part.value >= 2 * MUCH_NOISE else "low",
            f"{count(doubts['count'])} training labels ({percent(part.value)}) are doubted by models that had not "
            "seen them; leaving those rows out "
            f"{'helped' if helped else 'did not help, so many of them are only hard cases'}",
            "read them (`.windlass/plan/measured.json` names the surest), starting with the first twenty",
        )


def _rows(setting: Setting) -> Iterator[Risk]:
    labels = setting.evidence.prepared.labels.get("train", {})
    few = [label for label, number in labels.items() if number < FEW_LABEL_ROWS]
    if few:
        yield Risk(
            "Labels with few rows",
            "medium",
            f"{count(len(few))} of {count(len(labels))} labels have under {FEW_LABEL_ROWS} training rows (such as "
            f"{', '.join(plain(each) for each in few[:3])})",
            "collect rows for them, or join them with a neighbour",
        )
    if setting.evidence.n_rows < FEW_ROWS:
        yield Risk(
            "Few rows",
            "medium",
            f"{count(setting.evidence.n_rows)} training rows",
            "every figure here is rough: collect more",
        )


def _confidence(setting: Setting) -> Iterator[Risk]:
    error = setting.evidence.best.calibration_error
    if error is not None and error > ROUGH_CONFIDENCE:
        yield Risk(
            "Confidence is rough",
            "low",
            f"confidence and truth differ by {percent(error)} on average",
            "watch the share of wrong answers among the sure ones before relying on a threshold",
        )


def _capacity(setting: Setting) -> Iterator[Risk]:
    found, _ = setting.running(setting.evidence.best)
    if found.used > BUSY:
        yield Risk(
            "Little room at the peak",
            "medium",
            f"{setting.product.peak:,.1f} answers a second use {percent(found.used)} of {count(found.machines)} "
            "machine(s)",
            "one machine more, or a faster model, before traffic grows",
        )
    if found.machines == 1:
        yield Risk(
            "One machine",
            "low",
            "one machine carries the whole traffic: when it stops, nobody is answered",
            "a second one (`windlass ship kubernetes`) where minutes without answers hurt",
        )


def _people(setting: Setting) -> Iterator[Risk]:
    if setting.product.people == 1:
        said = "people" in setting.product.model_fields_set
        yield Risk(
            "One person knows it all",
            "medium",
            f"one person works on it ({'product.yaml' if said else 'assumed'})",
            "let a second person run `windlass run` and `windlass release` once, from the README alone",
        )


def _data(setting: Setting) -> Iterator[Risk]:
    told = [words for words in setting.evidence.prepared.warnings if any(word in words.lower() for word in LICENCES)]
    for words in told[:2]:
        yield Risk("Warning of the data card", "medium", plain(words, 200), "settle it before the next release")
    marked = [name for name in setting.evidence.spec.inputs if name.lower() in PERSONAL]
    if marked:
        unmarked = [name for name in marked if name not in setting.product.sensitive]
        yield Risk(
            "Personal columns decide",
            "medium",
            f"columns {', '.join(marked)} look personal by their names and are read by the model",
            f"ask whether they may be used; `sensitive: [{', '.join(unmarked)}]` in product.yaml has their groups "
            "compared"
            if unmarked
            else "the groups are compared with every plan",
        )


def _fairness(setting: Setting) -> Iterator[Risk]:
    for each in setting.unequal[:2]:
        yield Risk(
            f"Groups of '{each.column}' are treated differently",
            "high",
            f"'{each.label}' is found in {percent(each.low.value)} of the cases where {each.low_words}, in "
            f"{percent(each.high.value)} where {each.high_words}",
            "see the item; ask a lawyer where a law forbids it",
        )


def _costly(setting: Setting) -> Iterator[Risk]:
    found = setting.handover
    if found is None or found.saved_now.low <= 0 or found.now < 1.5 * found.best:
        return
    currency = setting.product.currency
    yield Risk(
        "The likeliest label is a costly decision",
        "high",
        f"a case costs {amount(found.now, currency)} if it always decides, {amount(found.people, currency)} if "
        f"people decide all, {amount(found.best, currency)} if each case is decided by what mistakes cost",
        "do not act on the label alone: see the item about deciding by cost",
    )


def _drift(setting: Setting) -> Iterator[Risk]:
    health = setting.evidence.health
    for alarm in health.alarms[:3] if health else []:
        yield Risk(f"Alarm: {plain(alarm.name)}", "high", plain(alarm.words), "`windlass watch` says more")


def _price(setting: Setting) -> Iterator[Risk]:
    found = setting.comparison
    if found.api.value < found.own:
        yield Risk(
            "An API may be cheaper at this traffic",
            "low",
            f"about {amount(found.api.value, setting.product.currency)} a month, against "
            f"{amount(found.own, setting.product.currency)} for your machines and upkeep",
            "not measured here: how well an API answers; weigh privacy and independence too",
        )


LOOKS = (_goal, _labels, _rows, _confidence, _capacity, _people, _data, _fairness, _costly, _drift, _price)
