"""Candidates, their budget, and picking up where a killed run stopped."""

import numpy as np
import pytest

from windlass.errors import DataError, SpecError, pip_install
from windlass.learners import table as learners
from windlass.learners.classic import linear
from windlass.learners.contract import Learner
from windlass.predictors.artifact import read_manifest
from windlass.project import Project
from windlass.sources.prepared import read_splits
from windlass.stages.collect import collect
from windlass.stages.prepare import prepare
from windlass.stages.train import entries, key_of, train

from ..tables import with_line
from .conftest import messages


def ready(product, **changes):
    product.csv(messages(120))
    spec = product.spec(**changes)
    collect(spec, product.store)
    prepare(spec, product.store)
    return spec, read_splits(spec, product.store)


def test_candidates_fit_the_kinds_and_come_cheapest_first(product):
    names = [entry.name for entry in entries(product.spec(learners=None))]
    assert names[:2] == ["majority", "linear"]
    assert "trees" not in names
    assert names[2:] == ["frozen", "pretrained", "cnn", "lstm", "blend"]
    assert "rnn" not in names
    table = product.spec(learners=None, inputs={"age": "number"})
    assert [entry.name for entry in entries(table)] == ["majority", "linear", "trees", "blend"]


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (["liner"], "did you mean 'linear'"),
        ([{"cnn": "esay"}], "did you mean 'essay'"),
        (["trees"], "does not read 'text'"),
        (["bm25"], "gives no category, expected"),
    ],
)
def test_learners_that_do_not_exist_or_do_not_fit_are_refused(product, chosen, words):
    with pytest.raises(SpecError, match=words):
        entries(product.spec(learners=chosen))


def with_learner(learner):
    return with_line(learners.LEARNERS, learner.name, learner)


def test_a_second_walk_trains_nothing_again(product):
    spec, splits = ready(product)
    first = train(spec, product.store, splits)
    assert [run.status for run in first] == ["done", "done"]
    assert train(spec, product.store, splits) == first
    assert first[1].validation > first[0].validation


def test_a_candidate_that_fails_does_not_stop_the_others(product):
    def broken(splits, options, budget, progress):
        raise DataError("rows are odd, expected even ones")

    with with_learner(Learner("broken", "", learners.ANY, learners.CATEGORY, broken)):
        spec, splits = ready(product, learners=["majority", "broken", "linear"])
        runs = train(spec, product.store, splits)
    assert [(run.status, run.reason) for run in runs] == [
        ("done", ""),
        ("failed", "rows are odd, expected even ones"),
        ("done", ""),
    ]


def test_what_nobody_foresaw_is_a_line_that_names_the_log_with_its_traceback(product):
    """Indices out of range ended the whole run before: any exception is the candidate's own affair, wherever it is."""

    def broken(splits, options, budget, progress):
        return [][7]

    def refuse(splits, variant):
        return {}["no such key"]

    breaks = Learner("broken", "", learners.ANY, learners.CATEGORY, broken)
    refuses = Learner("refuses", "", learners.ANY, learners.CATEGORY, linear.fit, refuse=refuse)
    with with_learner(breaks), with_learner(refuses):
        spec, splits = ready(product, learners=["majority", "broken", "refuses", "linear"])
        runs = train(spec, product.store, splits)
    assert [run.status for run in runs] == ["done", "failed", "unavailable", "done"]
    log = product.store.folder / "logs" / "windlass.log"
    assert runs[1].reason.startswith("IndexError: list index out of range (traceback ")
    assert runs[1].reason.endswith(f" in {log})")
    assert runs[2].reason.startswith("KeyError: 'no such key'")
    text = log.read_text(encoding="utf-8")
    assert "training broken" in text
    assert ".<locals>.broken\n" in text
    assert "no such key" not in text


def test_a_missing_part_makes_a_candidate_unavailable_with_what_to_install(product):
    absent = Learner("absent", "", learners.ANY, learners.CATEGORY, lambda *_: None, needs=("not_installed_anywhere",))
    with with_learner(absent):
        spec, splits = ready(product, learners=["majority", "absent"])
        run = train(spec, product.store, splits)[1]
    assert (run.status, run.reason) == ("unavailable", f"needs not_installed_anywhere: {pip_install('train')}")


def test_what_another_key_left_in_a_run_folder_is_removed(product):
    spec, splits = ready(product)
    train(spec, product.store, splits)
    left = product.store.run_folder("linear") / "checkpoint.safetensors"
    left.write_bytes(b"of another run")
    train(product.spec(seed=99), product.store, splits)
    assert not left.exists()


def test_a_model_is_named_by_its_folder(product, tmp_path):
    spec = product.spec(output={"intent": "text"}, learners=[{"llm": "models/tiny-llama"}, {"seq2seq": "t5-small"}])
    assert [(entry.name, entry.variant) for entry in entries(spec)] == [
        ("llm-models-tiny-llama", "models/tiny-llama"),
        ("seq2seq-t5-small", "t5-small"),
    ]


