"""Why a question was answered so: what each part of it adds to the confidence."""

from windlass.errors import NotReady
from windlass.outputs.contract import Why
from windlass.predictors.contract import Predictor
from windlass.records import Explanation, Row


def explain(model: Predictor, row: Row, number: int, why: Why) -> Explanation:
    """Raises: NotReady: an answer explains itself by what it cites."""
    raise NotReady("a cited answer is not weighed", "its citations say what it rests on")
