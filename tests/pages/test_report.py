"""The report answers first, loads nothing, and nothing from outside acts on it."""

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import numpy as np

from windlass.metrics.measures import LabelMarks
from windlass.pages.html.notebook import Board
from windlass.pages.html.report import Details, leaderboard, report
from windlass.records import Collected, Prepared

from .conftest import detailed

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)> \u202e עברית 🦊 \"'`"
VOID = {"meta", "br", "img", "hr", "link", "input"}


class Balance(HTMLParser):
    """Collects the tags, and faults where they do not close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def checked(page: str) -> Balance:
    """The page's tags, after the checks that hold for every page."""
    found = Balance()
    found.feed(page)
    assert found.open == []
    assert not found.tags & {"script", "img", "link", "iframe", "object", "base", "form"}
    assert not any(name.startswith("on") for name in found.attributes)
    assert not {"src", "srcset", "action"} & found.attributes
    assert "url(" not in page
    assert "@import" not in page
    assert "\u202e" not in page
    page.encode("utf-8")
    return found


def seen(page: str) -> str:
    """The words of a page, without tags and styles."""
    body = re.sub(r"<style>.*?</style>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_the_page_begins_with_the_answer(board: Board, details: Details) -> None:
    page = report(board, details)
    checked(page)
    text = seen(page)
    sentence = "linear was chosen: macro-F1 0.912 [0.889, 0.935] on 602 test rows, 95 % of answers within 0.52 ms."
    assert sentence in text
    verdict = "✓ Goal and limits are met (macro-F1 ≥ 0.9), though not for certain: the 95 % interval reaches to 0.889."
    assert verdict in text
    assert text.index(sentence) < text.index("What to do next") < text.index("validation")


def test_every_section_stands_in_the_page_and_in_its_contents(board: Board, details: Details) -> None:
    page = report(board, details)
    names = ["leaderboard", "learning", "confusion", "calibration", "mistakes", "labels", "data", "spec"]
    assert re.findall(r'<section id="(\w+)"', page) == names
    assert re.findall(r'<a href="#(\w+)"', page) == names


def test_sections_without_facts_are_left_out(board: Board) -> None:
    page = report(board, Details())
    checked(page)
    assert re.findall(r'<section id="(\w+)"', page) == ["leaderboard"]


def test_a_missed_goal_says_what_to_do_next(board: Board, details: Details) -> None:
    missed = replace(board, chosen="cnn", goal="macro_f1 >= 0.95")
    text = seen(report(missed, details))
    assert "✗ Not met: macro_f1 is 0.887, expected at least 0.9." in text
    assert "Raise minutes in windlass.yaml: recurrent did not fit the training budget." in text
    assert "Look at ⁨'double_charge'⁩ first" in text


def test_a_missed_limit_says_which_and_by_how_much(board: Board, details: Details) -> None:
    text = seen(report(replace(board, chosen="transformer"), details))
    assert "latency_p95_ms : it is 31.8 ms, the limit is 20 ms." in text
    assert "size_mb : it is 91.4 MB, the limit is 60 MB." in text


def test_a_board_without_candidates_still_makes_a_page(board: Board, details: Details) -> None:
    page = report(replace(board, candidates=[], chosen=""), replace(details, curves={}))
    checked(page)
    assert "No candidate was trained" in seen(page)
    assert "No candidate was trained" in leaderboard(replace(board, candidates=[], chosen=""))


def test_text_from_outside_never_acts(board: Board, marks: LabelMarks) -> None:
    prepared = Prepared(
        EVIL,
        {EVIL: 3},
        {EVIL: 1},
        {EVIL: {EVIL: 3}},
        [{"name": EVIL, "examples": [EVIL], "summary": {EVIL: EVIL}, "kind": EVIL, "role": EVIL}, {}],
        [EVIL],
    )
    collected = Collected(3, 2, 1, {EVIL: 1}, [EVIL], {EVIL: 2}, [EVIL])
    evil_board = replace(
        board,
        product=EVIL,
        why=EVIL,
        goal=EVIL,
        machine=EVIL,
        limits={EVIL: 3},
        chosen=EVIL,
        candidates=[replace(board.candidates[2], name=EVIL, misses=[EVIL])],
        not_trained=[{"name": EVIL, "reason": EVIL, "status": EVIL}, {}],
    )
    evil = detailed(
        evil_board,
        replace(marks, labels=(EVIL,) * 20),
        [EVIL] * 602,
        curves={EVIL: [{"score": 1}]},
        prepared=prepared,
        collected=collected,
        spec_text=EVIL,
    )
    page = report(evil_board, evil)
    checked(page)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    checked(leaderboard(evil_board))


def test_the_check_itself_sees_a_script_that_gets_through() -> None:
    """The control: an unescaped page must fail the check above."""
    try:
        checked(f"<p>{EVIL}</p>")
    except AssertionError:
        return
    raise AssertionError("an unescaped script went unnoticed")


def test_the_most_confident_mistake_comes_first_with_text_truth_and_answer(
    board: Board, details: Details, marks: LabelMarks, examples: list[str]
) -> None:
    page = report(board, details)
    rows = re.findall(r"<tr>.*?</tr>", page[page.index('id="mistakes"') : page.index('id="labels"')])[1:]
    wrong = marks.probabilities.argmax(1) != marks.targets
    first = int(np.argmax(np.where(wrong, marks.probabilities.max(1), 0)))
    assert len(rows) == 15
    assert examples[first].split("#")[0][:30] in rows[0]
    assert f"{marks.probabilities[first].max() * 100:.1f} %" in rows[0]


def test_the_board_shows_itself_in_jupyter_without_a_stylesheet(board: Board) -> None:
    table = board._repr_html_()
    found = checked(table)
    assert "style" not in found.tags
    assert "class" not in found.attributes
    assert table.count("<tr") == 7
    assert "minilm-linear is statistically as good (95 %)." in seen(table)


def test_many_labels_keep_the_page_small(board: Board) -> None:
    random = np.random.default_rng(3)
    probabilities = random.dirichlet(np.ones(600), 900)
    labels = tuple(f"l{place}" for place in range(600))
    page = report(board, detailed(board, LabelMarks(random.integers(0, 600, 900), probabilities, 1, labels), []))
    checked(page)
    assert len(page) < 400_000


def test_without_a_number_in_the_goal_none_is_called_met(board: Board, details: Details) -> None:
    free = replace(board, goal="macro_f1", limits={})
    text = seen(report(free, details))
    assert "No goal was given" in text
    assert "✓" not in text
    assert "✓ The limits are met." in seen(report(replace(free, limits={"size_mb": 60}), details))
    assert "✓ The goal is met (macro-F1 ≥ 0.88)." in seen(
        report(replace(board, goal="macro_f1 >= 0.88", limits={}), details)
    )


def test_what_is_next_holds_before_and_after_a_release(board: Board, details: Details) -> None:
    """The report is written before `windlass run` releases, and read afterwards."""
    assert "windlass serve answers with the release of it, which windlass run has made already" in " ".join(
        seen(report(board, details)).split()
    )
