"""What `watch` found, as a page and in the terminal: made safe, whole without a network, in two languages."""

import re

import pytest

from windlass.metrics.measures import Estimate
from windlass.pages.html.health import health_text
from windlass.pages.html.health_page import ZH, health_page
from windlass.pages.text.alarm_words import sentence
from windlass.records import Alarm, Health

DAY = 86_400.0
FINDING = {
    "name": "drift", "subject": "message", "trait": "new words", "effect": 0.4, "limit": 0.1, "p": 1e-7,
    "before": 0.1, "now": 0.4, "unit": "median", "large": True,
}  # fmt: skip


def _window(day: int, **changes):
    return {
        "since": day * DAY, "until": (day + 1) * DAY, "release": "r-1", "answers": 300 + day, "latency_p50_ms": 2.0,
        "latency_p95_ms": 5.0, "confidence": 0.8, "handed_over": 0.1, "feedback": 4, "requests": [300, 3, 1],
        "drift": [FINDING], "open": False,
        "estimated": {"value": 0.9, "low": 0.85, "high": 0.95}, "measured": {"value": 0.8, "low": 0.4, "high": 0.96},
        "mix": {"card": 0.6, "<b>refund</b>": 0.4},
    } | changes  # fmt: skip


def _health(**changes) -> Health:
    values = {
        "product": "support-desk", "release": "r-1", "since": 20_000 * DAY, "until": 20_001 * DAY, "answers": 301,
        "latency_p50_ms": 2.0, "latency_p95_ms": 5.0, "confidence": 0.8, "handed_over": 0.1,
        "estimated": Estimate(0.9, 0.85, 0.95), "measured": Estimate(0.8, 0.4, 0.96), "feedback": 4,
        "mix": {"card": 0.6, "<b>refund</b>": 0.4}, "drift": [FINDING],
        "alarms": [Alarm("drift", "message", 20_000 * DAY, sentence(FINDING), FINDING)],
        "windows": [_window(20_000), _window(20_001)], "warnings": ["a <script> of a warning"],
    }  # fmt: skip
    return Health(**(values | changes))


def test_the_page_stands_by_itself():
    page = health_page(_health())
    assert not re.findall(r"<script|https?://(?!www\.w3\.org)|<link rel=\"style|style=\"| on\w+=", page)
    assert "<b>refund</b>" not in page
    assert "&lt;script&gt; of a warning" in page
    assert page.count('<svg class="chart') == 7


def test_the_page_says_everything_in_both_languages():
    """A word that has no translation is a KeyError."""
    page = health_page(_health())
    pairs = re.findall(r'<span class="en" lang="en">([^<]*)</span><span class="zh" lang="zh">([^<]*)</span>', page)
    assert len(pairs) > 20
    assert [one for one, other in pairs if one == other] == []
    assert all(re.search("[\u4e00-\u9fff]", words) for words in ZH.values())


def test_the_terminal_says_what_the_page_says():
    text = health_text(_health())
    for words in (
        "support-desk, release r-1",
        "1 alarm\n",
        "'message', new words: median 0.1 → 0.4 (p < 0.0001)",
        "0.900 [0.850, 0.950]",
        "note: a <script> of a warning",
    ):
        assert words in text


def test_an_empty_service_has_a_page_too():
    empty = _health(windows=[], alarms=[], drift=[], estimated=None, measured=None, mix={}, warnings=[])
    assert "Nothing was answered yet" in health_page(empty)
    assert "nothing was answered yet" in health_text(empty)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "'message', new words: median 0.1 → 0.4 (p < 0.0001)"),
        ({"unit": "share", "p": 0.0123}, "'message', new words: 10.0 % → 40.0 % (p = 0.012)"),
        ({"before": None, "now": None}, "'message', new words: other than in training (distance 0.4, limit 0.1) (p < "),
        ({"now": 0.1}, "'message', new words: spread otherwise (index 0.40, limit 0.10) (p < 0.0001)"),
        ({"name": "latency", "unit": "ms", "p": 0.0}, "latency, 95th percentile: 0.1 ms → 0.4 ms"),
    ],
)
def test_an_alarm_is_a_sentence(changes, words):
    assert sentence(FINDING | changes).startswith(words)


def test_one_window_and_missing_values_are_drawn():
    nothing = dict.fromkeys(("latency_p50_ms", "latency_p95_ms", "confidence", "estimated", "measured"))
    sparse = _window(20_000, mix={}, drift=[], **nothing)
    assert "<svg" in health_page(_health(windows=[sparse], drift=[], latency_p50_ms=None))


def test_feedback_on_numbers_is_told_as_what_it_measures():
    """A price is right inside its interval; of labels the words are what they were."""
    numbers, labels = (health_page(_health(), has_intervals) for has_intervals in (True, False))
    assert "inside its 90 % interval, by feedback" in numbers
    assert "正确值落在其 90% 区间内（反馈）" in numbers
    assert "Share inside the interval" in numbers
    assert "right, by feedback" not in numbers
    assert "right, by feedback" in labels
    assert "inside its 90 % interval, by feedback" in health_text(_health(), has_intervals=True)
    assert "right, by feedback" in health_text(_health())
