"""A first `windlass.yaml` from the data itself: kinds by looking at the values, the output by name and shape."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from windlass.errors import DataError, SpecError, did_you_mean, expected
from windlass.kinds import table as kinds
from windlass.kinds.category import variants
from windlass.metrics.measures import LOWER, told
from windlass.pages.text.words import plain
from windlass.sources.answers import (
    INPUT_NUMBERS,
    LABEL_NAMES,
    QUANTITY_NAMES,
    TEXT_NAMES,
    could_be_labels,
    could_be_tags,
    could_be_written,
    is_moment,
    named,
    output_kind,
    tags_form,
)
from windlass.sources.columns import ID_NAME, Look, is_quantity, look, numbers_of, readable
from windlass.sources.contract import Names, Source
from windlass.sources.guess_documents import is_documents, questions_for
from windlass.sources.guess_series import HISTORY, guess_series
from windlass.sources.places import file_and_sheet, find, labelled_pictures
from windlass.sources.units import unit_of
from windlass.spec import FILE_NAME, UNUSABLE, parse
from windlass.store.files import rewrite_text, write_text

N_READ, N_SAMPLE, LEAST_SAMPLE = 100_000, 5_000, 200
CELLS_READ, CELLS_SAMPLED = 10_000_000, 1_000_000
"""Rows that are read, and looked at; of tables with very many columns as many as hold so many cells."""
WHERE_OR_WHEN = re.compile(
    r"(^|_)(timestamp|time|datetime|year|lat|lon|lng|latitude|longitude|zip|zipcode|phone)(_|$)|时间|年份|经度|纬度|电话",
    re.IGNORECASE,
)
"""Names of numbers that are told and not asked for."""
CHAT_NAMES = ("messages", "conversations")
NO_TAG = re.compile(r"^\W*(none|no|nothing|n/a|without)\b|^\W*(无|没有)", re.IGNORECASE)
"""Names of tags that say that a row has none."""
RARE = 0.05
BALANCED = 0.5
MOST_NAMED, MOST_LEFT_OUT = 12, 40
KEEP_INPUTS = """\
# keep_inputs: true     keeps what users ask in the request log, so that their feedback can teach;
#                       without it `windlass improve` learns from `--rows` alone (`keep_days: 90` deletes it again)"""


UNNAMED = "my-product"
"""Of data whose file has no letter or digit that a name can hold."""


@dataclass
class Guess:
    """What was found: the spec as text, and one sentence of why for each decision. gate: a goal with a number.
    files: name -> text of what is written beside it."""

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
    unit: str = ""
    documents: str = ""
    files: dict[str, str] = field(default_factory=dict)

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
            "formats": self.formats,
            "labels": {"merge": self.merge} if self.merge else {},
            "goal": self.goal,
            "minutes": 10,
        }
        left_out = list(self.left_out.items())
        said = [*self.reasons, *(f"left out: '{name}' ({why})" for name, why in left_out[:MOST_LEFT_OUT])]
        if len(left_out) > MOST_LEFT_OUT:
            said.append(f"left out: {len(left_out) - MOST_LEFT_OUT:,} more")
        lines = ["# Written by `windlass init` from the data. Change what is wrong; every other option has a default."]
        lines += [f"#   {plain(each)}" for each in said]
        kept = {name: value for name, value in values.items() if value}
        lines.append(yaml.safe_dump(kept, sort_keys=False, allow_unicode=True).rstrip())
        gate = self.gate or (f"{self.goal} <= 2.0 " if self.goal in LOWER else f"{self.goal} >= 0.90")
        lines.append(f"# goal: {gate}     makes it a gate: nothing worse is released")
        lines.append(KEEP_INPUTS)
        return "\n".join(lines) + "\n"


