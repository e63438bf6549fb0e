"""What is drawn of long work in a terminal, and written where there is none."""

import io
import re

from rich.console import Console

from windlass.pages.text.progress import _drawn, bars, stop


def test_the_end_of_a_step_is_said_once(capsys):
    progress = bars()
    progress("train linear", 1, 1, "done")
    progress("ship", 3, 3, "written")
    assert capsys.readouterr().err == "train linear  done\nship  done  written\n"


def terminal():
    return Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None, legacy_windows=False)


def lines(console):
    """What stood on each line at any time, without what moves the cursor."""
    return re.split(r"[\n\r]+", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "\n", console.file.getvalue()))


def test_bars_fit_eighty_columns_one_a_task_and_go_when_it_is_done():
    console = terminal()
    progress = _drawn(console)
    for done in (0, 1, 3):
        progress("train a-candidate-with-a-very-long-name", done, 4, "step 120, 34 rows a second, loss 0.1234, so far")
    stop()
    drawn = [line for line in lines(console) if "train" in line]
    assert drawn
    assert max(map(len, lines(console))) <= 80
    assert not any("100 %" in line for line in drawn), "it was interrupted"
    assert any("75 %" in line for line in drawn)


def test_a_task_that_ends_leaves_nothing_and_the_next_one_begins_anew():
    console = terminal()
    progress = _drawn(console)
    progress("collect", 10, 0, "tickets.csv")
    progress("collect", 10, 10)
    before = len(console.file.getvalue())
    progress("prepare", 5, 5)
    assert len(console.file.getvalue()) == before, "what is over at once is not drawn"
    progress("train linear", 1, 4)
    progress("train trees", 1, 4)
    progress("train linear", 4, 4)
    progress("train trees", 4, 4)
    assert "100 %" not in console.file.getvalue()
