"""Shipped checks: what every kind and blueprint must keep, also those added outside this repository.

Each raises AssertionError that says what is broken.
"""

import json
import math
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from windlass import spec as specs
from windlass.errors import DataError
from windlass.kinds import category, number
from windlass.kinds import table as kinds
from windlass.kinds.contract import Batch, Kind, Sparse, is_missing, shown
from windlass.records import Json
from windlass.sources.places import find, names_of, wanted_columns
from windlass.sources.standard_library import PREFIX
from windlass.testing.toys import pictures

NAN_FORMS = frozenset({"raw", "index"})
"""Forms for trees, which read NaN as missing; no other batch may hold one."""
LABEL = "label"
SUFFIXES = frozenset({".json", ".safetensors", ".onnx", ".txt", ".bin"})
"""Of files that an artifact may hold; `model.bin` is CTranslate2's own format, numbers alone."""
LEAST_GAIN = 0.1
"""Share of right answers that whatever learns must have above the commonest answer; the toys allow 0.3 to 0.4."""
MAX_BLUEPRINT_BYTES = 3_000_000
MAX_FAULT = 200
MAX_CODE = 32_767
MOST_WRITING_S = 12.0
"""Learners of texts use what they are given; a toy needs no more."""


def expect(holds: Any, otherwise: str) -> None:
    """Raises: AssertionError with these words unless it holds (`assert` is lost under `python -O`)."""
    if not holds:
        raise AssertionError(otherwise)


# kinds ----------------------------------------------------------------------------------------------------------------


def sample_values() -> list[Any]:
    """Values of every sort that a file, a database or a client can bring, most of them wrong for any one kind."""
    # fmt: off
    return [
        None, "", "  ", "\t\n", math.nan, math.inf, -math.inf, 0, 1, -7, 2.5, 3.0, -0.0, 1e30, 1e200, 10**30,
        10**400, 10**5000, True, False, Decimal("1.5"), np.int64(4), np.float32(0.5), np.float32("nan"),
        np.float64("nan"), np.bool_(True), np.str_("level"), np.complex128(1 + 2j), np.timedelta64(5, "s"),
        np.array([1, 2]), np.array(["", ""]), b"bytes", b"\xff", ["a", "list"], [10**5000], ("a",), {"a": 1},
        {1, 2}, object(), 1 + 2j, timedelta(days=1), date(2026, 3, 31), datetime(2026, 3, 31, 23, 59),
        datetime.max, datetime.min, "yes", "yes", "no", "no", "no", "level", "level", "3", " 3 ", "1,234.5", "１２",
        "1e400", "inf", "?", "N/A", "2026-03-31", "2026/3/1", "2026年3月31日", "2026-13-45", "2024-02-29",
        "2023-02-29", "0001-01-01", "9999-12-31", "My card is lost", "my card is lost", "请尽快退款,谢谢",
        "退款 please",
        "مرحبا بالعالم", "שלום", "👩‍👩‍👧‍👦 ok 🎉", "e\u0301 é", "\ufeffbom", "null\x00byte", "\u202eright to left",
        "half \ud83d pair", "\udcff", "a" * 600, "word " * 3_000, "字" * 3_000, "x" * 200_000, "../../etc/passwd",
        "/etc/passwd", "data:image/png;base64,", "data:text/plain,hello", "aGVsbG8=", "{{7*7}}", "<script>",
        *pictures(),
    ]
    # fmt: on


