"""How values read: hand-written expectations."""

import pytest

from windlass.metrics.measures import Estimate
from windlass.pages.text import words

NAN = float("nan")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0.0 s"), (0.01, "<0.1 s"), (3.42, "3.4 s"), (41, "41 s"), (150, "2.5 min"), (4320, "1.2 h"), (None, "–")],
)
def test_a_duration_reads_in_the_unit_that_fits(seconds: float | None, said: str) -> None:
    assert words.duration(seconds) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.5, "50.0 %"), (1, "100 %"), (0, "0 %"), (0.99997, "> 99.9 %"), (0.0002, "< 0.1 %"), (NAN, "–")],
)
def test_a_percentage_says_all_or_nothing_only_when_it_is_exact(value: float, said: str) -> None:
    assert words.percent(value) == said


def test_a_column_of_numbers_has_the_same_decimals_and_never_a_false_zero() -> None:
    assert words.aligned([0.31, 4.1, 22.4, 0.02, NAN]) == ["0.3", "4.1", "22.4", "<0.1", "–"]
    assert words.aligned([0.31, 4.1]) == ["0.31", "4.10"]


def test_an_interval_without_bounds_shows_the_value_alone() -> None:
    assert words.interval(Estimate(0.9, 0.88, 0.92)) == "0.900 [0.880, 0.920]"
    assert words.interval(Estimate(0.9, NAN, NAN)) == "0.900"
    assert words.interval(None) == "–"


@pytest.mark.parametrize(
    ("goal", "said"),
    [
        ("macro_f1 >= 0.90", "macro-F1 ≥ 0.9"),
        ("accuracy", "the best accuracy"),
        ("", "as good as possible"),
        ("my own words", "my own words"),
    ],
)
def test_a_goal_reads_as_a_person_writes_it(goal: str, said: str) -> None:
    assert words.goal_words(goal) == said


def test_limits_read_with_their_unit() -> None:
    assert words.limit_words({"latency_p95_ms": 20, "size_mb": None}) == "p95 latency ≤ 20 ms"


def test_terminal_escapes_and_overrides_are_taken_out_but_emoji_joiners_stay() -> None:
    assert words.plain("a\x1b[31mred\x07\u202eevil\ud800") == "a[31mredevil"
    assert words.plain("👩‍💻 ok\nnext\tcell") == "👩‍💻 ok next cell"
    assert words.plain("open \u2067 never closed") == "open never closed"


def test_text_is_cut_by_its_width_on_screen() -> None:
    assert words.plain("abcdefgh", 5) == "abcd…"
    assert words.plain("漢字漢字", 5) == "漢字…"
    assert words.width(words.plain("漢字漢字漢字", 7)) <= 7


def test_text_for_the_page_cannot_open_a_tag() -> None:
    assert words.escaped("<b a='1' c=\"2\">&") == "&lt;b a=&#x27;1&#x27; c=&quot;2&quot;&gt;&amp;"
    assert words.with_code("run `x` & <b>") == "run <code>x</code> &amp; &lt;b&gt;"
