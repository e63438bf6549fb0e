"""Programs that are one change away from a broken one: what undoes the mistakes that people make.

Source: mutation operators as in Debroy & Wong 2010, Using mutation to automatically suggest fixes for faulty programs;
        here in the order of how often a kind of change is a fix among few candidates.
"""

import ast
import builtins
import difflib
from collections.abc import Callable, Iterator

from windlass.sandbox.syntax import tree_of
from windlass.sources.mistakes import (
    Change,
    Places,
    changed,
    functions_of,
    is_python,
    off_by_one,
    operators,
    swapped_arguments,
    wrong_variable,
)

KIN = (
    ("==", "!=", "<", "<=", ">", ">="), ("+", "-", "*", "/", "//", "%", "**"), ("and", "or"), ("in", "not in"),
    ("is", "is not"), ("+=", "-=", "*=", "/="), ("&", "|", "^"), ("<<", ">>"),
)  # fmt: skip
OPPOSITES = (
    ("min", "max"), ("any", "all"), ("append", "extend"), ("upper", "lower"), ("startswith", "endswith"),
    ("keys", "values"), ("first", "last"), ("lstrip", "rstrip"), ("floor", "ceil"), ("find", "rfind"),
)  # fmt: skip
METHODS = sorted({name for kind in (str, list, dict, set) for name in dir(kind) if name[0] != "_"})
NEAREST = 3


def one_change(program: str) -> list[str]:
    """Programs with one change each, the likeliest kinds first; none where the text is no Python. No program twice."""
    if not is_python(program):
        return []
    tree = tree_of(program)
    found = [changed(program, change) for kind in KINDS for change in kind(program, tree)]
    return [each for each in dict.fromkeys(found) if each != program and is_python(each)]


def known_name(text: str, tree: ast.Module) -> Iterator[Change]:
    """For a name that nothing defines, the nearest that something does; for a method that no value has, likewise."""
    places, names = Places(text), [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    known = {*dir(builtins), *(node.id for node in names if isinstance(node.ctx, ast.Store))}
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            known.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            known.add(node.name)
        elif isinstance(node, ast.alias):
            known.add((node.asname or node.name).split(".")[0])
    for node in names:
        if node.id not in known:
            yield from _near(places.start(node), node.id, sorted(known))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr not in METHODS:
            yield from _near(places.end(node) - len(node.attr), node.attr, METHODS)


def _near(start: int, name: str, known: list[str]) -> Iterator[Change]:
    for other in difflib.get_close_matches(name, known, NEAREST):
        yield Change(start, start + len(name), other)


def returned(text: str, tree: ast.Module) -> Iterator[Change]:
    """`return value` for `value`."""
    places = Places(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant):
            start = places.start(node)
            yield Change(start, start, "return ")


def other_operator(text: str, tree: ast.Module) -> Iterator[Change]:
    """Each operator that could stand there instead."""
    for start, word in operators(text, tree):
        for kin in KIN:
            yield from (Change(start, start + len(word), other) for other in kin if word in kin and other != word)


def opposite(text: str, tree: ast.Module) -> Iterator[Change]:
    """`max` for `min`, `extend` for `append`."""
    places = Places(text)
    for node in ast.walk(tree):
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        for pair in OPPOSITES:
            if name in pair and isinstance(node, ast.expr):
                end = places.end(node)
                yield Change(end - len(name), end, pair[1 - pair.index(name)])


def negated(text: str, tree: ast.Module) -> Iterator[Change]:
    """`not` where a value is asked or given back, or none where one is; a number's other sign."""
    places = Places(text)
    for node in ast.walk(tree):
        asked = getattr(node, "test", None) or (node.value if isinstance(node, ast.Return) else None)
        if isinstance(node, ast.UnaryOp):
            yield Change(places.start(node), places.start(node.operand), "")
        elif isinstance(node, ast.Constant) and type(node.value) is int and node.value:
            yield Change(places.start(node), places.start(node), "-")
        if isinstance(asked, ast.expr) and not isinstance(asked, ast.UnaryOp | ast.Constant):
            start = places.start(asked)
            yield Change(start, start, "not ")


def one_more(text: str, tree: ast.Module) -> Iterator[Change]:
    """`n + 1` or `n - 1` for `n` as an argument or a border."""
    places = Places(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            asked: list[ast.expr | None] = [*node.args]
        elif isinstance(node, ast.Slice):
            asked = [node.lower, node.upper]
        else:
            continue
        for value in asked:
            if isinstance(value, ast.Name | ast.Attribute | ast.Call):
                end = places.end(value)
                yield from (Change(end, end, more) for more in (" + 1", " - 1"))


def _in_functions(mistake: Callable[[str, ast.FunctionDef | ast.AsyncFunctionDef], list[Change]]) -> "Kind":
    """The changes of a kind of mistake that undoes itself."""

    def kind(text: str, tree: ast.Module) -> Iterator[Change]:
        for function in functions_of(tree):
            yield from mistake(text, function)

    return kind


Kind = Callable[[str, ast.Module], Iterator[Change]]
KINDS: tuple[Kind, ...] = (
    known_name, returned, other_operator, _in_functions(off_by_one), negated, opposite,
    _in_functions(swapped_arguments), one_more, _in_functions(wrong_variable),
)  # fmt: skip
