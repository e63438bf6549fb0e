"""Mends a program: asks for new ones, runs the tests, tells what failed, and asks again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from windlass.sandbox import passes

Propose = Callable[[str, str], list[str]]
"""Called with a program and why it does not pass, one line; gives programs to try, the likeliest first."""


@dataclass(frozen=True)
class Repaired:
    """The program that passes, else the one that held the most tests. tried: programs that were run for it, without
    the broken one; reason: why it does not pass, empty when it does."""

    program: str
    passed: bool
    tried: int
    reason: str = ""


def repair(
    propose: Propose, broken: str, tests: Sequence[str], rounds: int = 3, per_round: int = 4, setup: str = ""
) -> Repaired:
    """Asks so many times, and runs so many programs of each proposal; stops at the first that passes.

    Each round starts from the program that has held the most tests so far, the first of equals. A program that was
    tried is not run again; a round that proposes nothing new is the last.
    Raises: NotReady: no sandbox here. DataError: no tests.
    """
    best, outcome = broken, passes(broken, tests, setup)
    seen = {broken}
    for _ in range(rounds):
        if outcome.passed:
            break
        proposed = [each for each in dict.fromkeys(propose(best, outcome.reason)) if each not in seen]
        if not proposed[:per_round]:
            break
        for program in proposed[:per_round]:
            seen.add(program)
            found = passes(program, tests, setup)
            if found.passed or found.n_passed > outcome.n_passed:
                best, outcome = program, found
            if found.passed:
                break
    return Repaired(best, outcome.passed, len(seen) - 1, outcome.reason)
