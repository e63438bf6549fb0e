"""What looks on while trees are boosted, of rows and of series alike."""

from typing import Any

import lightgbm

from windlass.learners.contract import Budget
from windlass.records import Json, Progress


class Watch:
    """Keeps the learning curve, and stops when so many seconds of the budget are used."""

    def __init__(self, budget: Budget, until: float, progress: Progress) -> None:
        self.budget, self.until, self.progress = budget, until, progress
        self.curve: list[Json] = []

    def __call__(self, env: Any) -> None:
        losses = [value for _, _, value, *_ in env.evaluation_result_list or []]
        if env.iteration % 10 == 0:
            self.progress("boosting", env.iteration, env.end_iteration, "")
            if losses:
                self.curve.append({"step": env.iteration, "validation_loss": round(float(losses[0]), 5)})
        if self.budget.steps is None and self.budget.spent() > self.until:
            raise lightgbm.callback.EarlyStopException(env.iteration, env.evaluation_result_list or [])
