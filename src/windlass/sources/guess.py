"""A first `windlass.yaml` from the data itself: kinds by looking at the values, the output by name and shape."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import yaml

from windlass.errors import DataError, SpecError, did_you_mean, expected
from windlass.kinds import date, image, number
from windlass.kinds.contract import is_missing
from windlass.kinds.text import tokens
from windlass.metrics import LOWER
from windlass.sources.contract import Names, Source
from windlass.sources.places import find
from windlass.spec import FILE_NAME, parse
from windlass.store import rewrite_text

N_READ, N_SAMPLE = 100_000, 5_000
OUTPUT_NAMES = (
    "label",
    "labels",
    "target",
    "class",
    "category",
    "intent",
    "y",
    "outcome",
    "output",
    "result",
    "answer",
    "sentiment",
    "topic",
    "income",
    "risk",
    "churn",
    "fraud",
    "is_fraud",
    "default",
    "diagnosis",
    "response",
    "标签",
    "类别",
    "分类",
    "意图",
    "情感",
    "结果",
)
ID_NAME = re.compile(r"(^|_)(id|uuid|guid|index|row)(_|$)", re.IGNORECASE)
TEXT_NAMES = (
    "answer",
    "answers",
    "response",
    "reply",
    "output",
    "completion",
    "translation",
    "summary",
    "回答",
    "回复",
    "译文",
    "翻译",
    "摘要",
)
"""What a column that is to be written is called, the likeliest first."""
CHAT_NAMES = ("messages", "conversations")
RARE = 0.05
BALANCED = 0.5


@dataclass
class Guess:
    """What was found: the spec as text, and one sentence of why for each decision."""

    name: str
    data: str
    inputs: dict[str, str] = field(default_factory=dict)
    output: str = ""
    output_kind: str = "category"
    goal: str = ""
    reasons: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def as_yaml(self) -> str:
        """The file that `windlass init` writes, with the reasons as comments."""
        values = {
            "name": self.name,
            "data": self.data,
            "inputs": self.inputs,
            "output": {self.output: self.output_kind},
            "goal": self.goal,
            "minutes": 10,
        }
        lines = ["# Written by `windlass init` from the data. Change what is wrong; every other option has a default."]
        lines += [f"#   {reason}" for reason in self.reasons]
        lines += [f"#   left out: '{name}' ({why})" for name, why in self.left_out.items()]
        lines.append(yaml.safe_dump(values, sort_keys=False, allow_unicode=True).rstrip())
        gate = f"{self.goal} <= 2.0 " if self.goal in LOWER else f"{self.goal} >= 0.90"
        lines.append(f"# goal: {gate}     makes it a gate: nothing worse is released")
        return "\n".join(lines) + "\n"


def guess(path: Path, project: Path, output: str = "") -> Guess:
    """Looks at the first rows of the data. `output` names the column to answer when the guess is wrong.

    Raises: DataError: nothing to read, or no column that could be the answer.
    """
    data = _relative(path, project)
    sources = find(data, project, Names("image", "label"), project / ".windlass" / "init")
    source = next((item for item in sources if item.split in ("train", "")), sources[0])
    found = Guess(_product_name(path), data)
    if source.names.image and _is_pictures(source):
        found.inputs, found.output = {"image": "image"}, output or "label"
        found.reasons.append("pictures, one label each: image -> label")
        labels = Counter(_labels_of_pictures(source))
        found.goal = _goal(found, labels)
        return found
    if source.path.suffix.lower() == ".txt":
        return _continuing(found)
    columns = _sample(source)
    if chat := next((name for name in CHAT_NAMES if name in columns and not output), ""):
        return _chatting(chat, found)
    _check_output(output, columns, source)
    found.output = output or _output(columns, found)
    found.output_kind = "category" if _could_be_output(columns[found.output]) else "text"
    kinds = {name: kind_of(name, values, found) for name, values in columns.items() if name != found.output}
    _choose_inputs(kinds, found)
    if found.output_kind == "text":
        found.goal = "chrf"
        found.reasons.append("goal chrf: the share of character n-grams that answer and right answer have in common")
        return found
    found.goal = _goal(found, Counter(str(value) for value in columns[found.output] if not is_missing(value)))
    return found


def _continuing(found: Guess) -> Guess:
    found.inputs, found.output, found.output_kind, found.goal = {"before": "text"}, "text", "text", "bits_per_byte"
    found.reasons += ["a plain text: it is learned as it goes on", "goal bits_per_byte: how well the next is foreseen"]
    return found


def _chatting(column: str, found: Guess) -> Guess:
    found.inputs, found.output, found.output_kind, found.goal = {"messages": "chat"}, "reply", "text", "chrf"
    found.reasons.append(f"'{column}' holds conversations: each answer of the assistant is learned from what was said")
    return found


def _relative(path: Path, project: Path) -> str:
    try:
        return path.resolve().relative_to(project.resolve()).as_posix()
    except ValueError:
        return str(path.resolve())


def _product_name(path: Path) -> str:
    stem = path.resolve().stem if path.is_file() else path.resolve().name
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:63] or "my-product"


def _is_pictures(source: Source) -> bool:
    return source.path.is_dir() or source.path.suffix.lower() == ".npz"


def _labels_of_pictures(source: Source) -> list[str]:
    if source.path.is_dir():
        return [
            path.relative_to(source.path).parts[0]
            for path in source.path.rglob("*")
            if path.suffix.lower() in image.SUFFIXES
        ]
    from windlass.sources.tables import labels_of_npz

    return [str(label) for label in labels_of_npz(source)]


def _sample(source: Source) -> dict[str, list[Any]]:
    rows = [raw.values for raw in islice(source.rows(), N_READ) if raw.values is not None]
    rows = rows[:: max(1, len(rows) // N_SAMPLE)]
    if not rows:
        raise DataError(f"{source.path} has no whole row, expected rows under a header")
    return {name: [row.get(name) for row in rows] for name in rows[0]}


def _check_output(output: str, columns: dict[str, list[Any]], source: Source) -> None:
    if output and output not in columns:
        raise DataError(
            f"{source.path} has no column '{output}', expected {expected(columns)}", did_you_mean(output, columns)
        )


def _output(columns: dict[str, list[Any]], found: Guess) -> str:
    """The column to answer: by its name, else the last one with few different values."""
    by_name = {name.strip().lower(): name for name in columns}
    for wanted in OUTPUT_NAMES:
        if wanted in by_name and _could_be_output(columns[by_name[wanted]]):
            found.reasons.append(f"output '{by_name[wanted]}': by its name")
            return by_name[wanted]
    written = [name for name, values in columns.items() if _could_be_written(values) and not ID_NAME.search(name)]
    named = [by_name[name] for name in TEXT_NAMES if by_name.get(name) in written]
    if named and len(columns) > 1:
        found.reasons.append(f"output '{named[0]}': a text to be written, by its name")
        return named[0]
    fitting = [name for name, values in columns.items() if _could_be_output(values) and not ID_NAME.search(name)]
    if not fitting and len(written) > 1:
        found.reasons.append(f"output '{written[-1]}': a text to be written, the last one")
        return written[-1]
    if not fitting:
        raise DataError(
            f"no column of {found.data} looks like an answer: it has {expected(columns)}",
            "say which: `windlass init DATA --output COLUMN`",
        )
    n_values = len(set(map(str, columns[fitting[-1]])))
    found.reasons.append(f"output '{fitting[-1]}': the last column with few different values ({n_values})")
    return fitting[-1]


def _could_be_output(values: Sequence[Any]) -> bool:
    present = [str(value) for value in values if not is_missing(value)]
    different = len(set(present))
    mean_length = sum(map(len, present)) / max(len(present), 1)
    return 2 <= different <= max(2, min(1_000, len(present) // 2)) and mean_length < 60


def _could_be_written(values: Sequence[Any]) -> bool:
    """True for texts, or lists of them, that hardly repeat."""
    present = [value for value in values if not is_missing(value)]
    texts = sum(isinstance(value, str | list) and not _is_number(value) and not _is_date(value) for value in present)
    return texts > 0.95 * max(1, len(present)) and len(set(map(str, present))) > 0.3 * len(present)


def kind_of(name: str, values: Sequence[Any], found: Guess) -> str:
    """The kind of a column; '' when it is better left out, and then `found.left_out` says why."""
    present = [value for value in values if not is_missing(value)]
    if not present:
        found.left_out[name] = "no values"
        return ""
    different = len(set(map(str, present)))
    if different == 1:
        found.left_out[name] = "always the same"
        return ""
    all_different = different == len(present) and len(present) > 20
    if _share(present, _is_picture_path) > 0.95:
        return "image"
    if _share(present, _is_number) > 0.95:
        whole = _share(present, lambda value: float(number.parse(value)).is_integer()) == 1
        if whole and (ID_NAME.search(name) or (all_different and _is_counting(present))):
            found.left_out[name] = "numbers the rows"
            return ""
        return "number"
    if _share(present, _is_date) > 0.95:
        return "date"
    return _kind_of_words(name, present, different, found)


def _kind_of_words(name: str, present: list[Any], different: int, found: Guess) -> str:
    mean_tokens = sum(len(tokens(str(value)[:400])) for value in present[:500]) / len(present[:500])
    distinct_share = different / len(present)
    if mean_tokens >= 3 and (distinct_share > 0.3 or different > 200):
        return "text"
    if distinct_share > 0.5 and different > 50:
        found.left_out[name] = "a name or key of its own on nearly every row"
        return ""
    return "category"


def _share(values: Sequence[Any], holds: Any) -> float:
    sample = values[:1_000]
    return sum(bool(holds(value)) for value in sample) / len(sample)


def _is_number(value: Any) -> bool:
    return number.check(value) is None


def _is_date(value: Any) -> bool:
    return isinstance(value, str) and len(value) >= 8 and date.check(value) is None


def _is_picture_path(value: Any) -> bool:
    return isinstance(value, str) and Path(value).suffix.lower() in image.SUFFIXES


def _is_counting(values: Sequence[Any]) -> bool:
    """True when the numbers go up by the same step all the way."""
    numbers = [number.parse(value) for value in values]
    steps = {second - first for first, second in pairwise(numbers)}
    return len(steps) == 1 and steps.pop() > 0


def _choose_inputs(kinds: dict[str, str], found: Guess) -> None:
    """Text and pictures alone when there are any: what stands beside them is often known only afterwards."""
    kept = {name: kind for name, kind in kinds.items() if kind}
    rich = {name: kind for name, kind in kept.items() if kind in ("text", "image")}
    for name, kind in kept.items():
        if rich and name not in rich:
            found.left_out[name] = (
                f"{kind} beside {'text' if 'text' in rich.values() else 'pictures'}; add `{name}: {kind}` "
                "to inputs if it is known when the question is asked"
            )
    found.inputs = rich or kept
    if not found.inputs:
        raise DataError(f"{found.data} has no column to learn from beside '{found.output}', expected at least one")
    found.reasons += [f"input '{name}': {kind}" for name, kind in found.inputs.items()][:12]


def _goal(found: Guess, labels: Counter[str]) -> str:
    """The metric that fits the shape of the labels."""
    smallest, total = min(labels.values()), sum(labels.values())
    shares = smallest / total
    is_table = not {"text", "image"} & set(found.inputs.values())
    if len(labels) == 2 and is_table:
        metric = "pr_auc" if shares < RARE else "roc_auc"
        found.reasons.append(f"goal {metric}: two labels over a table, the rarer on {100 * shares:.1f} % of rows")
        return metric
    if shares * len(labels) >= BALANCED:
        found.reasons.append(f"goal accuracy: {len(labels)} labels of similar size")
        return "accuracy"
    found.reasons.append(f"goal macro_f1: {len(labels)} labels of different size count alike")
    return "macro_f1"


def write_guess(path: Path, project: Path, output: str = "", force: bool = False) -> tuple[Guess, Path]:
    """Writes the guessed `windlass.yaml` into the project folder.

    Raises: DataError as `guess`; SpecError: a windlass.yaml is there already.
    """
    target = project / FILE_NAME
    if target.exists() and not force:
        raise SpecError(f"{target} exists, expected a folder without one", "`windlass init DATA --force` replaces it")
    found = guess(path, project, output)
    parse(found.as_yaml(), str(target))
    rewrite_text(target, found.as_yaml())
    return found, target
