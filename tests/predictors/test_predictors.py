"""What answers: numbers by hand for each format, and the rows that are refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.predictors import artifacts as made
from windlass.errors import DataError, GateRefused
from windlass.predictors.contract import CHUNK, Labeller, width
from windlass.predictors.table import SCORING, load, replay

MAKERS = {"linear": made.linear, "onnx": made.onnx, "trees": made.trees, "blend": made.blend}


BESIDE = {
    "chain": "learners/test_chain.py",
    "deviation": "learners/series/test_anomalies.py",
    "distance": "learners/series/test_anomalies.py",
}
"""Formats whose answers are tested where their outputs are."""


def test_every_format_is_tested_here_or_beside():
    assert {*MAKERS, *BESIDE} == set(SCORING)
    tests = Path(__file__).parents[1]
    assert all(name in (tests / place).read_text(encoding="utf-8") for name, place in BESIDE.items())


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_a_linear_model_answers_what_the_hand_calculation_gives(temperature, tmp_path):
    predictor = load(made.linear(tmp_path / "a", temperature))
    assert predictor.probabilities(made.ROWS) == pytest.approx(made.shares(made.LINEAR_LOGITS, temperature), abs=1e-6)


def test_a_shift_is_added_after_the_temperature_and_an_artifact_without_one_is_read_as_before(tmp_path):
    folder = made.linear(tmp_path / "a")
    values = json.loads((folder / "manifest.json").read_text())
    del values["shift"]  # as 0.1 wrote it
    (folder / "manifest.json").write_text(json.dumps(values))
    predictor = load(folder)
    assert predictor.probabilities(made.ROWS) == pytest.approx(made.shares(made.LINEAR_LOGITS, 2.0), abs=1e-6)
    made.write_manifest(folder, replace(predictor.manifest, shift=(0.25, -0.25)))
    right = made.shares(made.LINEAR_LOGITS / 2 + np.array([0.25, -0.25]))
    assert load(folder).probabilities(made.ROWS) == pytest.approx(right, abs=1e-6)


def test_a_threshold_decides_the_answer_and_leaves_its_probability(tmp_path):
    """The same probabilities: 'yes' from 0.9 on is said of less than half; its confidence is its own, below a half."""
    folder = made.linear(tmp_path / "a")
    plain = load(folder)
    shares = plain.probabilities(made.ROWS)
    output = plain.manifest.output
    for label, bar in (("yes", 0.01), ("no", 0.01), ("yes", 0.99)):
        state = {**output.state, "threshold": {label: bar}}
        made.write_manifest(folder, replace(plain.manifest, output=replace(output, state=state)))
        place, predictor = made.LABELS.index(label), load(folder)
        assert predictor.probabilities(made.ROWS) == pytest.approx(shares)
        for answer, share in zip(predictor.answer(made.ROWS), shares, strict=True):
            assert answer.value == (label if share[place] >= bar else made.LABELS[1 - place])
            assert answer.confidence == pytest.approx(share[made.LABELS.index(answer.value)])
            assert predictor.gap(answer.as_json(), share.tolist()) < 1e-5
        marks = predictor.marks(made.ROWS, ["yes", "no"])
        assert [made.LABELS[place] for place in marks.answers] == [each.value for each in predictor.answer(made.ROWS)]


def test_a_graph_answers_what_the_hand_calculation_gives(tmp_path):
    predictor = load(made.onnx(tmp_path / "a"))
    rows = [{"message": "card zzz"}, {"message": "lost lost"}, {"message": ""}]
    assert predictor.probabilities(rows) == pytest.approx(made.shares([*made.ONNX_LOGITS, [0, 0]]), abs=1e-6)


def test_trees_answer_what_the_hand_calculation_gives(tmp_path):
    predictor = load(made.trees(tmp_path / "a"))
    rows = [{"size": size} for size in (-5, 10.5, 10.6, None, "1,000.5")]
    assert predictor.probabilities(rows) == pytest.approx(made.shares([[0, -1.5]] * 2 + [[0, 2.5]] * 3), abs=1e-6)


def test_a_blend_answers_the_mean_of_its_parts(tmp_path):
    found = load(made.blend(tmp_path / "a")).probabilities(made.ROWS)
    parts = made.shares(made.LINEAR_LOGITS, 2.0), made.shares([[0, 2.5], [0, 2.5]])
    assert found == pytest.approx((parts[0] + parts[1]) / 2, abs=1e-6)


def test_a_blend_of_parts_with_other_labels_is_refused(tmp_path):
    """The same names in another order would be averaged crosswise."""
    folder = made.blend(tmp_path / "a")
    made.write_manifest(folder / "part-1", made.manifest("trees", made.RAW, labels=["yes", "no"]))
    with pytest.raises(DataError, match="is a blend whose parts have other labels, expected"):
        load(folder)


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_trees_answer_what_lightgbm_itself_answers(n_classes, tmp_path):
    """Splits on numbers, on sets of levels and on gaps; the text is checked and written anew before it is loaded."""
    text, features, scores = made.booster(n_classes)
    columns = [made.Column(name, "number", {"form": "raw"}) for name in ("a", "b")]
    labels = [f"c{number}" for number in range(n_classes)]
    rows = [{"a": None if np.isnan(a) else float(a), "b": None if np.isnan(b) else float(b)} for a, b in features]
    logits = scores if scores.ndim == 2 else np.stack([np.zeros_like(scores), scores], axis=1)
    made.write(tmp_path / "a", made.manifest("trees", *columns, labels=labels), rows, made.shares(logits))
    (tmp_path / "a" / "model.txt").write_text(text)
    assert "num_cat=1" in text
    assert load(tmp_path / "a").probabilities(rows) == pytest.approx(made.shares(logits), abs=1e-12)


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_golden_rows_are_answered_as_they_were(maker, tmp_path):
    folder = maker(tmp_path / "a")
    assert replay(load(folder), folder) < 1e-6


def test_an_answer_names_the_label_with_its_confidence(tmp_path):
    answers = load(made.linear(tmp_path / "a")).answer(made.ROWS)
    assert [answer.value for answer in answers] == ["yes", "no"]
    assert answers[0].confidence == pytest.approx(np.exp(1.75) / (np.exp(1.75) + np.exp(0.75)))
    assert answers[0].alternatives == (("no", pytest.approx(1 - answers[0].confidence)),)


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_no_rows_give_no_answers(maker, tmp_path):
    predictor = load(maker(tmp_path / "a"))
    assert predictor.answer([]) == []
    assert predictor.probabilities([]).shape == (0, 2)


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_a_row_is_answered_alike_alone_and_among_many(maker, tmp_path):
    """More rows than one chunk holds, and texts of other lengths beside it."""
    predictor = load(maker(tmp_path / "a"))
    row = {"message": "card", "size": 12, "colour": "red"}
    many = [{**row, "message": "lost " * (number % 9)} for number in range(CHUNK + 5)] + [row]
    assert predictor.probabilities(many)[-1] == pytest.approx(predictor.probabilities([row])[0], abs=1e-6)
    assert len(predictor.answer(many)) == CHUNK + 6


def test_a_column_more_than_needed_does_no_harm(tmp_path):
    predictor = load(made.linear(tmp_path / "a"))
    assert predictor.answer([{**made.ROWS[0], "more": object()}]) == predictor.answer(made.ROWS[:1])


def test_missing_and_unknown_columns_are_all_named_with_the_nearest(tmp_path):
    predictor = load(made.linear(tmp_path / "a"))
    whole = {"message": "card", "size": 1, "colour": "red"}
    all_three = "expected 'message', 'size', 'colour'"
    for row, words, hint in (
        ({"message": "card", "size": 1, "color": "red"}, "no 'colour' and the unknown field 'color'", "'colour'?"),
        (
            {"mesage": "card", "size": 1, "color": "red", "id": 7},
            "no 'message', 'colour' and the unknown fields 'mesage', 'color', 'id'",
            "'message' by 'mesage', 'colour' by 'color'?",
        ),
        ({}, "no 'message', 'size', 'colour'", ""),
    ):
        with pytest.raises(DataError) as caught:
            predictor.answer([whole, row])
        assert caught.value.message == f"row 1 has {words}, {all_three}"
        assert caught.value.hint == (f"did you mean {hint}" if hint else "")


@pytest.mark.parametrize("place", [0, 7, CHUNK - 1, CHUNK, 2 * CHUNK + 3])
def test_a_wrong_value_names_its_row_and_column(place, tmp_path):
    """The row's number in the request, also beyond the first chunk."""
    rows = [dict(made.ROWS[0]) for _ in range(3 * CHUNK)]
    rows[place]["size"] = "twelve"
    with pytest.raises(DataError, match=rf"^row {place}, column 'size': number is 'twelve', expected a finite number"):
        load(made.linear(tmp_path / "a")).answer(rows)


