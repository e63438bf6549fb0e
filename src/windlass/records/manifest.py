"""What an artifact says of itself: inputs, output, format."""

from dataclasses import asdict, dataclass, field

import numpy as np

from windlass.records.contract import Json


@dataclass(frozen=True)
class Column:
    """A column of the product: its name, its kind and, in an artifact, how the kind encodes it."""

    name: str
    kind: str
    state: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """What an artifact is: who made it, who answers from it, and the columns that it reads and gives.

    temperature, shift: of labels; how scores become probabilities, see `metrics.best_calibration`.
    """

    predictor: str
    learner: str
    inputs: tuple[Column, ...]
    output: Column
    temperature: float = 1.0
    settings: Json = field(default_factory=dict)
    format: int = 1
    shift: tuple[float, ...] = ()

    def calibrated(self, logits: np.ndarray) -> np.ndarray:
        """Logits (n, k) as the engine gives them -> those whose softmax is calibrated, float64."""
        scaled = logits.astype(np.float64) / self.temperature
        return scaled + np.asarray(self.shift) if self.shift else scaled

    def as_json(self) -> Json:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Json) -> "Manifest":
        return cls(
            **{
                **values,
                "inputs": tuple(Column(**column) for column in values["inputs"]),
                "output": Column(**values["output"]),
                "shift": tuple(values.get("shift", ())),
            }
        )
