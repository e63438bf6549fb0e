"""`windlass plan --ask` in a real terminal, as a person types: wrong values, empty lines, Chinese, Ctrl-C."""

import os
import pty
import re
import select
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import windlass

SPEC = "name: desk\ndata: data.csv\ninputs: {message: text, region: category}\noutput: {intent: category}\n"
PATIENCE_S, N_AGAIN, MOST_READ = 120, 12, 10_000
PROMPT = re.compile(r"\] ?: ?$|\]: $")


@pytest.fixture
def terminal(tmp_path):
    """Types the lines, one at each prompt; gives what the screen showed, and how the command ended."""
    (tmp_path / "windlass.yaml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "data.csv").write_text("message,region,intent\nhello,east,a\n", encoding="utf-8")

    def typed(lines):
        child, screen = pty.fork()
        if child == 0:
            place = {**os.environ, "PYTHONPATH": str(Path(windlass.__file__).parents[1]), "TERM": "dumb"}
            os.execve(sys.executable, [sys.executable, "-m", "windlass.cli", "plan", "--ask", "--project",
                                       str(tmp_path)], place)  # fmt: skip
        shown, waiting, silent = b"", list(lines), 0
        with suppress(OSError):  # the terminal is gone when the command has ended
            for _ in range(MOST_READ):
                if not select.select([screen], [], [], PATIENCE_S / N_AGAIN)[0]:
                    silent += 1
                    if silent == N_AGAIN:
                        break
                    if shown.rstrip().endswith(
                        b"^C"
                    ):  # between a prompt and the read below it Python may miss a signal
                        os.write(screen, b"\x03")
                    continue
                if not (more := os.read(screen, 65_536)):
                    break
                shown, silent = shown + more, 0
                if waiting and PROMPT.search(shown.decode("utf-8", "replace")):
                    os.write(screen, waiting.pop(0).encode())
        os.close(screen)
        _, status = os.waitpid(child, 0)
        return shown.decode("utf-8").replace("\r\n", "\n"), os.waitstatus_to_exitcode(status)

    return typed


def test_a_person_types_through_all_questions(terminal, tmp_path):
    lines = ["元\n", "\n", "每天五百\n", "５００\n", "\n", "\n", "\n", "0,80\n", "-1\n", "2\n"]
    shown, code = terminal([*lines, *["\n"] * 30])
    assert "20/20" in shown
    assert "'每天五百' is no number, expected one such as 1200 or 0.5" in shown
    assert "read as 0.8" in shown
    assert "'-1' does not fit, expected greater than or equal to 0" in shown
    assert shown.count("What does one wrong answer cost you?") == 1
    assert (tmp_path / "product.yaml").read_text(encoding="utf-8") == (
        "currency: 元\nrequests_a_day: 500.0\nright_value: 0.8\nwrong_cost: 2.0\n"
    )
    assert "product.yaml is written" in shown
    assert "stage 'evaluate' has not run" in shown
    assert "Traceback" not in shown
    assert code == 4


def test_ctrl_c_keeps_what_was_said_and_the_next_time_goes_on_from_there(terminal, tmp_path):
    shown, code = terminal(["CHF\n", "40\n", "\x03"])
    assert "product.yaml is written" in shown
    assert "Traceback" not in shown
    assert code != 0
    assert (tmp_path / "product.yaml").read_text(encoding="utf-8") == "currency: CHF\nusers: 40\n"
    again, _ = terminal(["\x03"])
    assert "[CHF]" in again
    assert "product.yaml stays as it is" in again
