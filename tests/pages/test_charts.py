"""Pictures are well-formed, finite, inside their frame, and named for those who cannot see them."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from windlass.metrics.measures import Estimate, LabelMarks, confusion
from windlass.pages.charts import charts
from windlass.pages.charts.axes import Axis, spanning, spanning_log
from windlass.pages.html.report import Details
from windlass.pages.text.classes import confidence_bins
from windlass.records import Board, Prepared

NAN = float("nan")
EVIL = "<script>alert(1)</script> & \"'\x00\x1b[1m עברית 👩‍💻"
SVG = "{http://www.w3.org/2000/svg}"


def checked(svg: str) -> ElementTree.Element:
    """The picture as a tree, after the checks that hold for every picture."""
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    assert root.get("aria-label")
    assert root.findtext(f"{SVG}title")
    _, _, across, down = (float(side) for side in root.get("viewBox", "").split())
    for element in root.iter():
        for key in ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height", "points", "transform"):
            numbers = re.findall(r"-?[\d.]+|nan|inf", element.get(key, ""))
            assert all(np.isfinite(float(value)) for value in numbers), (key, element.get(key))
        for x_key, y_key in (("x1", "y1"), ("x2", "y2"), ("cx", "cy")):
            if element.get(x_key) is not None:
                assert 0 <= float(element.get(x_key, "")) <= across
                assert 0 <= float(element.get(y_key, "")) <= down
    return root


def words_of(root: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def test_a_learning_curve_draws_losses_and_score(details: Details) -> None:
    root = checked(charts.learning_curve("transformer", details.curves["transformer"]))
    assert len(root.findall(f".//{SVG}polyline")) == 3
    assert {"training", "validation", "validation score"} <= set(words_of(root))


@pytest.mark.parametrize(
    "curve",
    [
        [{"score": 0.5}],
        [{"step": 1, "train_loss": NAN}, {"step": 2, "train_loss": 0.5}],
        [{"epoch": 1, "score": 0.5}, {"epoch": 2, "score": 0.5}],
        [{"step": None, "train_loss": "0.4", "score": None}, {"validation_loss": float("inf"), "score": 0.2}],
        [{"step": 0, "train_loss": 1e9}, {"step": 10**9, "train_loss": 1e-9}],
    ],
)
def test_a_curve_with_holes_still_draws_finite_numbers(curve: list[dict]) -> None:
    checked(charts.learning_curve(EVIL, curve))


@pytest.mark.parametrize("curve", [[], [{"step": 1}], [{"score": NAN}], [{"step": 1, "train_loss": None}]])
def test_a_curve_without_a_number_draws_nothing(curve: list[dict]) -> None:
    assert charts.learning_curve("empty", curve) == ""


def test_the_leaderboard_picture_has_a_dot_a_candidate_and_goal_and_limit(board: Board) -> None:
    root = checked(charts.quality_and_latency(board))
    assert len(root.findall(f".//{SVG}circle")) == 6
    assert {"goal 0.9", "limit 20 ms", "linear", "↓ baseline 0.009"} <= set(words_of(root))


def test_the_leaderboard_picture_stands_missing_and_odd_numbers(board: Board) -> None:
    odd = [
        replace(board.candidates[0], latency_p95_ms=0.0, name=EVIL),
        replace(board.candidates[1], metrics={"macro_f1": Estimate(0.9, NAN, NAN)}),
        replace(board.candidates[2], latency_p95_ms=NAN),
        replace(board.candidates[3], metrics={}),
        replace(board.candidates[4], metrics={"macro_f1": Estimate(NAN, NAN, NAN)}),
    ]
    root = checked(charts.quality_and_latency(replace(board, candidates=odd, goal="", limits={}, chosen=EVIL)))
    assert len(root.findall(f".//{SVG}circle")) == 2
    assert charts.quality_and_latency(replace(board, candidates=odd[2:])) == ""


def test_the_confusion_matrix_writes_each_count_and_names_each_label(marks: LabelMarks) -> None:
    root = checked(charts.confusion_matrix(confusion(marks.targets, marks.answers, 20), list(marks.labels)))
    numbers = [int(word) for word in words_of(root) if word.isdigit()]
    assert sum(numbers) == 602
    assert words_of(root).count("order_status") == 2


def test_many_classes_are_shown_as_their_most_frequent_confusions() -> None:
    matrix = np.eye(400, dtype=int) * 50
    matrix[3, 7], matrix[9, 2] = 5, 11
    root = checked(charts.confusion_matrix(matrix, [f"label-{place}" for place in range(400)]))
    assert [word for word in words_of(root) if "→" in word] == [
        "\u2068'label-9'\u2069 → \u2068'label-2'\u2069",
        "\u2068'label-3'\u2069 → \u2068'label-7'\u2069",
    ]
    assert charts.confusion_matrix(np.eye(400, dtype=int), ["x"] * 400) == ""


def test_labels_cannot_leave_their_place_in_a_picture() -> None:
    labels = [EVIL, "\u202eoverride", "x" * 500]
    svg = charts.confusion_matrix(np.array([[5, 1, 0], [0, 0, 0], [2, 0, 3]]), labels)
    checked(svg)
    assert "<script" not in svg
    assert "\u202e" not in svg
    checked(charts.label_bars({"train": dict.fromkeys(labels, 3)}))


def test_the_reliability_diagram_has_a_dot_a_bin(marks: LabelMarks) -> None:
    bins = confidence_bins(marks.targets, marks.probabilities)
    root = checked(charts.reliability(bins, 0.021))
    assert len(root.findall(f".//{SVG}circle")) == len(bins)
    assert charts.reliability([], None) == ""


def test_label_bars_add_the_splits_up(prepared: Prepared) -> None:
    root = checked(charts.label_bars({"train": {"a": 6, "b": 1}, "test": {"a": 3}}))
    assert "9 (90.0 %)" in words_of(root)
    checked(charts.label_bars(prepared.labels))
    assert charts.label_bars({}) == ""
    many = words_of(checked(charts.label_bars({"train": {f"l{place}": 2 for place in range(50)}})))
    assert many[-1] == "and 20 more labels with 40 rows"


@pytest.mark.parametrize("values", [[0.0], [1.0, 1.0], [1e-12, 1e12], [-5.0, 3.0], [0.0, 1e-300]])
def test_an_axis_always_has_room_and_ticks_inside(values: list[float]) -> None:
    for axis in (spanning(values, 0, 100), spanning_log(values, 0, 100)):
        assert axis.high > axis.low
        assert all(0 <= axis.at(value) <= 100 for value in values)
        assert all(axis.low <= tick <= axis.high for tick in axis.ticks())


def test_ticks_are_round_numbers() -> None:
    assert Axis(0, 1, 0, 100).ticks(5) == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert Axis(0.5, 200, 0, 100, is_log=True).ticks() == [1, 10, 100]
