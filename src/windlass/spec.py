"""`windlass.yaml` as typed records."""

import re
import zlib
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import yaml
from pydantic import Field, ValidationInfo, field_validator, model_validator

from windlass import strict_yaml
from windlass.durations import CENTURY_S, PATTERN, duration_s
from windlass.errors import NotReady, SpecError, did_you_mean, expected
from windlass.goals import ANY_GOAL, GOALS, parse_goal
from windlass.item_shape import ItemShape
from windlass.look import ORIGIN, Look
from windlass.metrics.alarms import FALSE_ALARMS
from windlass.metrics.costs import COST
from windlass.metrics.numbers import IN_UNIT
from windlass.metrics.texts import RULES_BROKEN
from windlass.strict_yaml import Strict

FILE_NAME = "windlass.yaml"
NAME = re.compile("[a-z0-9\u3400-\u9fff][a-z0-9\u3400-\u9fff-]{0,62}\\Z")
WITH_UNIT = re.compile(r"(?P<bare>\s*(?P<metric>[a-z0-9_]+)\s*[<>]=\s*[0-9.]+)\s*(?P<unit>[^\s0-9.<>=].*?)\s*")
GROUP = re.compile(r"[^\s,;:#'\"\[\]{}]{1,64}")
"""The name of a group that documents are for, in any language."""
EVERYONE = "everyone"
"""The group that all are in, with a key or without."""
UNUSABLE = re.compile(r"|\*|\^.*\$|_split|_group|_checks", re.DOTALL)
"""What no column can be called: nothing, what polars takes for a pattern of names, and names of columns of our own."""


class Limits(Strict):
    """What the served artifact may cost; nothing given means no limit."""

    latency_p95_ms: float | None = Field(default=None, gt=0, description="95th percentile of an answer in milliseconds")
    size_mb: float | None = Field(default=None, gt=0, description="size of the artifact on disk, in megabytes")
    rules_broken: float | None = Field(
        default=None, ge=0, le=1, description="share of the answers that may break a rule of `brand`"
    )
    false_alarms_a_month: float | None = Field(
        default=None,
        gt=0,
        le=1_000,
        description="of a machine, of an output `anomaly`: chooses from which probability on an alarm is raised; not "
        "given: 1, which is then not asked of a release",
    )
    risk: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="of an output `cited`: share of the given answers that may be wrong; chooses from which confidence "
        "on a question is answered and not refused; not given: where most are answered or refused rightly",
    )
    coverage: float | None = Field(
        default=None, gt=0, le=1, description="of recommendations: share of all items that some list must show"
    )
    tail_share: float | None = Field(
        default=None, gt=0, lt=1, description="of recommendations: share of places that the less popular 80 % must have"
    )

    loss: float | None = Field(
        default=None,
        ge=0,
        description="what the smallest candidate may lose of the goal's metric against the best; starts `compress`",
    )


class Language(Strict):
    """How a pretrained language model is taught, and how long its answers may become."""

    adapt: Literal["auto", "full", "lora", "qlora"] = Field(
        default="auto",
        description="all weights, or a few beside them (LoRA; qlora: beside weights of 4 or 8 bits); "
        "auto: lora above 300 million parameters",
    )
    rank: int = Field(default=16, ge=1, le=256, description="of LoRA: how much it can learn")
    preferences: str = Field(default="", description="JSONL of {prompt, chosen, rejected}, learned from afterwards")
    reward: Literal["", "exact", "arithmetic", "tests"] = Field(
        default="", description="what its own answers are rewarded for afterwards (GRPO)"
    )
    max_tokens: int | None = Field(
        default=None, ge=1, le=4_096, description="of an answer; not given: as the training answers need"
    )
    quantise: Literal["", "int8"] = Field(
        default="",
        description="int8: what CTranslate2 answers from has weights of 8 bits, a quarter of the size, and its texts "
        "may differ; not given: 32 bits, where that is faster than torch and writes the same",
    )
    model: str = Field(default="", max_length=200, description="of `elsewhere`: what its server calls the model")
    key: str = Field(
        default="", max_length=200, description="of `elsewhere`: the environment variable that holds its key"
    )


class Labels(Strict):
    """What is known of the labels of the output."""

    merge: dict[str, str] = Field(
        default={},
        description="labels that are one: as it is found -> as it is called, such as 'POS': 'pos'; of tags '' = none, "
        "such as '(no genres listed)': ''; of an anomaly '': none = an empty cell says that nothing is wrong",
    )
    columns: list[str] = Field(
        default=[], max_length=1_000, description="of tags: columns of 1 and 0 that are a tag each"
    )


