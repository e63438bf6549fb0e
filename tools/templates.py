"""Every template of a sentence that a person reads, as the source has it: what the catalogue needs a twin of.

A template is English text with `{}` where a value stands. Strings that make one text (`f"{a} is " + f"{b}"`) are one
template; `{'s' * (n > 1)}` and the like are `{~}`, which a Chinese sentence does without; any other choice between two
texts is two templates. Of HTML, what stands between the tags of blocks is one, its inner tags (`<b>`) among it.
"""

import ast
import html
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src" / "windlass"
CHINESE = re.compile("[\u3400-\u9fff\u3000-\u303f\uff00-\uffef]")
SENTENCE = re.compile(
    r"[A-Za-z][\w'’-]*[,;:.)?!]*(?: |\{~\}| \{\} )+[(`'“]?[A-Za-z][\w'’-]*|[A-Za-z]{2}.*\{\}.*[a-z]{3}"
    r"|(?:^|[ (])[A-Za-z][a-z]{2,}[ :,;]+['`(]?\{\}|\{\}['`)]?[:,;]? [A-Za-z][a-z]{2,}(?:$|[ :,.);])"
)
"""Words beside each other: what is less is a name, unless it stands where only texts for people do."""
TAG = re.compile(r"</?[a-z][a-z0-9]*\b[^<>]*/?>|<!doctype[^>]*>", re.IGNORECASE)
INLINE = re.compile(r"</?(?:b|i|em|strong|code|small|br|bdi|a)\b", re.IGNORECASE)
MACHINE = re.compile(
    "|".join(
        (
            r"^\s*(?i:select .* from|insert into|delete from|create (?:table|index|unique)|drop table|alter table)",
            r"^\s*(?i:pragma \w+|begin(?: immediate)?$)|^\s*(?:UPDATE|WITH|FROM|WHERE|AND|ORDER|GROUP)\b",
            r"(?i:\bfrom \w+ where\b|\bwhere \w+ (?:=|<|is (?:not )?null\b|in \()|primary key|order by \w+)",
            r"update \w+ set|on conflict",
            r"^/\w|^windlass [\w -]+$|^https?:|^[A-Z]\w+\[|^[a-z]+:\{\}|default-src",
            r"\{\{ [a-z-]+:|;\s*(?:color|fill|margin|padding|display|font)|\{\{[^}]*:[^}]*;|^\s*[.#]\w+ \{",
            r"\\[wsdbSW]|\(\?[:P=!<]",
        )
    )
)
"""SQL, paths, addresses, types, style sheets, patterns."""
SILENT_CALLS = re.compile(
    r"^(?:logger|logging|log)\.|^re\.|^(?:TypeVar|Literal|cast|getattr|hasattr|import_module|later)$|\.execute|\.encode$"
)
SILENT_ERRORS = frozenset(
    {"RuntimeError", "TypeError", "KeyError", "AssertionError", "AttributeError", "NotImplementedError"}
)
UNREAD = (
    "blueprints/",
    "brand.py",
    "learners/reading/",
    "predictors/reading/",
    "outputs/cited/injection.py",
    "testing/toys.py",
    "trends/sentences.py",
    "pages/text/card_words.py",
    "pages/html/style.py",
    "language/",
    "pages/text/doubling.py",
    "pages/text/topics.py",
    "predictors/passages/answerer.py",
    "predictors/passages/features.py",
    "predictors/passages/followups.py",
    "predictors/passages/questions.py",
    "learners/passages/",
    "testing/",
    "sandbox/syscalls",
    "serving/contract/openapi",
    "metrics/",
)
"""Files of words for models, tables that hold both languages, and style."""
MOST_FORMS = 16


