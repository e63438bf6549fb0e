"""What boxes and masks share: labelled things in a picture, as collected rows keep them."""

from typing import Any

from windlass.kinds.boxes import LABEL, elements
from windlass.kinds.masks import VOID


def labels_of(value: Any) -> list[str]:
    """The label of each thing that a collected row says is there, with repetitions."""
    return [thing[LABEL] for thing in elements(value) or () if thing[LABEL] != VOID]