class Improve(Strict):
    """What feedback may change by itself."""

    rows: int = Field(default=30, ge=1, le=1_000_000, description="new rows that a batch needs before it is learned")
    caller_share: float = Field(
        default=0.05, gt=0, le=1, description="the most that one API key may give of a batch; 1: keys are trusted"
    )
    new_labels: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="rows of a label that training does not know, from which on it is learned (0: never)",
    )


class Watch(Strict):
    """How a service is watched, and who is told of alarms. Secrets stand in the environment: keys name variables."""

    window: str = Field(
        default="auto",
        pattern=rf"^(auto|{PATTERN})$",
        description="time that is judged at once, such as 15m, 1h or 1d; auto: a day, longer while it has few answers",
    )
    rows: int = Field(default=300, ge=50, le=100_000, description="answers that a window has at least")
    false_alarms: float = Field(
        default=0.5, gt=0, le=30, description="alarms of chance a month that are put up with; fewer: later alarms"
    )
    hand_over_below: float | None = Field(
        default=None, gt=0, lt=1, description="answers less sure than this go to a person; their share is shown"
    )
    file: str = Field(default="", description="a file that gets each alarm as a line of JSON")
    webhook: str = Field(default="", pattern=r"^(https?://[^\s]+)?$", description="a URL that gets each alarm by POST")
    webhook_key: str = Field(default="", max_length=200, description="the environment variable of its bearer token")
    mail_server: str = Field(default="", pattern=r"^([^\s:]+:[0-9]{1,5})?$", description="SMTP server as host:port")
    mail_from: str = Field(default="", max_length=200, description="sender, and the name to log in with")
    mail_to: list[str] = Field(default=[], max_length=20, description="who gets alarms by mail")
    mail_password: str = Field(default="", max_length=200, description="the environment variable of the password")

    @field_validator("window")
    @classmethod
    def _window(cls, value: str) -> str:
        if value != "auto" and not 1 <= (duration_s(value) or 0.0) <= CENTURY_S:
            raise ValueError("expected 1s to 100y")
        return value


class SeriesShape(Strict):
    """How a table of points is read as series, and how far is foreseen, or what is one window of them."""

    time: str = Field(default="", description="column of the moment of each point; not given: rows are in order")
    horizon: int = Field(default=0, ge=1, le=10_000, description="steps that are foreseen, of an output `forecast`")
    window: int = Field(
        default=0,
        ge=1,
        le=10_000,
        description="points that one answer is told from, of other outputs: the answer that its last point has",
    )
    rest: int = Field(
        default=0,
        ge=1,
        le=10_000,
        description="points after which what was wrong counts as over: nothing is told from windows before; not given: "
        "a whole window",
    )
    stride: int = Field(
        default=0, ge=1, le=10_000, description="points from one window to the next; not given: half a window"
    )
    season: int | None = Field(
        default=None, ge=1, le=10_000, description="points of the shortest cycle; not given: by the step, 7 of days"
    )
    known: list[str] = Field(
        default=[], max_length=50, description="columns whose future is known when one asks, such as a promotion"
    )
    past: list[str] = Field(default=[], max_length=50, description="columns that are known only afterwards")
    every: str = Field(
        default="",
        pattern=r"^([1-9][0-9]{0,4}(s|min|h|d|w|b|mo|q|y))?$",
        description="the step, such as 15min, 1h, 1d, 1b (working days), 1w, 1mo; not given: found",
    )
    gather: Literal["", "mean", "sum"] = Field(
        default="", description="how the points within one step of `every` become one; not given: each step has one"
    )
    censored: str = Field(
        default="", description="column that says (1) where the value was cut, such as sales without stock"
    )
    holidays: list[Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,4})?$")]] = Field(
        default=[], max_length=20, description="countries, or their parts, whose public holidays matter: CN, DE-BY"
    )

    @property
    def channels(self) -> list[str]:
        """Columns that a window holds."""
        return [*self.past, *self.known]

    def how(self, output: str) -> dict[str, Any]:
        """As the kind of the series reads its points by. output: the column that is answered."""
        names = ("time", "known", "past", "every", "gather", "horizon", "season", *(["holidays"] * bool(self.holidays)))
        said = {name: getattr(self, name) for name in names}
        if not self.window:
            return {**said, "value": output}
        first = self.channels[0]
        others = {name: [each for each in said[name] if each != first] for name in ("known", "past")}
        return {**said, **others, "value": first, "window": self.window}