def tiny_tokenizer() -> str:
    """The text of a tokenizer.json that knows a dozen characters; the rest is unknown."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocabulary = {token: number for number, token in enumerate(["[PAD]", "[UNK]", *"aecdlmnorst"])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", continuing_subword_prefix=""))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer.to_str()


def check_kind(kind: Kind, samples: Sequence[Any] | None = None, options: Json | None = None) -> None:
    """Checks everything that `Kind` promises.

    Args:   samples: raw values, right and wrong ones (none given: `sample_values()`).
            options: what its forms need (none given: a tiny tokenizer, 16 tokens).
    Raises: AssertionError.
    """
    raw = sample_values() if samples is None else list(samples)
    options = options or {"tokenizer": tiny_tokenizer(), "length": 16, "pad": 0}
    good = [value for value in raw if _is_readable(kind, value)]
    expect(len(good) >= 3, f"{kind.name} reads {len(good)} of the samples, expected at least 3: give it `samples`")
    expect(len(good) < len(raw), f"{kind.name} reads every sample, expected that it refuses wrong ones")
    for form in kind.forms:
        if form == LABEL:
            _check_labels(kind, good, options)
        elif form == number.TARGET:
            _check_targets(kind, good, options)
        else:
            _check_form(kind, form, good, options)
    _check_sketch(kind, [kind.read(value, None) for value in good])


def _check_sketch(kind: Kind, values: list[Any]) -> None:
    """Profiles are short lists of small whole numbers, the same in every process, and tell one half from the other."""
    what = f"{kind.name}: sketch"
    sketch = kind.sketch
    if sketch is None:
        raise AssertionError(f"{what} is missing, expected one: a service must be able to tell drift")
    state = sketch.learn(iter(values[: max(1, len(values) // 2)]))
    copy = json.loads(json.dumps(state, allow_nan=False, ensure_ascii=False).encode("utf-8"))
    profiles = [sketch.profile(value, copy) for value in values]
    expect(profiles == [sketch.profile(value, state) for value in values], f"{what} differs after a JSON round trip")
    small = all(type(number) is int and abs(number) <= MAX_CODE for profile in profiles for number in profile)
    expect(small, f"{what} holds what is no whole number up to {MAX_CODE:,}")
    width = len(profiles[0])
    expect({len(profile) for profile in profiles} == {width}, f"{what} has several lengths")
    tells = len({tuple(profile) for profile in profiles}) > 1 or len(set(map(repr, values))) == 1
    expect(tells, f"{what} is the same for all values")
    traits = sketch.traits(copy)
    expect(traits, f"{what} has no traits")
    ends = [trait.start + (trait.width if trait.form == "vector" else 1) for trait in traits]
    expect(max(ends) <= width, f"{what} is shorter than its traits say")
    table = np.array(profiles)
    for shift in sketch.drift(copy, table, table):
        expect(not shift.is_large, f"{what} '{shift.trait}' drifts from itself by {shift.effect:g}")
        expect(0 <= shift.p <= 1, f"{what} '{shift.trait}' has the p-value {shift.p}")
    nothing = table[:0]
    for reference, now in ((nothing, table), (table, nothing), (nothing, nothing)):
        alike = not any(shift.is_large and shift.p < 1 for shift in sketch.drift(copy, reference, now))
        expect(alike, f"{what} drifts where there is nothing to compare")
    sketch.profile(values[0], sketch.learn(iter([])))


def _is_readable(kind: Kind, value: Any) -> bool:
    """True when the kind reads the value; checks that it says so alike, and in words that can be shown."""
    what = f"{kind.name}: {shown(value)}"
    fault = kind.check(value)
    has_words = isinstance(fault, str) and fault
    expect(fault is None or has_words, f"{what}: check gives {fault!r}, expected words or None")
    expect(fault == kind.check(value), f"{what}: check says two things about one value")
    expect(len(fault or "") <= MAX_FAULT, f"{what}: fault has {len(fault or '')} characters, too many to show")
    (fault or "").encode("utf-8")
    try:
        kind.read(value, None)
    except DataError as error:
        str(error).encode("utf-8")
        return False
    expect(fault is None, f"{what}: read takes what check refuses ({fault})")
    return True


def _check_form(kind: Kind, form: str, good: list[Any], options: Json) -> None:
    what = f"{kind.name} as {form}"
    values = [kind.read(value, None) for value in good]
    seen = values[: max(1, len(values) // 2)]
    state = kind.fit(iter(seen), form, options)
    copy = json.loads(json.dumps(state, allow_nan=False, ensure_ascii=False).encode("utf-8"))
    expect(state.get("form") == form, f"{what}: state names form {state.get('form')!r}, expected '{form}'")
    same = _same(kind.encode(seen, state), kind.encode(seen, copy))
    expect(same, f"{what}: encodes otherwise after a JSON round trip")
    batch = kind.encode(values, copy)
    expect(_length(batch) == len(values), f"{what}: {len(values)} values gave {_length(batch)} rows")
    expect(_same(batch, kind.encode(values, copy)), f"{what}: the same values encode differently the second time")
    singly = kinds.join([kind.encode([value], copy) for value in values], copy.get("pad", 0))
    expect(_same(batch, singly), f"{what}: a value encodes differently alone and in a batch")
    expect(form in NAN_FORMS or not np.isnan(_numbers(batch)).any(), f"{what}: the batch holds NaN")
    expect(not np.isinf(_numbers(batch)).any(), f"{what}: the batch holds infinity")
    expect(
        batch.values.dtype == np.float32 if isinstance(batch, Sparse) else batch.dtype in (np.float32, np.int64),
        f"{what}: the batch is neither float32 nor int64",
    )
    shares = [share for _, share in kind.background(copy)]
    known = _length(kind.encode([value for value, _ in kind.background(copy)], copy))
    expect(known == len(shares) > 0, f"{what}: background has {known} values, expected at least one")
    expect(abs(sum(shares) - 1) < 1e-3, f"{what}: shares of the background sum to {sum(shares):g}, expected 1")
    expect(all(kind.describe(value, copy) for value in values), f"{what}: describes a value with no words")
    empty = kind.encode([], copy)
    expect(_length(empty) == 0, f"{what}: no values gave {_length(empty)} rows")
    expect(
        batch.dtype == np.int64 or _row_shape(empty) == _row_shape(batch)
        if isinstance(batch, np.ndarray)
        else _row_shape(empty) == _row_shape(batch),
        f"{what}: rows have another shape when there are none",
    )
    _check_portable(kind, what, good, copy)
    _check_nothing_to_fit(kind, form, options)


def _check_portable(kind: Kind, what: str, good: list[Any], state: Json) -> None:
    for value in good:
        sent = json.loads(json.dumps(kind.portable(value, None), allow_nan=False, ensure_ascii=False).encode("utf-8"))
        first, second = (kind.encode([kind.read(one, None)], state) for one in (value, sent))
        expect(_same(first, second), f"{what}: {shown(value)} encodes differently after it was sent as JSON")


def _check_nothing_to_fit(kind: Kind, form: str, options: Json) -> None:
    """A column without rows, or with none but missing values, gives a state or is refused; it never crashes."""
    missing = [] if kind.check(None) else [kind.read(None, None)] * 3
    for values in ([], missing):
        try:
            state = kind.fit(iter(values), form, options)
        except DataError:
            continue
        json.dumps(state, allow_nan=False)
        expect(
            np.isfinite(_numbers(kind.encode(missing, state))).all() or form in NAN_FORMS,
            f"{kind.name} as {form}: a column of missing values gives numbers that are not finite",
        )


def _check_targets(kind: Kind, good: list[Any], options: Json) -> None:
    """Numbers that are answered come back from their scores; one that is missing is refused."""
    values = [value for value in (kind.read(one, None) for one in good) if not is_missing(value)]
    state = kind.fit(iter(values), number.TARGET, options)
    copy = json.loads(json.dumps(state, allow_nan=False))
    back = number.decode(np.asarray(kind.encode(values, copy))[:, None], copy)
    same = np.allclose(back, values, rtol=1e-9, atol=1e-9 * state["deviation"])
    expect(same, f"{kind.name} as {number.TARGET}: a number does not come back from its score")
    try:
        kind.encode([*values, kind.read(None, None)], copy)
    except DataError:
        return
    raise AssertionError(f"{kind.name} as {number.TARGET}: takes a missing number, expected a refusal")


def _check_labels(kind: Kind, good: list[Any], options: Json) -> None:
    names = [value for value in (kind.read(one, None) for one in good) if not is_missing(value)]
    state = kind.fit(iter(names), LABEL, options)
    copy = json.loads(json.dumps(state, allow_nan=False, ensure_ascii=False).encode("utf-8"))
    labels = copy["labels"]
    targets = kind.encode(names, copy)
    assert isinstance(targets, np.ndarray)
    expect([labels[place] for place in targets] == names, f"{kind.name}: labels do not come back from their numbers")
    expect(_length(kind.encode([], copy)) == 0, f"{kind.name}: no labels gave rows")
    try:
        kind.encode([names[0] + " never seen"], copy)
        expect(False, f"{kind.name}: a label that was not trained on is encoded, expected DataError")
    except DataError:
        pass
    random = np.random.default_rng(13)
    one_hot, even = np.eye(len(labels)), np.full((1, len(labels)), 1 / len(labels))
    probabilities = np.concatenate([one_hot, even, random.dirichlet(np.ones(len(labels)), 20)])
    answers = category.decode(probabilities, copy)
    expect(len(answers) == len(probabilities), f"{kind.name}: {len(probabilities)} rows gave {len(answers)} answers")
    expect(category.decode(probabilities[:0], copy) == [], f"{kind.name}: no rows gave answers")
    for row, answer in zip(probabilities, answers, strict=True):
        shares = [answer.confidence or 0.0, *(share for _, share in answer.alternatives)]
        expect(all(0 <= share <= 1 for share in shares), f"{kind.name}: confidence outside 0-1")
        expect(shares == sorted(shares, reverse=True), f"{kind.name}: alternatives are not in order")
        expect(
            answer.confidence == row.max() and row[labels.index(answer.value)] == row.max(),
            f"{kind.name}: the answer is not the likeliest label",
        )
        json.dumps(answer.as_json(), allow_nan=False)


def _numbers(batch: Batch) -> np.ndarray:
    return batch.values if isinstance(batch, Sparse) else batch.astype(np.float64)


def _length(batch: Batch) -> int:
    return len(batch.starts) - 1 if isinstance(batch, Sparse) else len(batch)


def _row_shape(batch: Batch) -> tuple[int, ...]:
    return (batch.width,) if isinstance(batch, Sparse) else batch.shape[1:]


def _same(first: Batch, second: Batch) -> bool:
    if isinstance(first, Sparse) and isinstance(second, Sparse):
        return first.width == second.width and all(
            np.array_equal(*pair)
            for pair in ((first.starts, second.starts), (first.places, second.places), (first.values, second.values))
        )
    if isinstance(first, Sparse) or isinstance(second, Sparse):
        return False
    return np.array_equal(first, second, equal_nan=first.dtype != np.int64)


# blueprints -----------------------------------------------------------------------------------------------------------


def check_blueprint(folder: Path) -> None:
    """Checks a ready product: its specification, data, columns, README and size. Raises: AssertionError, SpecError."""
    spec = specs.load(folder)
    for column, kind in {**spec.inputs, **spec.output}.items():
        kinds.get(kind)
        expect(column.strip(), f"{folder.name}: a column has no name")
    for name in spec.data.values() if isinstance(spec.data, dict) else [spec.data]:
        if not name.startswith(PREFIX):
            path = (folder / name).resolve()
            expect(path.is_relative_to(folder.resolve()), f"{folder.name}: data '{name}' lies outside the blueprint")
            expect(path.exists(), f"{folder.name}: data '{name}' does not exist")
            files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
            expect(files, f"{folder.name}: data '{name}' is empty")
    _check_columns(folder, spec)
    readme = folder / "README.md"
    expect(readme.is_file(), f"{folder.name} has no README.md")
    expect(readme.read_text(encoding="utf-8").lstrip().startswith("# "), f"{folder.name}: README.md has no heading")
    size = sum(path.stat().st_size for path in _files(folder))
    expect(size < MAX_BLUEPRINT_BYTES, f"{folder.name} has {size:,} bytes, expected less than {MAX_BLUEPRINT_BYTES:,}")


def _files(folder: Path) -> Iterable[Path]:
    """The blueprint's files, without what a run in the same place would leave."""
    return (path for path in folder.rglob("*") if path.is_file() and ".windlass" not in path.parts)


def _check_columns(folder: Path, spec: specs.Spec) -> None:
    """The first whole row of every table that is meant has the columns; pictures in folders have none."""
    try:
        sources = find(spec.data, folder, names_of(spec), folder)
    except DataError as error:
        raise AssertionError(f"{folder.name}: {error}") from None
    for source in sources:
        if source.path.suffix == ".npz" or (source.path.is_dir() and not source.version):
            continue
        row = next((raw.values for raw in source.rows() if raw.values is not None), None)
        expect(row, f"{folder.name}: data '{source.path.name}' has no rows")
        absent = [column for column in wanted_columns(spec, source.split) if column not in (row or {})]
        expect(not absent, f"{folder.name}: data '{source.path.name}' has no column {absent}, it has {list(row or {})}")
