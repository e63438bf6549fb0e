"""What answers are held to beside the right ones: tests in a sandbox, rules of a brand."""

import json
from pathlib import Path

import pytest

from windlass.errors import DataError, SpecError
from windlass.outputs import table as outputs
from windlass.predictors import table as predictors
from windlass.predictors.retrieval.examine import pass_rates
from windlass.sources.prepared import CHECKS, read_splits
from windlass.stages.collect import collect
from windlass.stages.evaluate import affordable, evaluate
from windlass.stages.prepare import prepare
from windlass.stages.train import train

from ..tables import with_line
from .conftest import messages

SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
CODE = {"inputs": {"broken": "text"}, "output": {"fixed": "text"}, "checks": "tests", "learners": ["copy", "retrieve"]}
MBPP = Path(__file__).resolve().parents[3] / "shared" / "data" / "code-mbpp"


def run(product, **changes):
    spec, splits = trained(product, **changes)
    return evaluate(spec, product.store, splits)


def trained(product, **changes):
    spec = product.spec(**changes)
    collect(spec, product.store)
    prepare(spec, product.store)
    splits = read_splits(spec, product.store)
    train(spec, product.store, splits)
    return spec, splits


def json_lines(product, name, rows):
    (product.folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def repairs(product):
    """Functions whose sign is wrong. The nearest train row of a test row holds its repair; its text alone does not."""
    train_rows, test_rows = [], []
    for name, sign in SIGNS.items():
        fixed = f"def {name}(first, second):\n    return first {sign} second"
        broken = fixed.replace(f" {sign} ", " & ")
        train_rows.append({"broken": broken, "fixed": fixed})
        tests = [f"assert {name}(7, 2) == {7} {sign} {2}", f"assert {name}(9, 4) == {9} {sign} {4}"]
        test_rows.append({"broken": f"{broken};", "fixed": fixed, "tests": tests})
    json_lines(product, "train.jsonl", train_rows)
    json_lines(product, "test.jsonl", test_rows)
    json_lines(product, "dev.jsonl", [{"broken": "lambda: None", "fixed": "lambda: 1"}])
    return {"data": {"train": "train.jsonl", "validation": "dev.jsonl", "test": "test.jsonl"}, **CODE}


def test_programs_are_measured_by_their_tests_where_words_see_no_difference(product):
    board = run(product, goal="pass_at_1 >= 0.3", **repairs(product))
    copied, found = board.candidate("copy"), board.candidate("retrieve")
    assert copied.metrics["pass_at_1"].value == 0
    assert copied.metrics["exact_match"].value == 1  # the control: signs are punctuation
    assert found.metrics["pass_at_1"].value == 1
    assert board.chosen == "retrieve"
    assert copied.misses == ["pass_at_1 is 0.000 [0.000, 0.490], expected at least 0.3"]
    assert copied.worthless == "pass_at_1 is 0.000 [0.000, 0.490]: it solves nothing, expected more than 0"
    assert found.worthless == (  # 4 of 4 beside 0 of 4 is chance: 1 / 2**4 > 5 %
        "4 test rows cannot tell it from a part of the input as it is (`copy`), expected at least 5"
    )


def test_with_tests_and_no_goal_pass_at_1_is_the_headline_and_learners_look_at_something_else(product):
    spec = product.spec(**CODE)
    assert (outputs.goal(spec).metric, outputs.learned_metric(spec)) == ("pass_at_1", "chrf")
    plain = product.spec(**{**CODE, "checks": ""})
    assert (outputs.goal(plain).metric, outputs.learned_metric(plain)) == ("chrf", "chrf")


def test_a_goal_of_tests_without_tests_is_refused(product):
    with pytest.raises(SpecError, match="'pass_at_1' without 'checks'"):
        outputs.goal(product.spec(**{**CODE, "checks": "", "goal": "pass_at_1 >= 0.3"}))
    with pytest.raises(SpecError, match="is 'category' and has 'checks'"):
        outputs.goal(product.spec(checks="tests"))


def test_test_rows_without_tests_and_tests_that_are_no_python_are_named(product):
    rows = [{"broken": f"a {number}", "fixed": "b", "tests": "" if number else "assert ("} for number in range(40)]
    json_lines(product, "rows.jsonl", rows)
    with pytest.raises(DataError, match="no test row has tests in column 'tests'"):
        run(product, data="rows.jsonl", **CODE)
    rejected = json.loads((product.store.stage("collect") / "rejects.jsonl").read_text(encoding="utf-8"))
    assert rejected["reason"] == "tests are no Python, expected statements such as `assert f(1) == 2`"


def test_a_candidate_that_cannot_be_scored_is_a_line_and_the_others_stay(product):
    product.csv(messages(120))

    load = predictors.FORMATS["linear"]

    def odd(folder, manifest):
        if folder.parent.name == "linear":
            raise IndexError("index 7 is out of bounds")
        return load(folder, manifest)

    spec, splits = trained(product, learners=["majority", "linear"])
    with with_line(predictors.FORMATS, "linear", odd):
        board = evaluate(spec, product.store, splits)
    assert [candidate.name for candidate in board.candidates] == ["majority"]
    assert [item["name"] for item in board.not_trained] == ["linear"]
    assert "index 7 is out of bounds (traceback " in board.not_trained[0]["reason"]


def test_test_rows_are_answered_as_far_as_the_minutes_reach():
    """80 ms a row in a minute: 11 seconds answer 137 of 8,000 rows, which are too few to judge; ten minutes 812."""
    rows = list(range(8_000))
    assert len(affordable(rows, 0.08, 1)) == 200
    some = affordable(rows, 0.08, 10)
    assert (len(some), some[0], some[-1]) == (812, 0, 7_999)
    assert affordable(rows, 0.001, 1) == rows


def test_pass_at_k_of_several_tries_is_the_chance_that_one_of_k_passes():
    right, wrong = "def one():\n    return 1", "def one():\n    return 2"
    tests = ["assert one() == 1"] * 2 + [""]
    rates = pass_rates([[right, wrong, wrong, wrong], [wrong] * 4, [right] * 4], tests, 2)
    assert rates[:2].tolist() == [0.5, 0]  # 1 - C(3, 2) / C(4, 2)
    assert rates[2] != rates[2]  # no tests: not measured


@pytest.mark.real
@pytest.mark.skipif(not MBPP.is_dir(), reason="the real data sets are not beside the project")
def test_the_reference_solutions_of_mbpp_pass_and_empty_answers_fail(product):
    tasks = [json.loads(line) for line in (MBPP / "test.jsonl").read_text(encoding="utf-8").splitlines()[::10]]
    rows = [{**task, "tests": [task["test_setup_code"], *task["test_list"]]} for task in tasks]
    json_lines(product, "test.jsonl", rows)
    json_lines(product, "train.jsonl", [{"text": f"number {number}", "code": "pass"} for number in range(5)])
    spec = product.spec(
        data={"train": "train.jsonl", "test": "test.jsonl"},
        inputs={"text": "text"},
        output={"code": "text"},
        checks="tests",
    )
    collect(spec, product.store)
    prepare(spec, product.store)
    test = read_splits(spec, product.store).test
    tests = test[CHECKS].to_list()
    assert len(tests) == 50
    assert pass_rates([[code] for code in test["code"].to_list()], tests, 1).mean() == 1
    assert pass_rates([[""]] * len(tests), tests, 1).mean() == 0


def briefs(product):
    rows = [{"brief": f"a lamp {number}", "copy": f"A warm lamp {number} for small rooms."} for number in range(120)]
    rows += [{"brief": f"a chair {number}", "copy": f"The best 椅子 {number}, cheap!"} for number in range(40)]
    json_lines(product, "briefs.jsonl", rows)
    (product.folder / "insults.txt").write_text("# rude\nshabby\n椅子\n", encoding="utf-8")
    (product.folder / "brand.yaml").write_text("never: [cheap]\ntoxic: insults.txt\n", encoding="utf-8")
    return {
        "data": "briefs.jsonl",
        "inputs": {"brief": "text"},
        "output": {"copy": "text"},
        "learners": ["retrieve"],
        "brand": "brand.yaml",
    }


def test_texts_that_break_a_rule_of_the_brand_are_measured_by_rule_and_block_a_release(product):
    board = run(product, limits={"rules_broken": 0.02}, **briefs(product))
    metrics = board.candidate("retrieve").metrics
    assert 0 < metrics["rules_broken"].low <= metrics["rules_broken"].value <= metrics["rules_broken"].high < 1
    assert metrics["rules_broken.never"].value == metrics["rules_broken.superlatives"].value > 0
    assert metrics["rules_broken.health_promises"].value == 0
    assert metrics["rules_broken.toxic"] == metrics["rules_broken.never"]
    assert "rules_broken.longest" not in metrics  # brand.yaml sets none
    assert "rules_broken is" in board.why
    assert "expected at most 0.02" in board.candidate("retrieve").misses[-1]
    page = (product.store.stage("evaluate") / "report.html").read_text(encoding="utf-8")
    assert "uses &#x27;cheap&#x27;, which is never used" in page
    assert "holds &#x27;椅子&#x27;, which is on the list of toxic words" in page


def test_how_varied_and_how_repetitive_answers_are_is_measured_with_intervals(product):
    """Lamps are praised in a loop, chairs are not."""
    changes = briefs(product)
    lines = (product.folder / "briefs.jsonl").read_text(encoding="utf-8")
    loops = lines.replace("for small rooms.", "so warm so warm so warm so warm.")
    (product.folder / "briefs.jsonl").write_text(loops, encoding="utf-8")
    metrics = run(product, **{**changes, "brand": ""}).candidate("retrieve").metrics
    for name in ("distinct_2", "repetition"):
        assert 0 < metrics[name].low < metrics[name].value < metrics[name].high < 1


def test_another_brand_file_is_another_evaluation(product):
    from windlass.store.stage_keys import evaluate_key

    changes = briefs(product)
    run(product, **changes)
    spec = product.spec(**changes)
    before = evaluate_key(spec, product.store)
    assert evaluate_key(spec, product.store) == before
    (product.folder / "insults.txt").write_text("ugly\n", encoding="utf-8")
    words = evaluate_key(spec, product.store)
    (product.folder / "brand.yaml").write_text("never: [lamp]\n", encoding="utf-8")
    assert len({before, words, evaluate_key(spec, product.store)}) == 3
