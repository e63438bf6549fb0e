"""What was found in data: the spec as text, why, and the other way in which the data can be meant."""

from dataclasses import dataclass, field
from typing import Any

import yaml

from windlass.language.chosen import translated
from windlass.metrics.measures import LOWER
from windlass.pages.text.words import plain

MOST_NAMED, MOST_LEFT_OUT = 12, 40
KEEP_INPUTS = """\
# keep_inputs: true     keeps what users ask in the request log, so that their feedback can teach;
#                       without it `windlass improve` learns from `--rows` alone (`keep_days: 90` deletes it again)"""


@dataclass(frozen=True)
class Reading:
    """Another way in which the data can be meant. taken: what was taken instead; kind: for `--as`."""

    output: str
    kind: str
    taken: str
    words: str

    @property
    def options(self) -> str:
        """Of `windlass init`, which take it."""
        return f"--output '{self.output}' --as {self.kind}"


@dataclass
class Guess:
    """What was found: the spec as text, and one sentence of why for each decision. gate: a goal with a number.

    documents: that answers are taken from. files: name -> text of what is written beside it.
    tag_columns: those of 1 and 0 that are a tag each. other: a reading that is nearly as likely; None: there is none.
    """

    name: str
    data: str
    inputs: dict[str, str] = field(default_factory=dict)
    output: str = ""
    output_kind: str = "category"
    goal: str = ""
    gate: str = ""
    formats: dict[str, str] = field(default_factory=dict)
    merge: dict[str, str] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    group: str = ""
    series: dict[str, Any] = field(default_factory=dict)
    items: dict[str, Any] = field(default_factory=dict)
    unit: str = ""
    documents: str = ""
    files: dict[str, str] = field(default_factory=dict)
    tag_columns: list[str] = field(default_factory=list)
    other: Reading | None = None

    def as_json(self) -> dict[str, Any]:
        """For programs: what was taken, why, and the other reading with the options that take it."""
        other = self.other
        return {
            "name": self.name, "inputs": self.inputs, "output": {self.output: self.output_kind}, "goal": self.goal,
            "reasons": self.reasons, "left_out": self.left_out,
            "other": other and {"reading": other.words, "options": other.options},
        }  # fmt: skip

    def close(self, other: Reading) -> None:
        """Keeps the other reading, the first of several, and says it."""
        self.other = self.other or other
        self.reasons.append(f"nearly as likely as {other.taken}: {other.words}; `{other.options}` takes it")

    def as_yaml(self) -> str:
        """The file that `windlass init` writes, with the reasons as comments."""
        values: dict[str, Any] = {
            "name": self.name,
            "data": self.data,
            "documents": self.documents,
            "inputs": self.inputs,
            "output": {self.output: {"kind": self.output_kind, "unit": self.unit} if self.unit else self.output_kind},
            "group": self.group,
            "series": self.series,
            "items": self.items,
            "formats": self.formats,
            "labels": {name: value for name, value in (("merge", self.merge), ("columns", self.tag_columns)) if value},
            "goal": self.goal,
            "minutes": 10,
        }
        left_out = list(self.left_out.items())
        said = [*self.reasons, *(f"left out: '{name}' ({why})" for name, why in left_out[:MOST_LEFT_OUT])]
        if len(left_out) > MOST_LEFT_OUT:
            said.append(f"left out: {len(left_out) - MOST_LEFT_OUT:,} more")
        first = "# Written by `windlass init` from the data. Change what is wrong; every other option has a default."
        lines = [translated(first), *(f"#   {translated(plain(each))}" for each in said)]
        kept = {name: value for name, value in values.items() if value}
        lines.append(yaml.safe_dump(kept, sort_keys=False, allow_unicode=True).rstrip())
        gate = self.gate or (f"{self.goal} <= 2.0 " if self.goal in LOWER else f"{self.goal} >= 0.90")
        lines.append(translated(f"# goal: {gate}     makes it a gate: nothing worse is released"))
        lines.append(translated(KEEP_INPUTS))
        return "\n".join(lines) + "\n"
