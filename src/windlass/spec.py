"""`windlass.yaml` as typed records: read safely, refused with the nearest match when a word is wrong."""

import re
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from windlass.errors import NotReady, SpecError, did_you_mean, expected
from windlass.metrics import LOWER, METRICS
from windlass.text_metrics import BITS, PASSES, RULES_BROKEN, TEXT_METRICS

FILE_NAME = "windlass.yaml"
MAX_BYTES = 256 * 1024
MAX_DEPTH = 8
ALL_METRICS = (*METRICS, *TEXT_METRICS, BITS, *PASSES)
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Limits(Strict):
    """What the served artifact may cost; nothing given means no limit."""

    latency_p95_ms: float | None = Field(default=None, gt=0, description="95th percentile of an answer in milliseconds")
    size_mb: float | None = Field(default=None, gt=0, description="size of the artifact on disk, in megabytes")
    rules_broken: float | None = Field(
        default=None, ge=0, le=1, description="share of the answers that may break a rule of `brand`"
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
    """How a service is watched, and who is told of alarms. Secrets stand in the environment; keys here name variables.
    """

    window: str = Field(
        default="auto",
        pattern=r"^(auto|[1-9][0-9]{0,3}[smhd])$",
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


class Goal(Strict):
    """The metric that decides, and the value that is good enough (none: as good as possible)."""

    metric: str
    bound: float | None = None

    def __str__(self) -> str:
        sign = "<=" if self.metric in LOWER else ">="
        return self.metric if self.bound is None else f"{self.metric} {sign} {self.bound:g}"


class Spec(Strict):
    """One product: what goes in, what comes out, and what is good enough."""

    name: str = Field(description="name of the product: a-z, 0-9 and -")
    data: str | dict[Literal["train", "validation", "test"], str] = Field(
        description="a file, a folder, or one path each for train, validation and test"
    )
    inputs: dict[str, str] = Field(min_length=1, description="column -> kind")
    output: dict[str, str] = Field(min_length=1, max_length=1, description="column -> kind, exactly one")
    goal: str = Field("", description="a metric, or '<metric> >= <number>'; checked before a release")
    limits: Limits = Field(default=Limits(), description="what the served artifact may cost")
    language: Language = Field(default=Language(), description="how a pretrained language model is taught")
    minutes: float = Field(10, gt=0, le=10_080, description="training budget in minutes")
    seed: int = Field(13, ge=0, le=2**31 - 1, description="of splits and initial weights; the same numbers again")
    learners: list[str | dict[str, str]] | None = Field(
        None, description="only these, each a name or {name: preset, hub name or path}"
    )
    group: str = Field(
        "", description="column of what rows belong to, such as a patient: they stay together when rows are split"
    )
    checks: str = Field("", description="column of tests (Python) that an answer, a program, must pass: `pass_at_1`")
    brand: str = Field("", description="a file of rules, such as brand.yaml, that texts shall keep: `rules_broken`")
    optimizer: Literal["adamw", "adam", "sgd"] = Field("adamw", description="of the networks")
    precision: Literal["auto", "float32", "bfloat16"] = Field("auto", description="of training; auto: by a short probe")
    watch: Watch = Field(default=Watch(), description="how the service is watched, and who is told of alarms")
    improve: Improve = Field(default=Improve(), description="what feedback may change by itself")
    keep_inputs: bool = Field(False, description="keep what is asked in the request log, so that feedback can teach")
    keep_days: int | None = Field(
        None, ge=1, le=36_500, description="delete answers, what was asked and feedback that are older (none: never)"
    )

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if not NAME.match(value):
            raise ValueError("expected a-z, 0-9 and '-', at most 63 characters, such as 'support-desk'")
        return value

    @field_validator("goal")
    @classmethod
    def _goal(cls, value: str) -> str:
        parse_goal(value)
        return value

    @property
    def output_column(self) -> str:
        return next(iter(self.output))

    @property
    def columns(self) -> list[str]:
        return [*self.inputs, *self.output]


def parse_goal(text: str) -> Goal:
    """The goal from `macro_f1`, `macro_f1 >= 0.9`, or `bits_per_byte <= 2` where less is better.

    Raises: ValueError: another form, an unknown metric, or a share outside 0-1.
    """
    if not text:
        return Goal(metric="")
    match = re.fullmatch(r"\s*([a-z0-9_]+)\s*(?:([<>]=)\s*([0-9.]+)\s*)?", text)
    if not match:
        raise ValueError("expected '<metric> >= <number>', such as 'macro_f1 >= 0.90'")
    metric, sign, number = match.groups()
    if metric not in ALL_METRICS:
        raise ValueError(
            f"metric '{metric}', expected {expected(ALL_METRICS)}. {did_you_mean(metric, ALL_METRICS)}".rstrip()
        )
    if number is None:
        return Goal(metric=metric)
    wanted = "<=" if metric in LOWER else ">="
    if sign != wanted:
        raise ValueError(f"expected '{metric} {wanted} <number>'")
    try:
        bound = float(number)
    except ValueError:
        raise ValueError(f"expected a number after '{wanted}'") from None
    if metric not in LOWER and not 0 <= bound <= 1:
        raise ValueError("expected a share between 0 and 1 (0.9, not 90)")
    return Goal(metric=metric, bound=bound)


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML without tags, aliases or repeated keys, and no deeper than `MAX_DEPTH`."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise SpecError(f"{self.name} uses a YAML alias ('*'), expected plain values")
        tag = getattr(self.peek_event(), "tag", None)
        if tag is not None:
            raise SpecError(f"{self.name} uses the YAML tag '{tag}' ('!'), expected plain values")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise SpecError(f"{self.name} is nested deeper than {MAX_DEPTH} levels, expected plain mappings")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = str(key_node.value)
            if key in seen:
                raise SpecError(f"{self.name} names '{key}' twice (line {key_node.start_mark.line + 1}), expected once")
            seen.add(key)
        return super().construct_mapping(node, deep)


def parse_yaml(
    text: str, where: str = FILE_NAME, keys: str = "'name', 'data', 'inputs', 'output'"
) -> dict[str, Any]:
    """The mapping that the text holds; `keys`: which ones a message shall name. Raises: SpecError with line and reason.
    """
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise SpecError(f"{where} is larger than {MAX_BYTES // 1024} KB, expected a short file")
    loader = None
    try:
        loader = _StrictLoader(text)
        loader.name = where
        value = loader.get_single_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" (line {mark.line + 1})" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise SpecError(f"{where} is not valid YAML{line}: {problem}") from None
    except ValueError as error:  # what looks like a date or a whole number, and is none: 2026-13-45
        raise SpecError(f"{where} has a value that cannot be read ({error}), expected it in quotes") from None
    finally:
        if loader is not None:
            loader.dispose()
    if not isinstance(value, dict):
        raise SpecError(f"{where} is {type(value).__name__}, expected a mapping with {keys}")
    return value


def parse(text: str, where: str = FILE_NAME) -> Spec:
    """A spec from YAML text. Raises: SpecError that names the first fault and what was expected."""
    return from_values(parse_yaml(text, where), where)


def from_values(values: dict[str, Any], where: str) -> Spec:
    """A spec from plain values; `where` is what messages call their source. Raises: SpecError as `parse`."""
    for key in values:
        if key not in Spec.model_fields:
            raise SpecError(
                f"{where} has the unknown key '{key}', expected {expected(Spec.model_fields)}",
                did_you_mean(str(key), Spec.model_fields),
            )
    try:
        spec = Spec.model_validate(values)
    except ValidationError as error:
        raise _as_spec_error(error, where) from None
    if spec.output_column in spec.inputs:
        raise SpecError(f"{where}: column '{spec.output_column}' is input and output, expected one of the two")
    if spec.group == spec.output_column:
        raise SpecError(f"{where}: 'group' is '{spec.group}', the output, expected a column that is known beforehand")
    if spec.limits.rules_broken is not None and not spec.brand:
        raise SpecError(f"{where}: '{RULES_BROKEN}' is limited without 'brand', expected `brand: brand.yaml`")
    return spec


SECTIONS: dict[str, type[Strict]] = {"limits": Limits, "language": Language, "improve": Improve, "watch": Watch}
_WANTED = {
    "data": "a path, or a path each for 'train', 'validation' and 'test'",
    "learners": "a list, each a name or {name: preset}",
    "string_type": "text (in quotes when it looks like a number, a date, yes or no)",
    "dict_type": "a mapping, column: kind",
    "model_type": "a mapping",
    "list_type": "a list",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "too_short": "at least one",
    "too_long": "exactly one",
}
"""What a field, or else an error of this type, asks for; Pydantic's own words otherwise."""


def _as_spec_error(error: ValidationError, where: str) -> SpecError:
    first = error.errors()[0]
    field, is_key = str(first["loc"][0]), first["loc"][-1] == "[key]"
    key = field if is_key or field in _WANTED else ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return SpecError(f"{where} has no '{key}', expected it", "`windlass init DATA` writes a complete file")
    if first["type"] == "extra_forbidden":
        allowed = list(SECTIONS[field].model_fields)
        return SpecError(
            f"{where} has the unknown key '{key}', expected {expected(allowed)}",
            did_you_mean(key.split(".")[-1], allowed),
        )
    value = repr(first["input"])
    value = value if len(value) <= 80 else f"{value[:77]}..."
    if first["type"] == "value_error":
        reason = first["msg"].removeprefix("Value error, ")
        return SpecError(f"{where}: '{key}' is {value}{',' if reason.startswith('expected') else ':'} {reason}")
    own = first["msg"].removeprefix("Input should be ").replace("a valid", "a")
    wanted = _WANTED.get(field) or _WANTED.get(first["type"], own)
    return SpecError(f"{where}: '{key}' {'has the key' if is_key else 'is'} {value}, expected {wanted}")


def load(folder: Path) -> Spec:
    """The spec of the project in this folder. Raises: NotReady when there is none."""
    path = folder / FILE_NAME
    if not path.is_file():
        raise NotReady(
            f"{folder} has no {FILE_NAME}, expected one",
            "`windlass init DATA` writes it, or `windlass new support-desk` starts from a ready product",
        )
    return parse(read_utf8(path), str(path))


def read_utf8(path: Path) -> str:
    """The text of a file that a person wrote. Raises: SpecError: it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise SpecError(f"{path} is not UTF-8 text, expected UTF-8", "save the file as UTF-8") from None


def dump(spec: Spec) -> str:
    """The spec as YAML text: only what differs from the defaults."""
    values = spec.model_dump(exclude_defaults=True)
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
