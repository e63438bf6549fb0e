"""What a thing that is missed costs, and a box where none is, as the specification says it."""

from collections.abc import Sequence
from typing import Any

from windlass.errors import SpecError, did_you_mean, expected
from windlass.metrics.costs import BoxCosts
from windlass.spec import Spec

MISS, FALSE_ALARM, REVIEW, UNIT = "miss", "false_alarm", "review", "unit"
SIDES = (MISS, FALSE_ALARM)
EXAMPLE = "`costs: {miss: 5, false_alarm: 1, review: 0.3}`"


def box_costs(spec: Spec, classes: Sequence[str]) -> BoxCosts | None:
    """As `costs: {miss: 5, false_alarm: 1, Platelets: {miss: 20}}` says, where a class has a price of its own; None:
    mistakes have none.

    Raises: SpecError: a class or a key is not known, or a cost is no number above 0.
    """
    said = spec.costs
    if not said:
        return None
    known = (*SIDES, REVIEW, UNIT)
    for name, value in said.items():
        if name not in known and not (isinstance(value, dict) and name in classes):
            names = [*known, *classes]
            raise SpecError(f"'costs' has '{name}', expected {expected(names)}", did_you_mean(name, names) or EXAMPLE)
    sides = {side: tuple(_of_class(said, side, name) for name in classes) for side in SIDES}
    review = None if said.get(REVIEW) is None else _cost(said[REVIEW], REVIEW)
    return BoxCosts(sides[MISS], sides[FALSE_ALARM], review, str(said.get(UNIT, "")))


def _of_class(said: dict[str, Any], side: str, name: str) -> float:
    own = said.get(name)
    own = own if isinstance(own, dict) else {}
    for key in own:
        if key not in SIDES:
            raise SpecError(f"'costs.{name}' has '{key}', expected {expected(SIDES)}", did_you_mean(key, SIDES))
    return _cost(own.get(side, said.get(side)), f"{name}.{side}" if side in own else side)


def _cost(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e12:
        raise SpecError(f"'costs.{name}' is {value!r}, expected a number above 0", EXAMPLE)
    return float(value)