def test_a_predictor_is_a_manifest_and_any_function(tmp_path):
    """The extension point is a plain callable: no class to inherit."""
    predictor = Labeller(made.manifest("own", made.NUMBER), lambda batches: np.tile([0.0, 50.0], (len(batches[0]), 1)))
    assert [answer.value for answer in predictor.answer([{"size": 1}, {"size": None}])] == ["yes", "yes"]


def test_the_width_of_a_batch_is_its_features():
    assert width(np.zeros((0, 3, 4, 4))) == 48
    assert width(made_sparse()) == 7


def made_sparse():
    from windlass.kinds.contract import Sparse

    return Sparse(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32), 7)


def test_golden_rows_refuse_a_changed_weight(tmp_path):
    folder = made.linear(tmp_path / "a", bias=np.array([0.5, -0.4], np.float32))
    with pytest.raises(
        GateRefused, match=r"a answers its golden rows with a difference of 0.0\d+, expected at most 0.002"
    ):
        replay(load(folder), folder)


@pytest.mark.parametrize(
    "change", ["other tokens", "other labels", "other scale", "other temperature", "other threshold"]
)
def test_golden_rows_refuse_every_kind_of_skew(change, tmp_path):
    folder = tmp_path / "a"
    if change == "other tokens":
        made.onnx(folder)
        column = made.Column("message", "text", {**made.IDS.state, "tokens": ["lost", "card"]})
        made.write_manifest(folder, made.manifest("onnx", column))
    elif change == "other threshold":
        made.trees(folder, made.STUMP.replace("threshold=10.5", "threshold=12.5"))
    else:
        made.linear(folder)
        scale = made.Column("size", "number", {**made.NUMBER.state, "mean": 10.5})
        changed = {
            "other labels": made.manifest("linear", made.TEXT, made.NUMBER, made.COLOUR, temperature=2.0),
            "other scale": made.manifest("linear", made.TEXT, scale, made.COLOUR, temperature=2.0),
            "other temperature": made.manifest("linear", made.TEXT, made.NUMBER, made.COLOUR, temperature=1.9),
        }
        made.write_manifest(folder, changed[change])
    if change == "other labels":
        made.save_file({**made.WEIGHTS, "bias": made.WEIGHTS["bias"][::-1].copy()}, folder / "model.safetensors")
    with pytest.raises(GateRefused, match=r"expected at most 0\.002 from the trained model"):
        replay(load(folder), folder)


def test_an_artifact_without_validation_rows_has_nothing_to_replay(tmp_path):
    folder = made.linear(tmp_path / "a")
    made.write_golden(folder, [], np.zeros((0, 2)))
    assert replay(load(folder), folder) == 0
