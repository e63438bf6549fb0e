"""A first `windlass.yaml` from the data itself: kinds by looking at the values, the output by name and shape."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from windlass.errors import DataError, SpecError, did_you_mean, expected
from windlass.kinds import table as kinds
from windlass.kinds import tags
from windlass.kinds.text_parts import joined
from windlass.sources.answers import LABEL_NAMES, QUANTITY_NAMES, could_be_labels, named, output_kind, tag_columns
from windlass.sources.columns import Look, look, numbers_of, readable
from windlass.sources.contract import Names, Source
from windlass.sources.guessing.documents import is_documents, questions_for
from windlass.sources.guessing.events import read_as_log
from windlass.sources.guessing.goals import GOALS, goal_of_labels, is_rich
from windlass.sources.guessing.output import check_alike, output_of
from windlass.sources.guessing.reading import AS_SERIES, READ_AS, read_as_series
from windlass.sources.guessing.record import MOST_NAMED, Guess, Reading
from windlass.sources.places import file_and_sheet, find, labelled_pictures
from windlass.spec import FILE_NAME, UNUSABLE, parse
from windlass.store.files import rewrite_text, write_text

UNNAMED = "my-product"
"""Of data whose file has no letter or digit that a name can hold."""
N_READ, N_SAMPLE, LEAST_SAMPLE = 100_000, 5_000, 200
CELLS_READ, CELLS_SAMPLED = 10_000_000, 1_000_000
"""Rows that are read, and looked at; of tables with very many columns as many as hold so many cells."""
PERSON = re.compile(
    r"(user|student|patient|customer|client|member|subject|person|employee|driver|account|buyer|reader)_?(id|no|number)$"
    r"|^id_?(user|student|patient|customer|client|member)$|(用户|学生|患者|病人|客户|会员|员工).{0,2}(编号|号|ID)$",
    re.IGNORECASE,
)
"""Names of keys of people, each of whom may have several rows."""
LEAST_PERSONS, SEVERAL_ROWS = 20, 0.97
CHAT_NAMES = ("messages", "conversations")
AS_LOG = "items"
"""What `--as` says of a table that is a log: who did what with which item."""
FEWEST_STEPS, MOST_STEPS = 5, 100
"""Different numbers of an answer that may be steps of a scale as well as labels."""


def guess(path: Path, project: Path, output: str = "", as_kind: str = "") -> Guess:
    """Looks at the first rows of the data. `output` names the column to answer when the guess is wrong, `as_kind` its
    kind, or 'windows' where it is told from windows of series.

    Raises: DataError: nothing to read, or no column that could be the answer. SpecError: no such kind.
    """
    wanted = (*GOALS, *AS_SERIES, AS_LOG)
    if as_kind and as_kind not in wanted:
        raise SpecError(f"--as is '{as_kind}', expected {expected(wanted)}", did_you_mean(as_kind, wanted))
    data = _relative(path, project)
    if is_documents(path):
        return _answering(path, project)
    sources = find(data, project, Names("image", "label", answers=as_kind), project / ".windlass" / "init")
    source = next((item for item in sources if item.split in ("train", "")), sources[0])
    found = Guess(_product_name(path), data)
    if found.name == UNNAMED:
        found.reasons.append(
            f"the product is called '{UNNAMED}': a name is of a-z, 0-9, Chinese characters and -, as services, images "
            "and addresses take theirs from it; `name:` sets another one"
        )
    if source.answers:
        return _annotated(found, source, output)
    if source.names.image and _is_pictures(source):
        found.inputs, found.output = {"image": "image"}, output or "label"
        found.reasons.append("pictures, one label each: image -> label")
        labels = Counter(_labels_of_pictures(source))
        found.goal = goal_of_labels(found, labels)
        return found
    if source.path.suffix.lower() == ".txt":
        return _continuing(found)
    columns = _columns(_read(source), source)
    if chat := next((name for name in CHAT_NAMES if name in columns and not output), ""):
        return _chatting(chat, found)
    _check_output(output, as_kind, columns, source)
    found.reasons += source.warnings
    if as_kind in ("", AS_LOG) and not output and read_as_log(found, columns, source, project, bool(as_kind)):
        return found
    output = output or _tags_of_columns(columns, found, "columns" in kinds.WAYS.get(as_kind, ()))
    found.output = output or output_of(columns, found)
    found.output_kind = as_kind if as_kind in GOALS else _kind(columns[found.output], found)
    looks = {name: look(name, values) for name, values in columns.items() if name != found.output}
    if _may_be_series(looks, found, as_kind) and read_as_series(found, _columns(_rows(source), source), as_kind):
        return found
    if as_kind in AS_SERIES:
        raise DataError(
            f"{source.shown} has no series, expected moments in regular steps and numbers",
            "without `--as` each row is answered by itself",
        )
    _choose_inputs(looks, found)
    if len(sources) == 1:
        _keep_together(columns, looks, found)
    others = [row.get(found.output) for each in sources if each is not source for row in _read(each)]
    if found.output_kind in GOALS:
        GOALS[found.output_kind](found, columns[found.output], others)
    return found


def _answering(path: Path, project: Path) -> Guess:
    """Answers out of documents, with citations."""
    name, text, why = questions_for(path, project)
    product = _product_name(project if path.is_dir() and path.name.lower() in ("docs", "documents") else path)
    found = Guess(product, name, {"question": "text"}, "answer", "cited", documents=_relative(path, project))
    # questions that were written from the documents tell whether passages are found, and not how well it answers people
    found.goal = "recall_at_5" if text else "answer_accuracy"
    found.gate = f"{found.goal} >= 0.80"
    found.reasons += [f"documents: {found.documents}; answers cite their sentences, or are refused", why]
    found.files = {name: text} if text else {}
    return found


def _annotated(found: Guess, source: Source, output: str) -> Guess:
    """Pictures with what annotation tools say of them."""
    found.inputs, found.output, found.output_kind = {"image": "image"}, output or source.answers, source.answers
    rows = [raw.values[source.names.label] for raw in islice(source.rows(), N_READ) if raw.values is not None]
    found.reasons.append(f"{len(rows):,} pictures whose annotations say where things are: image -> {found.output}")
    GOALS[found.output_kind](found, rows, [])
    return found


def _may_be_series(looks: dict[str, Look], found: Guess, as_kind: str) -> bool:
    """A quick look: there are moments, and the output is one that series can tell."""
    has_moments = any(each.kind and kinds.get(each.kind).is_moment for each in looks.values())
    return has_moments and (as_kind in AS_SERIES or (not as_kind and found.output_kind in READ_AS))


def _rows(source: Source) -> list[dict[str, Any]]:
    return [raw.values for raw in islice(source.rows(), N_READ) if raw.values is not None]


def _kind(values: Sequence[Any], found: Guess) -> str:
    """The kind of the output, by its values; few different numbers may be labels, and labels that are numbers not."""
    if found.tag_columns:
        return "tags"
    kind, name = output_kind(found.output, values, found.reasons), found.output
    different = len(set(readable(values)))
    other = {"number": "category", "category": "number"}.get(kind, "")
    is_named = name.strip().lower() in (*LABEL_NAMES, *QUANTITY_NAMES)
    is_scale = FEWEST_STEPS <= different <= MOST_STEPS and len(numbers_of(values)) == len(readable(values))
    if other and is_scale and not is_named:
        words = {"number": f"'{name}' as a number", "category": f"each of its {different} values as a label"}
        found.close(Reading(name, other, words[kind], words[other]))
    return kind


def _tags_of_columns(columns: dict[str, list[Any]], found: Guess, wanted: bool) -> str:
    """Makes one column of those that are a tag each, and gives its name; '' where there are none."""
    block = tag_columns(columns, wanted)
    if not block or (not wanted and named(columns, LABEL_NAMES, lambda name: could_be_labels(columns[name]))):
        return ""
    parts = [columns.pop(name) for name in block]
    rows = [tags.from_columns(dict(zip(block, row, strict=True)), block) for row in zip(*parts, strict=True)]
    name = next(each for each in ("tags", "labels", "tags_of_row") if each not in columns)
    columns[name], found.tag_columns = rows, block
    shown = ", ".join(f"'{each}'" for each in block[:MOST_NAMED]) + (" ..." if len(block) > MOST_NAMED else "")
    found.reasons.append(f"output '{name}': {len(block)} columns of 1 and 0 are a tag each: {shown}")
    if all(row is None or len(row) == 1 for row in rows):
        found.reasons.append("each row has exactly one of them: a column with its name would be a `category`")
    if len(block) == 2:
        words = f"'{block[-1]}' alone, told from all other columns"
        found.close(Reading(block[-1], "category", "both as tags", words))
    return name


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
    return re.sub("[^a-z0-9\u3400-\u9fff]+", "-", stem.lower()).strip("-")[:63] or UNNAMED


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
    found = {name: [joined(row.get(name)) for row in rows] for name in rows[0] if not UNUSABLE.fullmatch(name)}
    if not found:
        raise DataError(f"{source.shown} has no column with a name that can be used, expected names in its first row")
    return found


def _check_output(output: str, as_kind: str, columns: dict[str, list[Any]], source: Source) -> None:
    if output and output not in columns:
        raise DataError(
            f"{source.shown} has no column '{output}', expected {expected(columns)}", did_you_mean(output, columns)
        )
    if output and not as_kind:
        check_alike(output, columns[output], source.shown)


def _choose_inputs(looks: dict[str, Look], found: Guess) -> None:
    """All that can be read; beside a text that is to be written, texts and pictures alone, which writers read."""
    for name, each in looks.items():
        if not each.kind:
            found.left_out[name] = each.why
    kept = {name: each for name, each in looks.items() if each.kind}
    rich = {name for name, each in kept.items() if is_rich(each.kind)}
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


def _keep_together(columns: dict[str, list[Any]], looks: dict[str, Look], found: Guess) -> None:
    """Rows of a person stay in one split: what is known of people is to be of use for others."""
    for name, values in columns.items():
        words = readable(values)
        is_key = name in looks and not looks[name].kind and PERSON.search(name)
        if is_key and LEAST_PERSONS <= len(set(words)) <= SEVERAL_ROWS * len(words):
            found.group = name
            found.left_out.pop(name, None)
            found.reasons.append(f"group '{name}': rows of one stay together when rows are split, so that others test")
            return


def write_guess(
    path: Path, project: Path, output: str = "", force: bool = False, as_kind: str = "",
    takes_other: Callable[[Reading], bool] = lambda other: False,
) -> tuple[Guess, Path]:  # fmt: skip
    """Writes the guessed `windlass.yaml` into the project folder. takes_other: asked where two readings are close.

    Raises: DataError as `guess`; SpecError: a windlass.yaml is there already.
    """
    target = project / FILE_NAME
    if target.exists() and not force:
        raise SpecError(f"{target} exists, expected a folder without one", "`windlass init DATA --force` replaces it")
    found = guess(path, project, output, as_kind)
    if found.other and takes_other(found.other):
        found = guess(path, project, found.other.output, found.other.kind)
    parse(found.as_yaml(), str(target))
    for name, text in found.files.items():
        write_text(project / name, text)
    rewrite_text(target, found.as_yaml())
    return found, target