class Spec(Strict):
    """One product: what goes in, what comes out, and what is good enough."""

    wanted: ClassVar = {
        "data": "a path, or a path each for 'train', 'validation' and 'test'",
        "learners": "a list, each a name or {name: preset}; what else a learner needs, it chooses on validation rows",
    }
    mappings: ClassVar = {
        "inputs": "{message: text}",
        "output": "{intent: category}",
        "costs": "{miss: 50, false_alarm: 2}",
        "threshold": "{fraud: 0.2}",
        "formats": "{price: '1.234,56 €'}",
        "monotone": "{age: increasing}",
        "access": "{hr/: [hr, board]}",
        "limits": "{latency_p95_ms: 20}",
    }
    if_missing: ClassVar = "`windlass init DATA` writes a complete file"
    by_column: ClassVar = {"inputs": ("kind", "monotone"), "output": ("kind", "unit")}

    name: str = Field(description="name of the product: a-z, 0-9, Chinese characters and -")
    data: str | dict[Literal["train", "validation", "test"], str] = Field(
        description="a file, a folder, or one path each for train, validation and test"
    )
    documents: str = Field(
        default="", max_length=1_000, description="of an output `cited`: the folder, or the file, that is answered from"
    )
    access: dict[str, list[str]] = Field(
        default={},
        max_length=10_000,
        description="who may see which documents: a folder, a file or a pattern below `documents` -> groups, such as "
        "{hr/: [hr, board]}; the last that fits says; a document's own `access:` goes before; not named: everyone",
    )
    inputs: dict[str, str] = Field(min_length=1, description="column -> kind")
    output: dict[str, str] = Field(min_length=1, max_length=1, description="column -> kind, exactly one")
    goal: str = Field("", description="a metric, or '<metric> >= <number>'; checked before a release")
    limits: Limits = Field(default=Limits(), description="what the served artifact may cost")
    language: Language = Field(default=Language(), description="how a pretrained language model is taught")
    data_licence: str = Field(
        "", max_length=200, description="licence of the data, such as CC BY 4.0, which stands on the model card"
    )
    minutes: float = Field(10, gt=0, le=10_080, description="training budget in minutes")
    seed: int = Field(13, ge=0, le=2**31 - 1, description="of splits and initial weights; the same numbers again")
    learners: list[str | dict[str, str]] | None = Field(
        None, description="only these, each a name or {name: preset, hub name or path}"
    )
    group: str = Field(
        "", description="column of what rows belong to, such as a patient: they stay together when rows are split"
    )
    series: SeriesShape | None = Field(
        None,
        description="how a table of points is read as series: for an output `forecast` how far is foreseen, for others "
        "how many points are a window",
    )
    items: ItemShape | None = Field(None, description="how a log of events is read as histories, of an output `items`")
    formats: dict[str, str] = Field(
        default={},
        description="column -> how its values are written, by an example: '1.234,56 €' of a number, '31/12/2026' of a "
        "date; not given: 1234.56 and 2026-12-31",
    )
    labels: Labels = Field(default=Labels(), description="which labels are one")
    checks: str = Field("", description="column of tests (Python) that an answer, a program, must pass: `pass_at_1`")
    brand: str = Field("", description="a file of rules, such as brand.yaml, that texts shall keep: `rules_broken`")
    files: list[str] = Field(
        default=[], max_length=20, description="folders outside the data's own that pictures named by it may lie in"
    )
    max_rejected: float = Field(
        0.5, gt=0, le=1, description="share of a file's rows that may be rejected for one reason; more: `collect` stops"
    )
    compress: bool | list[Literal["half", "int8", "vocabulary"]] | None = Field(
        None,
        description="copies of the best candidate: weights of 16 bits (half), products of 8 (int8), these without the "
        "tokens that training never has (vocabulary); true: all, false: none; not given: all when the best candidate "
        "breaks a limit of size or time, or `limits: {loss:}` is set",
    )
    optimizer: Literal["adamw", "adam", "sgd"] = Field("adamw", description="of the networks")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="of training; auto: by a short probe, float32: the same answers from the same seed"
    )
    threshold: dict[str, float] = Field(
        default={},
        max_length=1,
        description="of two labels: {label: share}, the probability from which on it is the answer; not given: chosen "
        "for the goal on validation rows",
    )
    unit: str = Field(
        default="",
        max_length=16,
        pattern=r"^([^\s0-9<>=.,]([^<>=\r\n]*[^\s<>=])?)?$",
        description="what an answered number counts, such as EUR; `output: {price: {kind: number, unit: EUR}}` says "
        "the same",
    )
    costs: dict[str, float | str | dict[str, float]] = Field(
        default={},
        max_length=200,
        description="what mistakes cost: {miss: 50, false_alarm: 2} of two labels (positive: the rarer one, or the one "
        "named), {right label: {answer: cost}} of more, {under: 3, over: 1} of a number, a unit too low or too high; "
        "`review` is the price of a person's look at a label, `unit` their currency",
    )
    monotone: dict[str, Literal["increasing", "decreasing"]] = Field(
        default={},
        description="input -> how the answer may follow it and no other way, of a number answered by trees; "
        "`inputs: {area: {kind: number, monotone: increasing}}` says the same",
    )
    embed: list[Annotated[str, Field(pattern=ORIGIN)]] = Field(
        default=[],
        max_length=50,
        description="origins whose pages may embed the widget, such as https://shop.example.com; not given: none",
    )
    look: Look = Field(default=Look(), description="name, logo and colours of the product's pages")
    watch: Watch = Field(default=Watch(), description="how the service is watched, and who is told of alarms")
    improve: Improve = Field(default=Improve(), description="what feedback may change by itself")
    keep_inputs: bool = Field(False, description="keep what is asked in the request log, so that feedback can teach")
    keep_days: int | None = Field(
        None, ge=1, le=36_500, description="delete answers, what was asked and feedback that are older (none: never)"
    )

    @model_validator(mode="before")
    @classmethod
    def _options_of_columns(cls, values: Any) -> Any:
        """`inputs: {area: {kind: number, monotone: increasing}}` as `inputs: {area: number}` and `monotone`, and
        `output: {price: {kind: number, unit: EUR}}` as `output: {price: number}` and `unit`."""
        if not isinstance(values, dict):
            return values
        found = dict(values)
        inputs, monotone = _plain_kinds(values.get("inputs"), "monotone")
        output, unit = _plain_kinds(values.get("output"), "unit")
        found |= {"inputs": inputs} if inputs != values.get("inputs") else {}
        found |= {"output": output} if output != values.get("output") else {}
        found |= {"monotone": dict(values.get("monotone") or {}) | monotone} if monotone else {}
        return found | ({"unit": next(iter(unit.values()))} if unit else {})

    @property
    def shown_name(self) -> str:
        """What pages call the product: `look: {name: ...}`, else its name."""
        return self.look.name or self.name

    @property
    def slug(self) -> str:
        """The name where services, images and addresses take theirs from it: itself, or what is ASCII of it and a
        checksum."""
        if self.name.isascii():
            return self.name
        plain = re.sub("[^a-z0-9]+", "-", self.name).strip("-")[:30]
        return f"{plain if plain[:1].isalpha() else 'product'}-{zlib.crc32(self.name.encode()):08x}"

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if not NAME.match(value):
            raise ValueError(
                "expected a-z, 0-9, Chinese characters and '-', at most 63 of them, such as 'support-desk'"
            )
        return value

    @field_validator("threshold")
    @classmethod
    def _threshold(cls, value: dict[str, float]) -> dict[str, float]:
        if not all(0 < share < 1 for share in value.values()):
            raise ValueError("expected a share between 0 and 1, such as {yes: 0.3}")
        return value

    @field_validator("access")
    @classmethod
    def _access(cls, value: dict[str, list[str]]) -> dict[str, list[str]]:
        for name in (name for names in value.values() for name in names):
            if not GROUP.fullmatch(name):
                raise ValueError("expected names of groups without spaces and commas, such as {hr/: [hr, board]}")
        return value

    @field_validator("goal")
    @classmethod
    def _goal(cls, value: str, info: ValidationInfo) -> str:
        kind = next(iter(info.data.get("output", {}).values()), "")
        found = WITH_UNIT.fullmatch(value)
        bare = found["bare"] if found and found["metric"] in (*IN_UNIT, COST) else value
        parse_goal(bare, GOALS.get(kind, ANY_GOAL))
        return value

    @property
    def output_column(self) -> str:
        return next(iter(self.output))

    @property
    def columns(self) -> list[str]:
        return [*self.inputs, *self.output]

    @property
    def units(self) -> dict[str, str]:
        """Metric -> its unit, of those that have one."""
        found = {**dict.fromkeys(IN_UNIT, self.unit), COST: str(self.costs.get("unit", ""))}
        return {metric: unit for metric, unit in found.items() if unit}


