"""A share as it was counted, which tests need with its size."""

from typing import NamedTuple


class Proportion(NamedTuple):
    """So many of so many: `hits` of `n`."""

    hits: int
    n: int
