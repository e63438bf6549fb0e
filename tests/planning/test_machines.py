"""Machines for the peak, 8-bit weights, and the break-even with an API: against hand calculations."""

import math
from datetime import date

import pytest

from windlass.pages.text.roadmap_text import service_lines
from windlass.planning.drawing.roadmap import Frame, draw
from windlass.planning.items.machines import closing, compression, hardware
from windlass.planning.schedule.changes import WhatIf, changed, differences
from windlass.planning.schedule.economics import break_even

HOURS = 24 * 365.25 / 12
SMALL = {"large_machine_hour": None, "large_machine_cores": None}
FRAME = Frame(date(2026, 11, 22), "examples")


def test_what_carries_the_peak_needs_nothing(setting):
    """10 ms a request: one process gives 100 a second; a peak of 60 uses 60 % of it."""
    assert list(hardware(setting({"peak_a_second": 60.0}))) == []


def test_a_second_process_comes_before_a_second_machine(setting):
    """By hand: 61 a second need 101.7, a process gives 100, two on the machine's two cores 200; they cost nothing."""
    (found,) = hardware(setting({"peak_a_second": 61.0}))
    assert (found.id, found.bound, found.monthly, found.sure) == ("workers-2", 2.0, 0.0, "measured")
    assert "`windlass serve --workers 2`" in found.how
    assert "200 answers a second [154, 286]" in found.benefit


def test_machines_are_bought_when_processes_do_not_do(setting):
    """By hand: 300 a second need 500; a machine of two cores gives 200: three, of which one is there."""
    asked = setting({"peak_a_second": 300.0}, SMALL)
    (found,) = hardware(asked)
    assert found.id == "machines-3x2"
    assert found.monthly == pytest.approx(2 * 0.05 * HOURS)
    assert "a request waits" in found.benefit
    assert "instead of without end" in found.benefit
    roadmap = draw(asked, FRAME)
    assert "machines-3x2" in [item.id for item in roadmap.chosen]
    gap = next(gap for gap in roadmap.gaps if gap["name"] == "traffic at the peak")
    assert gap["state"] == "missed"


def test_a_larger_machine_is_taken_where_it_is_cheaper(setting):
    """By hand: eight cores for 0.19 an hour; 350 and 480 a second need six and eight: 0.15 and 0.20 as small ones."""
    (six,) = hardware(setting({"peak_a_second": 350.0}))
    (eight,) = hardware(setting({"peak_a_second": 480.0}))
    assert (six.id, eight.id) == ("machines-3x2", "machines-1x8")
    assert eight.what == "Run 1 larger machine of 8 cores for the peak"


def test_machines_that_nobody_needs_are_given_back(setting):
    (found,) = hardware(setting({"peak_a_second": 10.0, "machines": 3, "workers": 2}))
    assert found.what == "Give back 2 of 3 machines"
    assert found.money.value == pytest.approx(2 * 0.05 * HOURS)


def test_without_a_release_the_capacity_is_a_rule_of_thumb(setting):
    (found,) = hardware(setting({"peak_a_second": 100.0}, request_s=None))
    assert found.sure == "rough"
    assert "no release" in found.evidence


def tried(**values):
    """What a trial of 8-bit weights gave."""
    gain = {"value": -0.004, "low": -0.01, "high": 0.002}
    found = {"size_mb": 23.0, "size_mb_now": 90.0, "ms": 5.0, "ms_now": 8.0, "gain": gain, "rows": 400, "fault": ""}
    return found | values


def test_eight_bit_weights_are_proposed_with_what_was_measured(setting):
    (found,) = compression(setting(compressed=tried()))
    assert "23.0 MB instead of 90.0 MB" in found.why
    assert "5.00 ms of a processor for an answer instead of 8.00 ms" in found.why
    assert (found.gain.value, found.gain.low, found.gain.high) == (-0.004, -0.01, 0.002)
    assert found.sure == "measured"
    assert "windlass.load('.windlass/plan/int8')" in found.how


def test_a_copy_that_is_neither_smaller_nor_faster_is_not_proposed(setting):
    assert list(compression(setting(compressed=tried(size_mb=80.0, ms=7.9)))) == []
    assert list(compression(setting(compressed={"fault": "no onnx"}))) == []
    assert list(compression(setting())) == []


def test_a_copy_that_keeps_a_limit_closes_a_gap(setting):
    """By hand: p95 12 ms times 5/8 is 7.5 ms."""
    assert closing(setting(limits={"size_mb": 50.0}, compressed=tried())) == {"int8-cnn": 1.0}
    assert closing(setting(limits={"latency_p95_ms": 8.0}, compressed=tried())) == {"int8-cnn": 1.0}
    assert closing(setting(limits={"latency_p95_ms": 7.0, "size_mb": 50.0}, compressed=tried())) == {"latency": 1.0}
    assert closing(setting(limits={"size_mb": 100.0}, compressed=tried())) == {}


def test_the_break_even_is_where_the_price_of_the_answers_pays_the_machines(setting):
    """By hand: a machine of 36.525 a month (two cores, 10 ms an answer, so 120 a second at the peak), an API at 0.001
    an answer, peak 0.1 a second at 1,000 a day: one machine does at 36,525 answers a month."""
    known = setting({"peak_a_second": 0.1, "requests_a_day": 1_000.0}, SMALL)
    both = (known.product, known.prices)
    assert break_even(0.001, 0.01, 0.0, both) == pytest.approx(36_525)
    assert break_even(0.001, 0.01, 160.0, both) == pytest.approx(196_525)
    assert math.isinf(break_even(0.0, 0.01, 0.0, both))


def test_the_break_even_counts_the_machines_that_its_own_traffic_needs(setting):
    """By hand: a peak of 100 a second for each 30,437.5 a month: 36,525 answers have the peak 120, which one machine
    just carries; at 0.0009 it would be 40,583 with the peak 133, so two machines: 73.05 / 0.0009 = 81,167 with 267, so
    three: 121,750 with 400, so four: 162,333 with 533, so five ... a machine is dearer than its answers: never."""
    known = setting({"peak_a_second": 100.0, "requests_a_day": 1_000.0}, SMALL)
    both = (known.product, known.prices)
    assert break_even(0.001, 0.01, 0.0, both) == pytest.approx(36_525)
    assert math.isinf(break_even(0.0009, 0.01, 0.0, both))


def test_ten_times_the_traffic_changes_who_is_cheaper(setting):
    """By hand: an API at 5 for 1,000; 4 hours of upkeep at 40 and a machine of 36.525: 39,305 answers a month."""
    said = {"requests_a_day": 1_000.0, "peak_a_second": 0.1, "api_thousand": 5.0}
    known = setting(said)
    before = draw(known, FRAME)
    after = draw(setting(changed(known.product, WhatIf(traffic="10x")).model_dump()), FRAME)
    assert before.money["even"] == pytest.approx({"value": 39_305, "low": 39_305, "high": 39_305})
    assert before.money["api_thousand"]["value"] == 5.0
    assert before.money["own_thousand"] == pytest.approx(196.525 / 30.4375)
    told = " ".join(service_lines(before))
    assert "cheaper from about 39,000 answers a month on" in told
    assert "0.77 times the former: the API is cheaper, by about EUR 44.34 a month" in told
    assert "7.7 times the former: your own model is cheaper" in " ".join(service_lines(after))
    lines = differences(before, after)
    assert "Cheaper, all counted: your own model (at today's traffic: the API)." in lines
    assert "Cost of 1,000 own answers: EUR 0.65 instead of EUR 6.46." in lines
