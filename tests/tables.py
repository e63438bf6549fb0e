"""A line more in one of the package's tables, which is how a kind, a learner, an output or a format is added to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch


@contextmanager
def with_line(table: dict[str, Any], name: str, line: Any) -> Iterator[None]:
    """The table with this line, in place of one of the same name; afterwards it is as it was."""
    with patch.dict(table, {name: line}):
        yield