def guess(path: Path, project: Path, output: str = "") -> Guess:
    """Looks at the first rows of the data. `output` names the column to answer when the guess is wrong.

    Raises: DataError: nothing to read, or no column that could be the answer.
    """
    data = _relative(path, project)
    if is_documents(path):
        return _answering(path, project)
    sources = find(data, project, Names("image", "label"), project / ".windlass" / "init")
    source = next((item for item in sources if item.split in ("train", "")), sources[0])
    found = Guess(_product_name(path), data)
    if found.name == UNNAMED:
        found.reasons.append(
            f"the product is called '{UNNAMED}': a name is of a-z, 0-9 and -, as services, images and "
            "addresses take theirs from it; `name:` sets another one"
        )
    if source.names.image and _is_pictures(source):
        found.inputs, found.output = {"image": "image"}, output or "label"
        found.reasons.append("pictures, one label each: image -> label")
        labels = Counter(_labels_of_pictures(source))
        found.goal = _goal(found, labels)
        return found
    if source.path.suffix.lower() == ".txt":
        return _continuing(found)
    columns = _columns(_read(source), source)
    if chat := next((name for name in CHAT_NAMES if name in columns and not output), ""):
        return _chatting(chat, found)
    _check_output(output, columns, source)
    found.reasons += source.warnings
    found.output = output or _output(columns, found)
    found.output_kind = output_kind(found.output, columns[found.output], found.reasons)
    looks = {name: look(name, values) for name, values in columns.items() if name != found.output}
    if READINGS.get(found.output_kind, _no_other)(found, source):
        return found
    _choose_inputs(looks, found)
    others = [row.get(found.output) for each in sources if each is not source for row in _read(each)]
    if found.output_kind in GOALS:
        GOALS[found.output_kind](found, columns[found.output], others)
    return found


def _answering(path: Path, project: Path) -> Guess:
    """Answers out of documents, with citations."""
    name, text, why = questions_for(path, project)
    found = Guess(
        _product_name(path), name, {"question": "text"}, "answer", "cited", documents=_relative(path, project)
    )
    found.goal, found.gate = "answer_accuracy", "answer_accuracy >= 0.80"
    found.reasons += [f"documents: {found.documents}; answers cite their sentences, or are refused", why]
    found.files = {name: text} if text else {}
    return found


def _foreseeing(found: Guess, source: Source) -> bool:
    """Makes a forecast of the number where the table holds series of it; the rows are read once more, side by side."""
    rows = [raw.values for raw in islice(source.rows(), N_READ) if raw.values is not None]
    columns = _columns(rows, source)
    looks = {name: look(name, values[:N_SAMPLE]) for name, values in columns.items() if name != found.output}
    made = guess_series(columns, looks, found.output)
    if made is None:
        return False
    name = HISTORY if HISTORY not in columns else f"{HISTORY}_of_{found.output}"
    found.inputs = {name: "series", **made.attributes}
    found.output_kind, found.group, found.series = "forecast", made.group, made.as_spec()
    found.goal, found.gate = "mase", "mase <= 0.9"
    told = ", ".join(f"{each}: {look.kind}" for each, look in looks.items() if look.kind and each != made.time)
    found.reasons += made.reasons
    if told:
        found.reasons.append(
            f"were '{found.output}' to be told from the other columns of the same row: inputs {{{told}}}, output "
            f"{{{found.output}: number}}, and no `series`"
        )
    found.reasons.append("goal mase: how far forecasts are off, beside repeating the last season; below 1 is better")
    return True


def _no_other(found: Guess, source: Source) -> bool:
    return False


READINGS: dict[str, Callable[[Guess, Source], bool]] = {"number": _foreseeing}
"""Kind of the output -> what may read the whole table in another way, and then completes the guess."""


def _of_texts(found: Guess, values: Sequence[Any], elsewhere: Sequence[Any]) -> None:
    found.goal = "chrf"
    found.reasons.append("goal chrf: the share of character n-grams that answer and right answer have in common")


def _of_labels(found: Guess, values: Sequence[Any], elsewhere: Sequence[Any]) -> None:
    labels = Counter(readable(values))
    _merge(labels, Counter(readable(elsewhere)), found)
    found.goal = _goal(found, labels)


def _of_numbers(found: Guess, values: Sequence[Any], elsewhere: Sequence[Any]) -> None:
    numbers = np.array(numbers_of(values), np.float64)
    seen = look(found.output, values)
    found.formats.update({found.output: seen.format} if seen.format else {})
    found.reasons += ["; ".join([f"output '{found.output}': number", *seen.notes])] if seen.notes else []
    usual = float(np.median(numbers))
    off = float(np.abs(numbers - usual).mean())
    found.unit, why = unit_of(found.output, seen.format)
    unit = f" {found.unit}" if found.unit else ""
    if found.unit:
        found.reasons.append(f"unit{unit}: {why}; goals, board, report and page tell it")
    found.goal, found.gate = "mae", f"mae <= {float(f'{off / 2:.1g}'):.10g}{unit}"
    found.reasons.append(
        f"goal mae: how far an answer is off on average, in the unit of '{found.output}'; always answering the median, "
        f"{usual:,.6g}, is off by {told(off)}{unit}"
    )


