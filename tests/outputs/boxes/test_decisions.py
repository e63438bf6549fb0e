"""What boxes are given, handed over, missed by everybody, and what a class may lose: decided by costs and by gates."""

import json

import numpy as np
import pytest

from windlass.errors import SpecError
from windlass.improving.verdict import fallen_parts
from windlass.kinds.boxes import CLASSES, COSTS, HAND_OVER, THRESHOLDS, fault
from windlass.metrics.box_calibration import CALIBRATION
from windlass.metrics.detection import BoxMarks, Found
from windlass.outputs.boxes.comparison import PairedBoxes
from windlass.outputs.boxes.costs import box_costs
from windlass.outputs.boxes.missing import missing
from windlass.predictors.detection.canvas import Canvas
from windlass.predictors.detection.heatmap import N_KEPT, Detector, flat, sure_of
from windlass.records import Column, Manifest
from windlass.spec import parse

SPEC = "name: a\ndata: a.json\ninputs: {image: image}\noutput: {cells: boxes}\ncosts: %s\n"


def costs(said):
    return box_costs(parse(SPEC % json.dumps(said)), ["cat", "dog"])


def test_a_class_may_have_prices_of_its_own():
    found = costs({"miss": 5, "false_alarm": 1, "review": 0.3, "unit": "EUR", "dog": {"miss": 20}})
    assert found.miss == (5, 20)
    assert found.false_alarm == (1, 1)
    assert found.bands == pytest.approx(np.array([[0.06, 0.7], [0.015, 0.7]]))
    assert box_costs(parse(SPEC % "{}"), ["cat"]) is None


@pytest.mark.parametrize(("said", "words"), [
    ({"miss": 5}, "'costs.false_alarm' is None"),
    ({"miss": 5, "false_alarm": 0}, "'costs.false_alarm' is 0"),
    ({"miss": 5, "false_alarm": 1, "cow": {"miss": 2}}, "'costs' has 'cow'"),
    ({"miss": 5, "false_alarm": 1, "dog": {"mis": 2}}, "'costs.dog' has 'mis'"),
    ({"under": 5, "over": 1}, "'costs' has 'under'"),
])  # fmt: skip
def test_prices_that_are_none_are_refused(said, words):
    with pytest.raises(SpecError) as found:
        costs(said)
    assert words in str(found.value)


def found(*boxes):
    """(label, score, left, top, right, bottom) each."""
    parts = np.array(boxes, float).reshape(-1, 6)
    return Found(parts[:, 2:], parts[:, 0].astype(int), parts[:, 1])


def marks(given, right):
    return BoxMarks(tuple(given), tuple(right), ("cat", "dog"), np.full(2, 0.5), np.full((len(right), 2), 100))


def detector(**state):
    output = Column("cells", "boxes", {CLASSES: ["cat", "dog"], **state})
    manifest = Manifest("heatmap", "detector", (Column("image", "image"),), output)
    return Detector(manifest, lambda batch: batch, Canvas(96, 64))


def test_a_box_is_handed_over_where_a_look_is_cheaper_than_a_mistake():
    """Between 0.06 and 0.7 with a look of 0.3; what is less likely is left out, and the answer says what to look at."""
    priced = costs({"miss": 5, "false_alarm": 1, "review": 0.3, "unit": "EUR"}).as_json()
    model = detector(**{COSTS: priced, THRESHOLDS: [0.06, 0.06]})
    seen = found((0, 0.9, 0, 0, 9, 9), (1, 0.4, 20, 20, 40, 40), (0, 0.05, 50, 50, 60, 60))
    value = model.value(seen)
    assert [(thing["label"], thing.get(HAND_OVER, False)) for thing in value] == [("cat", False), ("dog", True)]
    answer = model.answered(value)
    assert answer.hand_over
    assert "dog 0.40" in answer.evidence[0]
    assert "0.3 EUR" in answer.evidence[0]
    assert not model.answered(value[:1]).hand_over
    assert not detector(**{THRESHOLDS: [0.3, 0.3]}).answered(value).hand_over


