"""What mistakes cost, as the specification says it, for the labels that the rows have."""

from collections.abc import Sequence
from typing import Any

from windlass.errors import SpecError, did_you_mean, expected
from windlass.metrics.costs import CostTable

MISS, FALSE_ALARM, POSITIVE, REVIEW, UNIT = "miss", "false_alarm", "positive", "review", "unit"
SIDES = (MISS, FALSE_ALARM, POSITIVE)


def cost_table(said: dict[str, Any], labels: Sequence[str], rarer: int) -> CostTable:
    """The costs of these labels. rarer: the place of the label that is positive where none is named.

    Raises: SpecError: a label or a key is not known, or a cost is no number from 0 on.
    """
    rest = {name: value for name, value in said.items() if name not in (REVIEW, UNIT)}
    review = None if said.get(REVIEW) is None else _cost(said[REVIEW], REVIEW)
    tabled = all(isinstance(value, dict) for value in rest.values()) and bool(rest)
    matrix = _from_table(rest, labels) if tabled else _from_sides(rest, labels, rarer)
    return CostTable(matrix, review, str(said.get(UNIT, "")))


def _from_sides(said: dict[str, Any], labels: Sequence[str], rarer: int) -> tuple[tuple[float, ...], ...]:
    for name in said:
        if name not in SIDES:
            known = (*SIDES, REVIEW, UNIT)
            raise SpecError(f"'costs' has '{name}', expected {expected(known)}", did_you_mean(name, known))
    if len(labels) != 2:
        example = f"costs: {{{labels[0]}: {{{labels[-1]}: 5}}}}"
        raise SpecError(f"'costs' has 'miss' or 'false_alarm' for {len(labels)} labels, expected two", f"`{example}`")
    named = str(said.get(POSITIVE, labels[rarer]))
    _known(named, labels, "'costs.positive'")
    place = list(labels).index(named)
    sides = [_cost(said.get(name), name) for name in (MISS, FALSE_ALARM)]
    if not all(sides):
        raise SpecError("'costs' has a mistake that costs 0, expected both above 0", "else one answer is always right")
    rows = [[0.0, 0.0], [0.0, 0.0]]
    rows[place][1 - place], rows[1 - place][place] = sides
    return tuple(tuple(row) for row in rows)


def _from_table(said: dict[str, Any], labels: Sequence[str]) -> tuple[tuple[float, ...], ...]:
    """Right label -> answer -> cost; what is not said costs nothing where it is right, and else as the dearest said."""
    for right, answers in said.items():
        _known(right, labels, "'costs'")
        for answer in answers:
            _known(answer, labels, f"'costs.{right}'")
    dearest = max((_cost(cost, name) for each in said.values() for name, cost in each.items()), default=0.0)
    if not dearest:
        raise SpecError("'costs' has no cost above 0, expected at least one")
    return tuple(
        tuple(
            _cost(said[right][answer], answer) if answer in said.get(right, {}) else 0.0 if right == answer else dearest
            for answer in labels
        )
        for right in labels
    )


def _known(name: str, labels: Sequence[str], where: str) -> None:
    if name not in labels:
        raise SpecError(f"{where} names '{name}', expected {expected(labels)}", did_you_mean(name, labels))


def _cost(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        raise SpecError(f"'costs' has {name!r}: {value!r}, expected a number from 0 on")
    return float(value)
