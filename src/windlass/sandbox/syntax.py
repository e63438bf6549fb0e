"""Reads Python without running it."""

import ast
import threading
import warnings

_ONE = threading.Lock()


def tree_of(text: str) -> ast.Module:
    """The syntax tree, without warnings of odd escapes in old code; one thread at a time.

    Several at once fail by chance: CPython 3.11 counts its depth, and keeps its filters of warnings, for all threads
    together ("AST constructor recursion depth mismatch").
    Raises: SyntaxError, ValueError, RecursionError: it is no Python.
    """
    with _ONE, warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        warnings.simplefilter("ignore", DeprecationWarning)  # what Python before 3.12 says of odd escapes
        return ast.parse(text)
