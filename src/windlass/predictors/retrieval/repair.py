"""Mends a program: asks for new ones, runs the tests, tells what failed, and asks again.

As a predictor it has no model: it answers a row with the program that is one change or two away and passes the row's
tests.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from windlass.errors import DataError, expected
from windlass.kinds import table as kinds
from windlass.kinds import text
from windlass.predictors.language.writing import OnText, Writing, Written
from windlass.predictors.retrieval.edits import one_change
from windlass.predictors.retrieval.examine import statements
from windlass.records import Manifest, Row
from windlass.sandbox.programs import Bounds, passes

Propose = Callable[[str, str], list[str]]
"""Called with a program and why it does not pass, one line; gives programs to try, the likeliest first."""
FOUND, NOT_FOUND = 0.0, -50.0
"""Log-probability that a program passes the tests that it was run with."""


@dataclass(frozen=True)
class Repaired:
    """The program that passes, else the one that held the most tests. tried: programs that were run for it, without
    the broken one; reason: why it does not pass, empty when it does."""

    program: str
    passed: bool
    tried: int
    reason: str = ""


@dataclass(frozen=True)
class Tries:
    """What a repair may cost: rounds, programs of each, and seconds in all; `each`: what one program may use."""

    rounds: int = 3
    per_round: int = 4
    seconds: float = math.inf
    each: Bounds | None = None


AT_ONCE = Tries(2, 100, 12.0)
"""While somebody waits for the answer. A second change is sought where the first one made more tests hold."""
LEAST_S, MOST_S, TIMES = 1.0, 4.0, 8
"""A program of a row may run so many times as long as one that does nothing: an endless one is ended soon, and on a
busy machine none is called endless that is not."""


def repair(
    propose: Propose, broken: str, tests: Sequence[str], tries: Tries | None = None, setup: str = ""
) -> Repaired:
    """Asks so many times, and runs so many programs of each proposal; stops at the first that passes.

    Each round starts from the program that has held the most tests so far, the first of equals. A program that was
    tried is not run again; a round that proposes nothing new is the last.
    Raises: NotReady: no sandbox here. DataError: no tests.
    """
    tries = tries or Tries()
    until = time.monotonic() + tries.seconds
    best, outcome = broken, passes(broken, tests, setup, tries.each)
    seen = {broken}
    for _ in range(tries.rounds):
        if outcome.passed:
            break
        proposed = [each for each in dict.fromkeys(propose(best, outcome.reason)) if each not in seen]
        if not proposed[: tries.per_round] or time.monotonic() > until:
            break
        for program in proposed[: tries.per_round]:
            if time.monotonic() > until:
                break
            seen.add(program)
            found = passes(program, tests, setup, tries.each)
            if found.passed or found.n_passed > outcome.n_passed:
                best, outcome = program, found
            if found.passed:
                break
    return Repaired(best, outcome.passed, len(seen) - 1, outcome.reason)


@dataclass(frozen=True)
class Search:
    """Answers with the program that passes. program, tests: the columns that hold the broken one and what must hold."""

    program: str
    tests: str
    is_generating = False

    def write(self, rows: Sequence[Row], how: Writing, hear: OnText) -> list[Written]:
        """One program a row, as it stands where it has no tests; nothing of `how` applies.

        Raises: NotReady: no sandbox here.
        """
        found = [self._mended(row) for row in rows]
        return [each if hear(number, each.text) else Written("", "cancelled") for number, each in enumerate(found)]

    def nats(self, rows: Sequence[Row], texts: Sequence[str]) -> np.ndarray | None:
        """Not known: a program is run, not weighed."""
        return None

    def _mended(self, row: Row) -> Written:
        """The confidence is whether its tests hold; not known without tests."""
        tests = [each for part in text.several(row[self.tests]) for each in statements(part)]
        if not tests:
            return Written(row[self.program])
        usual = passes("", ["pass"]).seconds
        tries = replace(AT_ONCE, each=Bounds(seconds=min(MOST_S, max(LEAST_S, TIMES * usual))))
        found = repair(lambda program, reason: one_change(program), row[self.program], tests, tries)
        return Written(found.program, n_tokens=1, logprob=FOUND if found.passed else NOT_FOUND)


def load(folder: Path, manifest: Manifest) -> Search:
    """`program` and `tests` of the settings. Raises: DataError: they are not two of the text columns."""
    texts = kinds.prose({column.name: column.kind for column in manifest.inputs})
    program, tests = manifest.settings.get("program"), manifest.settings.get("tests")
    if program not in texts or tests not in texts or program == tests:
        raise DataError(
            f"{folder / 'manifest.json'} has program {program!r} and tests {tests!r}, expected two of {expected(texts)}"
        )
    return Search(str(program), str(tests))