def _plain_kinds(columns: Any, option: str) -> tuple[Any, dict[str, Any]]:
    """Columns with the kind alone, and the option of those that are written `{kind: ..., <option>: ...}`."""
    if not isinstance(columns, dict):
        return columns, {}
    plain, options = dict(columns), dict[str, Any]()
    for name, each in columns.items():
        if isinstance(each, dict) and "kind" in each and set(each) <= {"kind", option}:
            plain[name] = each["kind"]
            options |= {name: each[option]} if option in each else {}
    return plain, options


def _without_unit(spec: Spec, where: str) -> Spec:
    """The spec with the goal `mae <= 3` of `mae <= 3 EUR`. Raises: SpecError: another unit than is stated."""
    found = WITH_UNIT.fullmatch(spec.goal)
    if not found:
        return spec
    wanted, key = spec.units.get(found["metric"], ""), "`costs`" if found["metric"] == COST else "`output`"
    if found["unit"] != wanted:
        stated = f"'{wanted}', as {key} says" if wanted else f"none, as {key} says none"
        example = f"`output: {{{spec.output_column}: {{kind: number, unit: {found['unit']}}}}}`"
        hint = "" if wanted else f"`costs: {{..., unit: {found['unit']}}}`" if found["metric"] == COST else example
        raise SpecError(f"{where}: 'goal' is '{spec.goal}', whose unit is '{found['unit']}', expected {stated}", hint)
    return spec.model_copy(update={"goal": found["bare"]})


