"""What answers are held to beside the right ones: tests that a program must pass, rules that a text must keep."""

import ast
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from windlass import brand
from windlass.metrics.measures import Array
from windlass.metrics.texts import RULES_BROKEN, pass_at_k
from windlass.predictors.language import threads
from windlass.predictors.language.writing import silent_hear
from windlass.predictors.writer import Writer
from windlass.records import Row
from windlass.sandbox.programs import Bounds, passes
from windlass.sandbox.syntax import tree_of

FENCE = re.compile(r"```[^\n]*\n(.*?)(?:```|\Z)", re.DOTALL)
BOUNDS = Bounds(seconds=3.0, memory_mb=256)
MOST_AT_ONCE = 8
N_SAMPLED, TEMPERATURE = 10, 0.8
"""Programs of each row for pass@k with k above 1. Source: Chen et al. 2021, arXiv:2107.03374, section 3.3."""


def program(answer: str) -> str:
    """The first program between ``` marks, else all that was written."""
    found = FENCE.search(answer)
    return found.group(1) if found else answer


def statements(tests: str) -> list[str]:
    """The statements of the tests, one after the other; lines where they are no Python."""
    try:
        return [ast.unparse(node) for node in tree_of(tests).body]
    except (SyntaxError, ValueError, RecursionError):
        return [line for line in tests.splitlines() if line.strip()]


def pass_rates(answers: Sequence[Sequence[str]], tests: Sequence[str], k: int) -> Array:
    """(n,) for each row the chance that one of k of its answers passes its tests; NaN for a row without tests.

    Each program runs in the sandbox, the same one with the same tests once.
    Raises: NotReady: no sandbox here.
    """
    wanted = [[(program(answer), each) for answer in row] for row, each in zip(answers, tests, strict=True)]
    different = list(dict.fromkeys(pair for row in wanted for pair in row if pair[1].strip()))
    with ThreadPoolExecutor(min(MOST_AT_ONCE, threads.cores())) as pool:
        passed = dict(zip(different, pool.map(_passed, different), strict=True))
    return np.array([
        pass_at_k(len(row), sum(passed[pair] for pair in row), k) if each.strip() else np.nan
        for row, each in zip(wanted, tests, strict=True)
    ])  # fmt: skip


def sampled(writer: Writer, rows: Sequence[Row], root: Path | None) -> list[list[str]]:
    """For each row the texts of `N_SAMPLED` tries, each by chance."""
    asked, how = writer.read(rows, root), writer.writing
    tries = [
        writer.engine.write(asked, replace(how, temperature=TEMPERATURE, beams=1, seed=how.seed + number), silent_hear)
        for number in range(N_SAMPLED)
    ]
    return [[written.text for written in each] for each in zip(*tries, strict=True)]


def _passed(pair: tuple[str, str]) -> bool:
    text, tests = pair
    return passes(text, statements(tests), bounds=BOUNDS).passed


def rules_broken(answers: Sequence[str], rules: brand.Rules) -> dict[str, Array]:
    """(n,) 1 where an answer breaks a rule: of `rules_broken` any of them, of `rules_broken.<rule>` that one."""
    found = [brand.breaches(answer, rules) for answer in answers]
    each = {f"{RULES_BROKEN}.{rule}": np.array([rule in faults for faults in found], float) for rule in rules.in_force}
    return {RULES_BROKEN: np.array([bool(faults) for faults in found], float), **each}