def test_other_preferences_and_another_way_to_teach_are_another_run(product):
    """And learners get the path of the preferences as it is, whatever folder the command runs in."""
    seen = []

    def fit(splits, options, budget, progress):
        seen.append(options.language)
        return learners.get("majority").fit(splits, options, budget, progress)

    pairs = product.folder / "pairs.jsonl"
    pairs.write_text("{}\n")
    section = {"preferences": "pairs.jsonl", "rank": 8}
    with with_learner(Learner("taught", "", learners.ANY, learners.CATEGORY, fit)):
        spec, splits = ready(product, learners=["taught"], language=section)
        for _ in range(2):
            train(spec, product.store, splits)
        assert [(each.preferences, each.rank) for each in seen] == [(str(pairs), 8)]
        pairs.write_text("{}\n{}\n")
        train(spec, product.store, splits)
        train(product.spec(learners=["taught"], language={**section, "rank": 4}), product.store, splits)
    assert [each.rank for each in seen] == [8, 8, 4]


def test_a_model_is_found_from_the_project_and_what_to_do_about_it_is_told(product):
    """The command is given elsewhere: the folder is named as the project sees it."""
    (product.folder / "mine").mkdir()
    for name in ("config.json", "pytorch_model.bin"):
        (product.folder / "mine" / name).write_text("{}")
    spec, splits = ready(product, output={"intent": "text"}, learners=["copy", {"llm": "mine"}])
    run = train(spec, product.store, splits)[1]
    assert run.status == "unavailable"
    before = key_of(spec, product.store)
    assert product.store.is_current("train", before)
    (product.folder / "mine" / "model.safetensors").write_bytes(b"")  # now there is something to try again
    assert key_of(spec, product.store) != before
    assert "has no weights as safetensors, expected config.json" in run.reason
    assert run.reason.endswith("; pickled weights are never read: where you trust them, transformers' "
                               "`save_pretrained` writes safetensors")  # fmt: skip


# thresholds -----------------------------------------------------------------------------------------------------------


def rare_rows(n_rows=400):
    """One row in eight is 'yes', told by a number with noise."""
    random = np.random.default_rng(0)
    truth = random.random(n_rows) < 0.125
    return [(f"{2 * each + random.normal():.4f}", "yes" if each else "no") for each in truth]


def decided(product, **changes):
    """What `train` and `evaluate` make of it, in the folder of the product."""
    spec = {"inputs": {"x": "number"}, "output": {"risk": "category"}, "learners": ["linear"], "minutes": 0.2}
    product.csv(rare_rows(), header="x,risk")
    product.spec(**spec | changes)
    opened = Project(product.folder)
    board = opened.run()
    return board.candidate("linear"), read_manifest(opened.store.run_folder("linear") / "artifact")


def test_the_threshold_is_chosen_for_the_goal_and_shown(product):
    """Balanced accuracy is best from the share of 'yes' on; accuracy and rankings answer what is likelier."""
    candidate, manifest = decided(product, goal="macro_recall")
    assert manifest.output.state["threshold"] == candidate.threshold
    assert 0.03 < candidate.threshold["yes"] < 0.3
    page = (product.store.stage("evaluate") / "report.html").read_text(encoding="utf-8")
    assert f"answers &#x27;yes&#x27; from a probability of {candidate.threshold['yes']:g} on" in page
    for goal in ("accuracy", "roc_auc"):
        candidate, manifest = decided(product, goal=goal)
        assert (candidate.threshold, manifest.output.state.get("threshold")) == ({}, None)


def test_a_threshold_that_the_user_sets_trains_nothing_anew_and_decides_answers(product):
    decided(product, goal="accuracy")
    run_json = product.store.run_folder("linear") / "run.json"
    before = run_json.stat().st_mtime_ns
    candidate, _ = decided(product, goal="accuracy", threshold={"no": 0.99})
    assert (candidate.threshold, run_json.stat().st_mtime_ns) == ({"no": 0.99}, before)
    assert candidate.metrics["macro_recall"].value < 0.9
    release = Project(product.folder).release(anyway=True)
    answers = release.predict([{"x": value} for value in np.arange(-3, 4, 0.25)])
    assert {answer.value for answer in answers} == {"yes", "no"}
    for answer in answers:
        share = answer.confidence if answer.value == "no" else answer.alternatives[0][1]
        assert (answer.value == "no") is (share >= 0.99)
    assert "`no` is the answer from this probability on | 0.99" in (release.folder / "card.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"threshold": {"yess": 0.3}}, "'threshold' names 'yess', expected one of 'no', 'yes'\nhint: did you mean"),
        ({"threshold": {"yes": 1.3}}, "'threshold' is {'yes': 1.3}, expected a share between 0 and 1"),
        ({"threshold": {"yes": 0.3, "no": 0.3}}, "expected at most one"),
    ],
)
def test_a_threshold_that_cannot_be_is_refused(product, changes, words):
    with pytest.raises(SpecError) as caught:
        decided(product, **changes)
    assert words in str(caught.value)


def test_a_threshold_is_for_two_labels(product):
    product.csv(messages(60))
    product.spec(threshold={"refund": 0.3})
    with pytest.raises(SpecError, match="'intent' has 3 labels, expected two"):
        Project(product.folder).run()


def test_another_way_of_writing_values_is_another_run(product):
    """Rows may be the same, and a served column still reads otherwise: train said "up to date", and nothing changed."""
    ready(product)
    keys = [key_of(product.spec(**more), product.store) for more in ({}, {"labels": {"merge": {"Refund": "refund"}}})]
    assert keys[0] != keys[1]