def _of_tags(found: Guess, values: Sequence[Any], elsewhere: Sequence[Any]) -> None:
    form = tags_form(values) or ""
    found.formats.update({found.output: form} if form else {})
    kind = kinds.reading("tags", {"format": form} if form else None)
    rows, others = (
        [kind.read(value, None) or [] for value in each if kind.check(value) is None] for each in (values, elsewhere)
    )
    counts, more = (Counter(tag for tags in each for tag in tags) for each in (rows, others))
    written = f", written like '{form}'" if form else ", written as lists"
    each_row = counts.total() / max(1, len(rows))
    found.reasons.append(
        f"output '{found.output}': tags{written}: {len(counts)} different ones, {each_row:.1f} a row; were each "
        f"combination a label of its own, `output: {{{found.output}: category}}` would say so"
    )
    _merge(counts, more, found)
    for tag in [tag for tag in counts if NO_TAG.search(tag) and all(len(tags) == 1 for tags in rows if tag in tags)]:
        found.merge[tag] = ""
        found.reasons.append(f"tag '{tag}' stands alone and says that there is none: `labels` makes it an empty list")
    found.goal, found.gate = "micro_f1", "micro_f1 >= 0.80"
    found.reasons.append(
        "goal micro_f1: yes and no of all tags together; macro_f1 counts each tag alike, rare ones too"
    )


GOALS: dict[str, Callable[[Guess, Sequence[Any], Sequence[Any]], None]] = {
    "text": _of_texts,
    "category": _of_labels,
    "number": _of_numbers,
    "tags": _of_tags,
}
"""Kind of the output -> what completes the guess: goal, and how answers are written; elsewhere: of other splits."""


def _merge(labels: Counter[str], elsewhere: Counter[str], found: Guess) -> None:
    """Makes one of labels that differ in their form alone, and says so. elsewhere: of validation and test rows."""
    found.merge = variants({name: 1_000_000 * labels[name] + elsewhere[name] for name in labels | elsewhere})
    by_name: dict[str, list[str]] = {}
    for name, into in found.merge.items():
        labels[into] += labels.pop(name, 0)
        by_name.setdefault(into, []).append(f"'{name}'")
    for into, names in list(by_name.items())[:MOST_NAMED]:
        found.reasons.append(f"label '{into}' is also written {', '.join(names)}: `labels` makes them one")


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
    path = file_and_sheet(path)[0]
    stem = path.resolve().stem if path.is_file() else path.resolve().name
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:63] or UNNAMED


def _is_pictures(source: Source) -> bool:
    return source.path.is_dir() or source.path.suffix.lower() == ".npz"


def _labels_of_pictures(source: Source) -> list[str]:
    if source.path.is_dir():
        return [label for _, label in labelled_pictures(source.path)]
    from windlass.sources.readers.tables import labels_of_npz

    return [str(label) for label in labels_of_npz(source)]