def parse(text: str, where: str = FILE_NAME) -> Spec:
    """A spec from YAML text. Raises: SpecError that names the first fault and what was expected."""
    return _sound(strict_yaml.parse(Spec, text, where), where)


def from_values(values: dict[str, Any], where: str) -> Spec:
    """A spec from plain values; `where` is what messages call their source. Raises: SpecError as `parse`."""
    return _sound(strict_yaml.checked(Spec, values, where), where)


def _sound(spec: Spec, where: str) -> Spec:
    """The spec. Raises: SpecError: two of its keys do not go together."""
    if spec.output_column in spec.inputs:
        raise SpecError(f"{where}: column '{spec.output_column}' is input and output, expected one of the two")
    shape = [spec.series.time, *spec.series.known, *spec.series.past] if spec.series is not None else []
    shape += spec.items.columns if spec.items is not None else []
    for name in [*spec.columns, spec.group or "group", spec.checks or "checks", *filter(None, shape)]:
        if UNUSABLE.fullmatch(name):
            raise SpecError(f"{where}: a column is called '{name}', expected another name", "rename it in the data")
    for name in spec.monotone:
        if name not in spec.inputs:
            raise SpecError(
                f"{where}: 'monotone' has the column '{name}', expected {expected(spec.inputs)}",
                did_you_mean(name, spec.inputs),
            )
    written = [*spec.columns, *shape[1:]]
    for name in spec.formats:
        if name not in written:
            raise SpecError(
                f"{where}: 'formats' has the column '{name}', expected {expected(written)}", did_you_mean(name, written)
            )
    for found, name in spec.labels.merge.items():
        if name in spec.labels.merge:
            raise SpecError(
                f"{where}: 'labels.merge' makes '{found}' a '{name}', which is merged itself, "
                f"expected '{spec.labels.merge[name]}'"
            )
    if spec.group == spec.output_column:
        raise SpecError(f"{where}: 'group' is '{spec.group}', the output, expected a column that is known beforehand")
    if spec.series is not None and spec.series.window and not spec.series.channels:
        raise SpecError(
            f"{where}: 'series' has a window of no column, expected the columns of its points",
            "`series: {time: time, window: 24, past: [vibration, temperature]}`",
        )
    if spec.limits.false_alarms_a_month is not None and GOALS.get(spec.output[spec.output_column]) != GOALS["anomaly"]:
        raise SpecError(f"{where}: '{FALSE_ALARMS}' is limited, expected an output that is an anomaly")
    if spec.limits.rules_broken is not None and not spec.brand:
        raise SpecError(f"{where}: '{RULES_BROKEN}' is limited without 'brand', expected `brand: brand.yaml`")
    return _without_unit(spec, where)


def load(folder: Path) -> Spec:
    """The spec of the project in this folder. Raises: NotReady when there is none."""
    path = folder / FILE_NAME
    if not path.is_file():
        raise NotReady(
            f"{folder} has no {FILE_NAME}, expected one",
            "`windlass init DATA` writes it, or `windlass new support-desk` starts from a ready product",
        )
    return _sound(strict_yaml.read(Spec, path), str(path))


def dump(spec: Spec) -> str:
    """The spec as YAML text: only what differs from the defaults."""
    values = spec.model_dump(exclude_defaults=True)
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