def templates(folder: Path = SOURCE) -> dict[str, list[str]]:
    """Template -> the files that have it, in the order of the files."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*.py")):
        place = path.relative_to(folder).as_posix()
        if not place.startswith(UNREAD):
            for each in of_source(path.read_text(encoding="utf-8")):
                if place not in found.setdefault(each, []):
                    found[each].append(place)
    return found


def of_source(text: str) -> Iterator[str]:
    """The templates of a file."""
    yield from (each for each in _below(ast.parse(text)) if each)


def _below(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, ast.Call) and _is_silent(node):
        return
    if isinstance(node, ast.Tuple | ast.List | ast.Dict) and _has_chinese(node):
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.Constant | ast.JoinedStr):
                yield from _below(child)
        return
    if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp | ast.IfExp) and (forms := _forms(node)):
        for form in forms:
            yield from _read(form)
        yield from _inside(node)
        return
    if isinstance(node, ast.FunctionDef) and _is_command(node):
        yield " ".join((ast.get_docstring(node) or "").split())
    for name, value in ast.iter_fields(node):
        if name == "returns" or (name == "keys" and isinstance(node, ast.Dict)):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _below(child)


def _inside(node: ast.AST) -> Iterator[str]:
    """Texts in the values of a text: `f"{', '.join(f'{a} of {b}' for ...)}"`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Constant):
            continue
        if isinstance(child, ast.JoinedStr | ast.BinOp | ast.IfExp | ast.FormattedValue):
            inner = child.value if isinstance(child, ast.FormattedValue) else child
            if isinstance(inner, ast.Constant | ast.JoinedStr | ast.BinOp | ast.IfExp) and _forms(inner):
                yield from _inside(inner)
            else:
                yield from _below(inner)
        else:
            yield from _below(child)


def _is_command(node: ast.FunctionDef) -> bool:
    """True below `@app.command(...)`: its docstring is its help."""
    calls = [each.func for each in node.decorator_list if isinstance(each, ast.Call)]
    return any(isinstance(call, ast.Attribute) and call.attr == "command" for call in calls)


def _is_silent(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    return bool(SILENT_CALLS.search(name)) or name in SILENT_ERRORS


def _has_chinese(node: ast.Tuple | ast.List | ast.Dict) -> bool:
    texts = node.values if isinstance(node, ast.Dict) else node.elts
    return any(isinstance(each, ast.Constant | ast.JoinedStr) and CHINESE.search(ast.unparse(each)) for each in texts)


def _forms(node: ast.AST) -> list[str]:
    """The texts that an expression can be; none where it is no text that stands in the source."""
    if isinstance(node, ast.Constant):
        return [node.value.replace("{", "{{").replace("}", "}}")] if isinstance(node.value, str) else []
    if isinstance(node, ast.JoinedStr):
        return _joined([_forms(each) if isinstance(each, ast.Constant) else _value(each) for each in node.values])
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = [_forms(node.left), _forms(node.right)]
        return _joined([side or ["{}"] for side in sides]) if any(sides) else []
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return _suffix([*_forms(node.left), ""]) if _forms(node.left) else []
    if isinstance(node, ast.IfExp):
        sides = [_forms(node.body), _forms(node.orelse)]
        return _suffix([*(sides[0] or ["{}"]), *(sides[1] or ["{}"])]) if any(sides) else []
    return []


def _value(node: ast.AST) -> list[str]:
    inner = node.value if isinstance(node, ast.FormattedValue) else node
    return _forms(inner) or ["{}"]


def _suffix(forms: list[str]) -> list[str]:
    """`s` or nothing is an ending that only English needs."""
    return ["{~}"] if all((len(form) <= 3 and form.isalpha()) or not form for form in forms) and any(forms) else forms


def _joined(parts: list[list[str]]) -> list[str]:
    size = 1
    for part in parts:
        size *= len(part)
    if size > MOST_FORMS:
        parts = [part if len(part) == 1 else ["{}"] for part in parts]
    return ["".join(each) for each in product(*parts)]


def _read(form: str) -> Iterator[str]:
    """What a person reads of a text: itself, its pieces where it is HTML, nothing where it is for machines."""
    if MACHINE.search(form) or (CHINESE.search(form) and not SENTENCE.search(form)):
        return
    if TAG.search(form):
        yield from html_pieces(form)
        return
    for line in form.split("\n"):
        if SENTENCE.search(line.strip()):
            yield line.strip()


def html_pieces(form: str) -> Iterator[str]:
    """What stands between the tags of blocks, whole where only inner tags stand in it."""
    at, piece = 0, ""
    for tag in [*TAG.finditer(form), None]:
        piece += form[at : tag.start() if tag else len(form)]
        if tag and INLINE.match(tag[0]):
            piece += tag[0]
        else:
            text = html.unescape(piece.strip())
            if re.search("[A-Za-z]{2}", re.sub(r"\{[^}]*\}", "", TAG.sub("", text))) and not MACHINE.search(text):
                yield text
            piece = ""
        at = tag.end() if tag else at
