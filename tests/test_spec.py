"""`windlass.yaml`: what is read, and every refusal with its words."""

import json

import jsonschema
import pytest
import yaml

from windlass.errors import NotReady, SpecError
from windlass.goals import GOALS, Goal, parse_goal
from windlass.kinds.table import ways
from windlass.spec import FILE_NAME, Limits, Spec, dump, load, parse
from windlass.strict_yaml import MAX_BYTES, MAX_DEPTH

GOOD = {
    "name": "support-desk",
    "data": "data/tickets.csv",
    "inputs": {"message": "text"},
    "output": {"intent": "category"},
}
FULL = """
name: support-desk
data: {train: a.csv, test: b.csv}
inputs: {message: text, 金额: number}
output: {intent: category}
goal: macro_f1 >= 0.90
limits: {latency_p95_ms: 20, size_mb: 60.5}
minutes: 10
seed: 7
learners: [linear, {cnn: essay}, {pretrained: sentence-transformers/all-MiniLM-L6-v2}]
optimizer: sgd
precision: bfloat16
keep_inputs: true
"""


def text(**changes) -> str:
    """The good specification with these values in it (None: without the key)."""
    values = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)


def refusal(source: str) -> str:
    with pytest.raises(SpecError) as caught:
        parse(source)
    return str(caught.value)


def test_the_shortest_specification_gets_the_recommended_rest():
    spec = parse(text())
    assert (spec.goal, spec.minutes, spec.seed, spec.learners, spec.limits) == ("", 10, 13, None, Limits())
    assert (spec.output_column, spec.columns) == ("intent", ["message", "intent"])


def test_a_full_specification_is_read():
    spec = parse(FULL)
    assert spec.data == {"train": "a.csv", "test": "b.csv"}
    assert spec.limits == Limits(latency_p95_ms=20, size_mb=60.5)
    assert spec.learners == ["linear", {"cnn": "essay"}, {"pretrained": "sentence-transformers/all-MiniLM-L6-v2"}]
    assert spec.columns == ["message", "金额", "intent"]


@pytest.mark.parametrize("source", [text(), FULL, text(inputs={"no": "text", "2026-01-01": "number", "é 👾": "date"})])
def test_what_is_written_reads_back_the_same(source):
    spec = parse(source)
    assert parse(dump(spec)) == spec