def _read(source: Source) -> list[dict[str, Any]]:
    """Rows from all over the beginning of the source, those left out that cannot be read; fewer where they are wide."""
    whole = (raw.values for raw in islice(source.rows(), N_READ) if raw.values is not None)
    rows = list(islice(whole, 1))
    width = max(1, len(rows[0])) if rows else 1
    rows += islice(whole, max(LEAST_SAMPLE, CELLS_READ // width))
    return rows[:: max(1, len(rows) // min(N_SAMPLE, max(LEAST_SAMPLE, CELLS_SAMPLED // width)))]


def _columns(rows: Sequence[dict[str, Any]], source: Source) -> dict[str, list[Any]]:
    if not rows:
        raise DataError(f"{source.shown} has no whole row, expected rows under a header")
    found = {name: [row.get(name) for row in rows] for name in rows[0] if not UNUSABLE.fullmatch(name)}
    if not found:
        raise DataError(f"{source.shown} has no column with a name that can be used, expected names in its first row")
    return found


def _check_output(output: str, columns: dict[str, list[Any]], source: Source) -> None:
    if output and output not in columns:
        raise DataError(
            f"{source.shown} has no column '{output}', expected {expected(columns)}", did_you_mean(output, columns)
        )


def _output(columns: dict[str, list[Any]], found: Guess) -> str:
    """The column to answer: by its name, else the last one, where it holds few different values or says how much."""
    fitting = [name for name, values in columns.items() if could_be_labels(values) or could_be_tags(values)]
    written = [name for name, values in columns.items() if could_be_written(values) and not ID_NAME.search(name)]
    numbers = [name for name, values in columns.items() if _says_how_much(name, values)]
    fitting_numbers = numbers if len(columns) > 1 else []
    for names, among, what in (
        (LABEL_NAMES, fitting, "by its name"),
        (TEXT_NAMES, written if len(columns) > 1 else [], "a text to be written, by its name"),
        (QUANTITY_NAMES, fitting_numbers, "a number, by its name"),
    ):
        if name := named({each: columns[each] for each in among}, names, lambda name: True):
            found.reasons.append(f"output '{name}': {what}")
            return name
    fitting = [name for name in fitting if not ID_NAME.search(name) and not is_moment(columns[name])]
    last = list(columns)[-1]
    if last in fitting_numbers and (fitting or len(written) < 2):
        beside = f"; '{fitting[-1]}' could be labels: `--output` names another one" if fitting else ""
        found.reasons.append(f"output '{last}': a number, the last column{beside}")
        return last
    if not fitting and (name := named(columns, INPUT_NUMBERS, lambda name: name in fitting_numbers)):
        found.reasons.append(f"output '{name}': a number, by its name, where nothing else looks like an answer")
        return name
    if not fitting and len(written) > 1:
        found.reasons.append(f"output '{written[-1]}': a text to be written, the last one")
        return written[-1]
    if not fitting:
        raise DataError(
            f"no column of {found.data} looks like an answer: it has {expected(columns)}",
            "say which: `windlass init DATA --output COLUMN`",
        )
    n_values = len(set(readable(columns[fitting[-1]])))
    found.reasons.append(f"output '{fitting[-1]}': the last column with few different values ({n_values})")
    return fitting[-1]


def _says_how_much(name: str, values: Sequence[Any]) -> bool:
    """True for a number that could be asked for: no key, and no place or time."""
    is_told = ID_NAME.search(name) or WHERE_OR_WHEN.search(name) or is_moment(values)
    return not is_told and is_quantity(values) and bool(look(name, values).kind)


def _choose_inputs(looks: dict[str, Look], found: Guess) -> None:
    """All that can be read; beside a text that is to be written, texts and pictures alone, which writers read."""
    for name, each in looks.items():
        if not each.kind:
            found.left_out[name] = each.why
    kept = {name: each for name, each in looks.items() if each.kind}
    rich = {name for name, each in kept.items() if _is_rich(each.kind)}
    is_written = kinds.get(found.output_kind).is_prose
    for name, each in kept.items():
        if is_written and rich and name not in rich:
            found.left_out[name] = f"{each.kind} beside text; add `{name}: {each.kind}` to inputs if it says something"
        else:
            found.inputs[name] = each.kind
            found.formats.update({name: each.format} if each.format else {})
    if not found.inputs:
        raise DataError(f"{found.data} has no column to learn from beside '{found.output}', expected at least one")
    for name, kind in list(found.inputs.items())[:MOST_NAMED]:
        found.reasons.append("; ".join([f"input '{name}': {kind}", *kept[name].notes]))
    beside = [f"'{name}'" for name in found.inputs if name not in rich][:MOST_NAMED] if rich else []
    if beside:
        found.reasons.append(f"is {', '.join(beside)} known before the answer? leave out of inputs what is not")


def _is_rich(kind: str) -> bool:
    return kinds.get(kind).is_prose or kinds.get(kind).is_picture


def _goal(found: Guess, labels: Counter[str]) -> str:
    """The metric that fits the shape of the labels."""
    if len(labels) < 2:
        only = f"the one label '{next(iter(labels))}'" if labels else "no labels"
        raise DataError(f"column '{found.output}' has {only}, expected at least two to tell apart")
    smallest, total = min(labels.values()), sum(labels.values())
    shares = smallest / total
    is_table = not any(map(_is_rich, found.inputs.values()))
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
    for name, text in found.files.items():
        write_text(project / name, text)
    rewrite_text(target, found.as_yaml())
    return found, target
