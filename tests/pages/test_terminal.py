"""The leaderboard and the short summaries as a person reads them in a terminal."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from windlass.metrics.measures import Estimate, wilson
from windlass.pages.html.leaderboard import board_notes
from windlass.pages.html.notebook import Board
from windlass.pages.text.terminal import board_text, collected_text, prepared_text, print_board
from windlass.pages.text.words import width
from windlass.records import Collected, Prepared, as_json
from windlass.store.json_files import restored


@pytest.mark.parametrize("columns", [60, 80, 100, 140])
def test_the_board_never_runs_over_the_width(board: Board, columns: int) -> None:
    assert max(width(line) for line in board_text(board, columns).splitlines()) <= columns


def test_a_hundred_columns_show_everything(board: Board) -> None:
    text = board_text(board, 100)
    assert "Left out" not in text
    for part in ("0.912 [0.889, 0.935]", "0.918", "0.934", "0.3/0.5", "21,400", "2.1", "3.4 s", "0.021", "✓"):
        assert part in text


def test_a_narrow_terminal_says_what_it_left_out(board: Board) -> None:
    text = board_text(board, 80)
    assert "Left out at this width: validation, answers, accuracy." in " ".join(text.split())
    assert "0.912 [0.889, 0.935]" in text


def test_the_chosen_candidate_is_marked_and_the_equally_good_one_named(board: Board) -> None:
    text = board_text(board, 100)
    assert [line.split()[1] for line in text.splitlines() if line.startswith("★  ")] == ["linear"]
    assert "minilm-linear is statistically as good (95 %)" in text
    assert "linear is statistically" not in text.replace("minilm-linear is statistically", "")


def test_the_board_says_why_what_is_missed_and_what_was_not_trained(board: Board) -> None:
    text = " ".join(board_text(board, 100).split())
    assert "cheapest of 2 candidates" in text
    assert "cnn misses: macro_f1 is 0.887, expected at least 0.9" in text
    assert "not trained: recurrent (out of time: needs about 9 min, 2 min were left)" in text


def test_the_headline_metric_has_one_column_only(board: Board) -> None:
    by_accuracy = replace(board, headline="accuracy", goal="accuracy >= 0.9")
    head = board_text(by_accuracy, 140).splitlines()[3].split()
    assert head.count("accuracy") == 1
    assert "m-F1" in head


def test_markup_and_escapes_in_names_stay_words(board: Board) -> None:
    first = replace(board.candidates[0], name="[red]x[/red]\x1b[2J")
    text = board_text(replace(board, candidates=[first], chosen=first.name, why="[bold]no[/bold] \x1b]0;t\x07"), 100)
    assert "[red]x[/red]" in text
    assert "[bold]no[/bold]" in text
    assert "\x1b" not in text


def test_a_board_from_json_with_nulls_can_be_read(board: Board) -> None:
    nothing: object = None
    first = replace(
        board.candidates[0],
        metrics={"macro_f1": Estimate(nothing, nothing, nothing)},  # type: ignore[arg-type]
        calibration_error=nothing,  # type: ignore[arg-type]
    )
    assert "–" in board_text(replace(board, candidates=[first]), 100)


def test_a_board_without_candidates_says_so(board: Board) -> None:
    text = board_text(replace(board, candidates=[], chosen=""), 80)
    assert "no candidate was trained" in text
    assert "not trained: llm" in text


def test_the_board_is_bold_in_a_terminal_with_colours(board: Board) -> None:
    out = io.StringIO()
    print_board(board, Console(file=out, force_terminal=True, width=100, color_system="standard"))
    assert "\x1b[1m" in out.getvalue()


def test_a_board_prints_itself(board: Board) -> None:
    assert "support-desk" in str(board)


def test_what_was_collected_reads_with_reasons(collected: Collected) -> None:
    text = collected_text(collected)
    assert text.splitlines()[0] == "2,420 rows in: 2,417 accepted (99.9 %), 3 rejected"
    assert "  rejected  2 'message' is empty" in text
    assert "  warning   7 messages" in text
    assert "0 accepted (nothing)" in collected_text(Collected(0, 0, 0, {}, [], {}, []))


def test_what_was_prepared_reads_with_what_was_removed(prepared: Prepared) -> None:
    text = prepared_text(prepared)
    assert "20 labels" in text
    assert "  removed   18 exact duplicate" in text
    assert "smallest 'delete_account' 34" in text
    assert prepared_text(Prepared("f", {}, {}, {}, [], []))


def test_what_is_to_be_known_of_how_a_candidate_was_trained_stands_below(board):
    noted = replace(board.candidates[0], notes=["questions were cut", "rewards rose"])
    told = replace(board, candidates=[noted, *board.candidates[1:]])
    assert f"{noted.name}: questions were cut; rewards rose" in " ".join(board_text(told, 200).split())
    assert f"{noted.name}: questions were cut; rewards rose" in board_notes(told)
    assert "questions were cut" not in board_text(board, 200) + board_notes(board)
    assert restored(Board, json.loads(json.dumps(as_json(told)))).candidates[0].notes == noted.notes


def held(board: Board, value: float, low: float, high: float) -> Board:
    """The board with intervals of the first candidate that held so many."""
    first = board.candidates[0]
    metrics = {**first.metrics, "coverage_90": Estimate(value, low, high)}
    return replace(board, candidates=[replace(first, metrics=metrics), *board.candidates[1:]])


def test_intervals_that_do_not_hold_what_they_promise_are_warned_of(board: Board) -> None:
    """247 of 298 rows inside: 82.9 %, Wilson 78.2 to 86.7 %, which excludes 90 %; 88 % [84 %, 91 %] does not."""
    found = wilson(247, 298)
    narrow = held(board, found.value, found.low, found.high)
    name = board.candidates[0].name
    words = f"{name}: its 90.0 % intervals are too narrow: 82.9 % [78.2 %, 86.7 %] of the right numbers lie inside"
    assert words in " ".join(board_text(narrow, 200).split())
    assert words in board_notes(narrow)
    assert "too wide" in board_text(held(board, 0.96, 0.94, 0.98), 200)
    for none in (board, held(board, 0.88, 0.84, 0.91)):
        assert "intervals are" not in board_text(none, 200)


def test_without_goal_and_limits_nothing_is_called_met(board: Board) -> None:
    free = replace(
        board, goal="macro_f1", limits={},
        candidates=[replace(each, meets_goal=True, misses=[]) for each in board.candidates],
    )  # fmt: skip
    assert "✓" not in board_text(free, 200)
    assert "✓" in board_text(replace(free, limits={"size_mb": 60}), 200)  # the control
    missed = replace(free, candidates=[replace(free.candidates[0], meets_goal=False, misses=["x"])])
    assert "✗" in board_text(missed, 200)