def test_what_equals_the_default_is_not_written():
    assert set(yaml.safe_load(dump(parse(text(seed=13, minutes=10))))) == set(GOOD)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"nmae": "x"},
            "windlass.yaml has the unknown key 'nmae', expected one of 'name', 'data', 'documents', 'access', "
            "'inputs', 'output', 'goal', 'limits' ... (",
        ),
        ({"nmae": "x"}, " in all)\nhint: did you mean 'name'?"),
        ({"gruop": "patient"}, "did you mean 'group'?"),
        ({"limits": {"rules_broken": 0.1}}, "'rules_broken' is limited without 'brand', expected `brand: brand.yaml`"),
        ({"group": "intent"}, "'group' is 'intent', the output, expected a column that is known beforehand"),
        ({3: "x"}, "unknown key '3'"),
        (
            {"limits": {"size": 3}},
            "unknown key 'limits.size', expected one of 'latency_p95_ms', 'size_mb', 'rules_broken', "
            "'false_alarms_a_month', 'risk', 'coverage', 'tail_share', 'loss'\n"
            "hint: did you mean 'size_mb'?",
        ),
        ({"name": None}, "windlass.yaml has no 'name', expected it\nhint: `windlass init DATA` writes a complete file"),
        ({"output": None}, "has no 'output', expected it"),
        (
            {"name": "Support Desk"},
            "'name' is 'Support Desk', expected a-z, 0-9, Chinese characters and '-', at most 63",
        ),
        ({"name": "-x"}, "expected a-z, 0-9"),
        ({"name": "a" * 64}, "expected a-z, 0-9"),
        ({"name": "a\n"}, "expected a-z, 0-9"),
        ({"name": "../x"}, "expected a-z, 0-9"),
        ({"name": ""}, "expected a-z, 0-9"),
        ({"name": 3}, "'name' is 3, expected text"),
        ({"data": 3}, "'data' is 3, expected a path, or a path each for 'train', 'validation' and 'test'"),
        ({"data": {"tset": "a.csv"}}, "'data' is {'tset': 'a.csv'}, expected a path, or a path each for 'train'"),
        ({"inputs": {}}, "'inputs' is {}, expected at least one"),
        ({"inputs": ["message"]}, "'inputs' is ['message'], expected a mapping, such as {message: text}"),
        ({"costs": 3}, "'costs' is 3, expected a mapping, such as {miss: 50, false_alarm: 2}"),
        ({"formats": "a;b"}, "'formats' is 'a;b', expected a mapping, such as {price: '1.234,56 €'}"),
        ({"inputs": {"message": 3}}, "'inputs.message' is 3, expected text"),
        ({"output": {"a": "category", "b": "category"}}, "'b': 'category'}, expected at most one"),
        ({"output": {"message": "category"}}, "column 'message' is input and output, expected one of the two"),
        ({"limits": 3}, "'limits' is 3, expected a mapping"),
        ({"limits": {"size_mb": 0}}, "'limits.size_mb' is 0, expected greater than 0"),
        ({"limits": {"size_mb": float("inf")}}, "'limits.size_mb' is inf, expected a finite number"),
        ({"minutes": "ten"}, "'minutes' is 'ten', expected a number"),
        ({"minutes": True}, "expected a number"),
        ({"minutes": 0}, "expected greater than 0"),
        ({"minutes": 10_081}, "expected less than or equal to 10080"),
        ({"minutes": float("nan")}, "expected a finite number"),
        ({"seed": 1.5}, "'seed' is 1.5, expected a whole number"),
        ({"seed": -1}, "'seed' is -1"),
        ({"seed": 2**31}, "'seed' is 2147"),
        ({"learners": "linear"}, "'learners' is 'linear', expected a list, each a name or {name: preset}"),
        ({"learners": ["linear", {"cnn": 3}]}, "expected a list, each a name or {name: preset}"),
        ({"optimizer": "adamW"}, "'optimizer' is 'adamW', expected 'adamw', 'adam' or 'sgd'"),
        ({"watch": {"mail_to": ["a@b.cd"] * 21}}, "expected at most 20 items"),
        ({"watch": {"window": "1 h"}}, "'watch.window' is '1 h', expected text that matches '^(auto"),
        ({"watch": {"window": "0d"}}, "'watch.window' is '0d', expected 1s to 100y"),
        ({"watch": {"window": "101y"}}, "'watch.window' is '101y', expected 1s to 100y"),
        ({"precision": "half"}, "'precision' is 'half', expected 'auto', 'float32' or 'bfloat16'"),
        ({"keep_inputs": 1}, "'keep_inputs' is 1, expected true or false"),
        (
            {"goal": "macro_f1 > 0.9"},
            "'goal' is 'macro_f1 > 0.9', expected '<metric> >= <number>', such as 'macro_f1 >= 0.9'",
        ),
        ({"goal": "macro_f >= 0.9"}, "metric 'macro_f', expected one of 'accuracy', 'macro_f1'"),
        ({"goal": "macro_f >= 0.9"}, "did you mean 'macro_f1'?"),
        ({"goal": "accuracy >= 90"}, "expected a share between 0 and 1 (0.9, not 90)"),
        ({"goal": "accuracy >= 1.2.3"}, "expected a number after '>='"),
        ({"goal": "accuracy >= -0.1"}, "expected '<metric> >= <number>'"),
        ({"goal": "90%"}, "expected '<metric> >= <number>'"),
        ({"goal": 0.9}, "'goal' is 0.9, expected text"),
    ],
)
def test_a_wrong_value_is_refused_with_what_was_expected(change, words):
    assert words in refusal(text(**change) if isinstance(next(iter(change)), str) else text() + "3: x\n")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "windlass.yaml is NoneType, expected a mapping with 'name', 'data', 'inputs', 'output'"),
        ("- a\n", "windlass.yaml is list, expected a mapping"),
        ("hello", "windlass.yaml is str, expected a mapping"),
        (text() + "name: again\n", "windlass.yaml names 'name' twice (line 7), expected once"),
        ("a: {b: 1, b: 2}\n", "names 'b' twice (line 1)"),
        ("a: &x {b: 1}\nc: *x\n", "windlass.yaml uses a YAML alias ('*'), expected plain values"),
        ("a: !!python/object/apply:os.system [ls]\n", "windlass.yaml uses the YAML tag"),
        ("a: !!int abc\n", "uses the YAML tag"),
        ("a: !own 3\n", "uses the YAML tag"),
        ("!!map {}\n", "uses the YAML tag"),
        ("a: 2026-13-45\n", "has a value that cannot be read (month must be in 1..12), expected it in quotes"),
        ("a: " + "9" * 5_000 + "\n", "has a value that cannot be read"),
        ("[" * 5_000, f"is nested deeper than {MAX_DEPTH} levels, expected plain mappings"),
        ("a: {b: {c: {d: {e: {f: {g: {h: 1}}}}}}}\n", "is nested deeper"),
        ("a: 1\n\tb: 2\n", "is not valid YAML (line 2): found character '\\t'"),
        ("a: [1\n", "is not valid YAML"),
        ("a: 'x\n", "is not valid YAML"),
        ("a: 1\n---\nb: 2\n", "is not valid YAML"),
        ("a: \x00\n", "is not valid YAML"),
        ("? [a]\n: b\n", "is not valid YAML"),
        ("a: \ud800\n", "is not valid YAML"),
        ("a: " + "x" * MAX_BYTES, "windlass.yaml is larger than 256 KB, expected a short file"),
    ],
)
def test_wrong_yaml_is_refused_with_its_place(source, words):
    assert words in refusal(source)


