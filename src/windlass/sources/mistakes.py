"""The mistakes that people make in a small function, each as changes to its text that leave valid Python."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from windlass.sandbox.syntax import tree_of

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
Definition = ast.FunctionDef | ast.AsyncFunctionDef
SWAPS = {
    "==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">", "+": "-", "-": "+", "*": "+", "/": "*",
    "//": "/", "%": "//", "and": "or", "or": "and", "is": "is not", "is not": "is", "in": "not in", "not in": "in",
    "+=": "-=", "-=": "+=", "&": "|", "|": "&", "<<": ">>", ">>": "<<",
}  # fmt: skip
LARGEST = 64
"""A number up to here is a count or a place; a larger one is a code, and one more or less would be guesswork."""


@dataclass(frozen=True)
class Change:
    """The characters from start to end of a text become others."""

    start: int
    end: int
    new: str


def changed(text: str, change: Change) -> str:
    return text[: change.start] + change.new + text[change.end :]


def is_python(text: str) -> bool:
    try:
        tree_of(text)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return True


class Places:
    """Where the nodes of a text stand in it, in characters."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0]
        for line in text.split("\n"):
            self.starts.append(self.starts[-1] + len(line) + 1)

    def start(self, node: ast.expr | ast.stmt) -> int:
        return self.starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt) -> int:
        return self.starts[(node.end_lineno or 1) - 1] + (node.end_col_offset or 0)

    def of(self, node: ast.expr | ast.stmt) -> str:
        return self.text[self.start(node) : self.end(node)]


def wrong_operator(text: str, function: Definition) -> list[Change]:
    """`<` for `<=`, `and` for `or`, `+=` for `-=`."""
    return [Change(at, at + len(word), SWAPS[word]) for at, word in operators(text, function) if word in SWAPS]


def operators(text: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Where each operator between two expressions begins, and the operator."""
    places = Places(text)
    for left, right in _operands(tree):
        start = places.end(left)
        between = text[start : places.start(right)]
        word = between.strip(" ()\n\\")
        if word and between.count(word) == 1:
            yield start + between.index(word), word


def _operands(tree: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Each two expressions with an operator between them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp):
            yield node.left, node.right
        elif isinstance(node, ast.AugAssign):
            yield node.target, node.value
        elif isinstance(node, ast.Compare):
            yield node.left, node.comparators[0]
        elif isinstance(node, ast.BoolOp):
            yield node.values[0], node.values[1]


def functions_of(tree: ast.AST) -> list[Definition]:
    """The functions of a program, also those inside others."""
    return [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]


def swapped_arguments(text: str, function: Definition) -> list[Change]:
    """`f(b, a)` for `f(a, b)`."""
    places, found = Places(text), []
    for node in ast.walk(function):
        if not isinstance(node, ast.Call) or len(node.args) < 2:
            continue
        first, second = node.args[:2]
        if isinstance(first, ast.Starred) or isinstance(second, ast.Starred) or places.of(first) == places.of(second):
            continue
        middle = text[places.end(first) : places.start(second)]
        if "(" not in middle and ")" not in middle and "#" not in middle:
            new = places.of(second) + middle + places.of(first)
            found.append(Change(places.start(first), places.end(second), new))
    return found


def missing_return(text: str, function: Definition) -> list[Change]:
    """`value` for `return value`."""
    places = Places(text)
    return [
        Change(places.start(node), places.start(node.value), "")
        for node in _own(function)
        if isinstance(node, ast.Return)
        and node.value is not None
        and text[places.start(node) : places.start(node.value)] == "return "
    ]


def off_by_one(text: str, function: Definition) -> list[Change]:
    """One more or one less than the number that was there."""
    places, found = Places(text), []
    for node in ast.walk(function):
        if not isinstance(node, ast.Constant) or type(node.value) is not int or not 0 <= node.value <= LARGEST:
            continue
        if places.of(node) == str(node.value):
            others = [node.value + 1] + ([node.value - 1] if node.value else [])
            found += [Change(places.start(node), places.end(node), str(other)) for other in others]
    return found


def wrong_variable(text: str, function: Definition) -> list[Change]:
    """Another of the function's own variables than the one that was meant."""
    places = Places(text)
    arguments = function.args
    own = {each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
    own |= {node.id for node in names if isinstance(node.ctx, ast.Store)}
    return [
        Change(places.start(node), places.end(node), other)
        for node in names
        if isinstance(node.ctx, ast.Load) and node.id in own and places.of(node) == node.id
        for other in sorted(own - {node.id, "cls"})
    ]


def deleted_line(text: str, function: Definition) -> list[Change]:
    """A line that is not there: one that sets or calls something, in a block with other lines."""
    places = Places(text)
    return [
        change
        for block in _blocks(function)
        for line in block
        if isinstance(line, ast.Assign | ast.AugAssign | ast.Expr)
        for change in _whole_lines(places, line)
    ]


def _blocks(function: Definition) -> Iterator[list[ast.stmt]]:
    """The blocks of at least two statements."""
    for node in ast.walk(function):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and len(block) > 1:
                yield block


def _whole_lines(places: Places, line: ast.stmt) -> list[Change]:
    """The change that takes out the statement with its lines; nothing when it shares them with another."""
    start, end = places.starts[line.lineno - 1], places.starts[line.end_lineno or 1]
    alone = places.text[start : places.start(line)].isspace() and not places.text[places.end(line) : end].strip()
    return [Change(start, end, "")] if alone else []


def misspelt_name(text: str, function: Definition) -> list[Change]:
    """Two letters of a name in the wrong order, or one left out."""
    places, found = Places(text), []
    for node in ast.walk(function):
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        if not isinstance(node, ast.expr) or isinstance(getattr(node, "ctx", None), ast.Store):
            continue
        if len(name) < 4 or not re.fullmatch("[A-Za-z_]+", name) or not places.of(node).endswith(name):
            continue
        end = places.end(node)
        middle = len(name) // 2
        swapped = name[: middle - 1] + name[middle] + name[middle - 1] + name[middle + 1 :]
        shorter = name[:middle] + name[middle + 1 :]
        found += [Change(end - len(name), end, wrong) for wrong in (swapped, shorter) if wrong != name]
    return found


def _own(function: Definition) -> Iterator[ast.AST]:
    """The nodes of the function without those of functions inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
            waiting += ast.iter_child_nodes(node)


MISTAKES: dict[str, Callable[[str, Definition], list[Change]]] = {
    "wrong operator": wrong_operator,
    "swapped arguments": swapped_arguments,
    "missing return": missing_return,
    "off by one": off_by_one,
    "wrong variable": wrong_variable,
    "deleted line": deleted_line,
    "misspelt name": misspelt_name,
}