def test_an_artifact_whose_costs_or_curves_are_none_is_refused():
    assert fault(detector().manifest) == ""
    priced = costs({"miss": 5, "false_alarm": 1}).as_json()
    assert fault(detector(**{CALIBRATION: [[1, 1, 0], [2, 1, -1]], COSTS: priced}).manifest) == ""
    assert "calibration" in fault(detector(**{CALIBRATION: [[1, 1, 0]]}).manifest)
    assert "costs" in fault(detector(**{COSTS: {"miss": [1], "false_alarm": [1]}}).manifest)


def test_what_is_sure_and_lies_beside_all_that_is_drawn_may_be_missing():
    """One box of the two on the same place; none that overlaps what is drawn, is unsure, or lies in a crowd."""
    same = [(1, 0.95, 50, 50, 60, 60), (0, 0.8, 51, 51, 61, 61)]
    given = [found((0, 0.9, 0, 0, 10, 10), *same, (0, 0.3, 80, 80, 90, 90)),
             found((1, 0.99, 20, 20, 30, 30), (0, 0.7, 60, 60, 70, 70))]  # fmt: skip
    right = [found((0, 0, 0, 0, 10, 10)), found((1, 1, 10, 10, 40, 40))]
    assert [(each.picture, each.label, each.score) for each in missing(marks(given, right))] == [
        (0, "dog", 0.95), (1, "cat", 0.7)]  # fmt: skip


class Given(PairedBoxes):
    """Of boxes that were found already."""

    def __init__(self, before, after):
        self.both = [before, after]


def test_a_class_that_is_found_less_refuses_however_much_another_gains():
    """All dogs are lost: refused; of 100 pictures one dog: within chance."""
    dogs = [found((1, 0, 0, 0, 10, 10), (0, 0, 50, 50, 60, 60))] * 60
    seen = [found((1, 0.9, 0, 0, 10, 10), (0, 0.9, 50, 50, 60, 60))] * 60
    blind = [each.__class__(*(part[1:] for part in each)) for each in seen]
    every = np.ones(60, bool)
    lost = fallen_parts(Given(marks(seen, dogs), marks(blind, dogs)), every)
    assert not lost[0].holds
    assert lost[0].guards
    assert "AP50 of 'dog' 1.000 -> 0.000" in lost[0].words
    assert fallen_parts(Given(marks(seen, dogs), marks([*seen[:59], blind[0]], dogs)), every)[0].holds


@pytest.mark.parametrize("bias", [0.0, -0.5])
def test_a_model_that_is_sure_of_nothing_is_proven_by_its_surest_boxes(bias):
    """Thresholds below what golden rows once kept: what is given has its golden box; another box has none. With as many
    boxes that nobody is sure of, the first ones are told of, and only what is surer than these is held against them."""
    model = detector(**{THRESHOLDS: [0.011, 0.011], CALIBRATION: [[1.0, 1.0, bias], [1.0, 1.0, bias]]})
    seen = found((0, 0.018, 0, 0, 9, 9), (1, 0.015, 20, 20, 40, 40))
    assert len(flat(seen)) == 12
    given = model.value(sure_of(seen, model.curves))
    assert (len(given) > 0) == (bias == 0)
    assert model.gap({"value": given}, flat(seen)) < 1e-4
    other = [*given, {"label": "dog", "box": [50.0, 1.0, 60.0, 9.0], "score": 0.4}]
    assert model.gap({"value": other}, flat(seen)) > 0.1
    many = found(*((0, 0.019 - n / 1_000, 9 * n, 0, 9 * n + 8, 8) for n in range(8)))
    assert len(flat(many)) == 6 * N_KEPT
    assert model.gap({"value": model.value(sure_of(many, model.curves))}, flat(many)) < 1e-4
