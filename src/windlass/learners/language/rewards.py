"""What an answer of a model is worth, 0-1: plain functions of the answer, its row and the right answers.

Source: rewards that are checked rather than learned: Shao et al. 2024, arXiv:2402.03300; Lambert et al. 2024,
        arXiv:2411.15124.
"""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation

from windlass.metrics.texts import normalised
from windlass.predictors.retrieval.examine import BOUNDS, program, statements
from windlass.records import Row
from windlass.sandbox.programs import passes

Reward = Callable[[str, Row, Sequence[str]], float]
TESTS = "tests"
"""The input column that holds the tests of a program."""
AMOUNT = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"
NUMBER = re.compile(rf"(?<![\w)])[-−]{AMOUNT}|{AMOUNT}")


def exact(answer: str, row: Row, rights: Sequence[str]) -> float:
    """1 when it is one of the right answers; case, punctuation and articles do not count."""
    return float(any(normalised(answer) == normalised(right) for right in rights))


def arithmetic(answer: str, row: Row, rights: Sequence[str]) -> float:
    """1 when its last number is the last number of a right answer."""
    found = last_number(answer)
    return float(found is not None and any(found == last_number(right) for right in rights))


def by_tests(answer: str, row: Row, rights: Sequence[str]) -> float:
    """1 when its program passes the tests of the row. Raises: NotReady: no sandbox here."""
    tests = statements(str(row.get(TESTS) or ""))
    return float(passes(program(answer), tests, bounds=BOUNDS).passed) if tests else 0.0


REWARDS: dict[str, Reward] = {"exact": exact, "arithmetic": arithmetic, "tests": by_tests}


def last_number(text: str) -> Decimal | None:
    """The last number of a text: 1,234.50 is 1234.5; a minus belongs to it where nothing stands before it."""
    found = NUMBER.findall(text)
    if not found:
        return None
    try:
        return Decimal(found[-1].replace(",", "").replace("−", "-"))
    except InvalidOperation:  # digits of another script may be none of Decimal's
        return None