def test_a_long_value_is_cut_in_the_message():
    assert len(refusal(text(seed="x" * 10_000))) < 200


@pytest.mark.parametrize("source", ["name: a", "a: 1\nb: [x"])
def test_a_refusal_names_the_file(source):
    with pytest.raises(SpecError, match=r"^here/windlass\.yaml"):
        parse(source, "here/windlass.yaml")


@pytest.mark.parametrize(
    ("words", "goal"),
    [
        ("", Goal(metric="")),
        ("macro_f1", Goal(metric="macro_f1")),
        (" accuracy ", Goal(metric="accuracy")),
        ("macro_f1 >= 0.90", Goal(metric="macro_f1", bound=0.9)),
        ("roc_auc>=1", Goal(metric="roc_auc", bound=1)),
        ("accuracy >= 0", Goal(metric="accuracy", bound=0)),
    ],
)
def test_a_goal_is_a_metric_and_perhaps_a_number(words, goal):
    assert parse_goal(words) == goal


def test_a_goal_reads_back_from_its_words():
    goal = Goal(metric="macro_f1", bound=0.9)
    assert parse_goal(str(goal)) == goal


def test_a_folder_without_a_specification_is_not_ready(tmp_path):
    with pytest.raises(NotReady, match=r"has no windlass.yaml, expected one\nhint: `windlass init DATA`"):
        load(tmp_path)


def test_a_specification_in_another_encoding_is_refused(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(text().encode("utf-16"))
    with pytest.raises(SpecError, match="is not UTF-8 text, expected UTF-8\nhint: save the file as UTF-8"):
        load(tmp_path)


def test_a_byte_order_mark_does_no_harm(tmp_path):
    """Windows editors write one."""
    (tmp_path / FILE_NAME).write_text(text(), encoding="utf-8-sig")
    assert load(tmp_path).name == "support-desk"


def test_a_specification_cannot_be_changed_afterwards():
    with pytest.raises(ValueError, match="frozen"):
        parse(text()).seed = 3


@pytest.mark.parametrize("source", [text(), FULL, text(learners=["linear"], goal="macro_f1")])
def test_the_schema_for_editors_takes_what_we_take(source):
    schema = json.loads(json.dumps(Spec.model_json_schema()))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(yaml.safe_load(source))


@pytest.mark.parametrize(
    "change",
    [
        {"nmae": "x"},
        {"minutes": "ten"},
        {"inputs": {}},
        {"optimizer": "adamW"},
        {"output": {"a": "category", "b": "category"}},
        {"data": {"tset": "a"}},
    ],
)
def test_the_schema_for_editors_refuses_what_we_refuse(change):
    """Control for the test above: a schema that takes anything would pass it."""
    validator = jsonschema.Draft202012Validator(Spec.model_json_schema())
    assert not validator.is_valid(yaml.safe_load(text(**change)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"formats": {"mesage": "1,234.56"}}, "'formats' has the column 'mesage', expected one of 'message', 'intent'"),
        ({"formats": {"message": 20261231}}, "expected text (in quotes when it looks like a number"),
        ({"labels": {"merge": {"POS": "Pos", "Pos": "pos"}}}, "makes 'POS' a 'Pos', which is merged itself"),
        ({"labels": {"merg": {}}}, "did you mean 'merge'?"),
        (
            {"output": {"p": {"kind": "number", "costs": {"under": 3}}}},
            "'output.p' has the key 'costs', expected one of",
        ),
        ({"output": {"p": {"kind": "number", "costs": {}}}}, "`costs:` stands by itself, beside `output:`"),
        ({"inputs": {"a": {"kind": "number", "monoton": "increasing"}}}, "did you mean 'monotone'?"),
        ({"output": {"p": {"unit": "EUR"}}}, "'output.p' has no 'kind', expected it"),
        ({"costs": {"under": [3], "over": 1}}, "'costs.under' is [3], expected a number"),
        ({"costs": {"under": {"a": "x"}}}, "'costs.under' is {'a': 'x'}, expected a number"),
        ({"inputs": {"": "text"}}, "a column is called '', expected another name"),
        ({"inputs": {"*": "text"}}, "a column is called '*'"),
        ({"inputs": {"_split": "text"}}, "a column is called '_split'"),
    ],
)
def test_what_is_said_of_columns_and_labels_must_fit_them(change, words):
    assert words in refusal(text(**change))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"formats": {"message": "1,234.56"}}, "column 'message': kind 'text' has no 'format', expected one of"),
        ({"inputs": {"when": "date"}, "formats": {"when": "31/12/2025"}}, "did you mean '31/12/2026'"),
        ({"inputs": {"income": "number"}, "formats": {"income": "1.234,5"}}, "did you mean '1.234,56'"),
        ({"output": {"reply": "text"}, "labels": {"merge": {"a": "b"}}}, "kind 'text' has no 'merge', expected"),
    ],
)  # fmt: skip
def test_a_way_of_writing_that_the_kind_does_not_have_is_refused(change, words):
    with pytest.raises(SpecError) as caught:
        ways(parse(text(**change)))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "goal", "words"),
    [
        ("number", "mae < 100", "expected '<metric> <= <number>', such as 'mae <= 100'"),
        ("number", "rmse=12.5", "such as 'rmse <= 12.5'"),
        ("number", "good", "metric 'good', expected one of 'mae', 'rmse', 'r2', 'medae', 'mape', 'cost'."),
        ("number", "mea <= 3", "did you mean 'mae'?"),
        ("number", "90%", "such as 'mae <= 100'"),
        ("category", "accuracy > 0.8", "such as 'accuracy >= 0.8'"),
        ("category", "accuracy > 80", "such as 'accuracy >= 0.90'"),
        ("text", "better!", "such as 'chrf >= 0.50'"),
    ],
)
def test_a_goal_in_another_form_is_suggested_as_this_output_has_it(kind, goal, words):
    with pytest.raises(SpecError) as caught:
        parse(f"name: a\ndata: a.csv\ninputs: {{b: text}}\noutput: {{c: {kind}}}\ngoal: '{goal}'\n")
    assert words in str(caught.value)
    for asked in GOALS.values():
        assert parse_goal(asked.example, asked).bound
