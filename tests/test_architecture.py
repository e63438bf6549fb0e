"""The rules of the house (docs: architecture), and for each rule a small bad example that it must flag."""

import ast
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

import windlass
from windlass.kinds.table import KINDS

ROOT = Path(windlass.__file__).parent
ROOMS = (
    "errors",
    "language",
    "frames retry",
    "client",
    "metrics",
    "sandbox",
    "durations strict_yaml",
    "item_shape",
    "goals look",
    "records spec",
    "brand",
    "pages",
    "kinds",
    "store",
    "database",
    "blueprints",
    "sources",
    "remote",
    "predictors",
    "registry",
    "explain",
    "outputs",
    "learners",
    "compress",
    "evaluation",
    "serving",
    "shipping",
    "watching",
    "improving",
    "planning",
    "testing",
    "stages",
    "lifecycle",
    "forgetting",
    "project",
    "sklearn repair trends",
    "commands",
    "cli",
    "__main__",
    "__init__",
)
"""Lowest first. An import points to a lower line; rooms on one line do not import each other."""
RANK = {room: rank for rank, line in enumerate(ROOMS) for room in line.split()}
HEAVY = frozenset({"torch", "transformers", "accelerate", "peft", "trl", "sentence_transformers"})
UNSAFE = frozenset({"pickle", "cPickle", "joblib", "dill", "cloudpickle", "shelve", "marshal"})
UNSAFE_CALLS = frozenset(
    {
        "torch.load",
        "torch.save",
        "eval",
        "exec",
        "os.system",
        "os.popen",
        "yaml.load",
        "yaml.unsafe_load",
        "yaml.full_load",
    }
)
UNSAFE_WORDS = frozenset({"trust_remote_code", "shell", "allow_pickle"})
VAGUE = frozenset({"utils", "util", "common", "helpers", "helper", "core", "misc", "base", "types", "constants"})
UNFINISHED = re.compile(r"\b(TODO|FIXME)\b")
BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.AsyncFor, ast.AsyncWith, ast.Match)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
MAX_LINES, MAX_CLASS, MAX_FUNCTION, MAX_NESTING, MAX_PARAMETERS, MAX_PUBLIC = 500, 200, 60, 3, 6, 12
MAX_OPTIONS = 12
"""Parameters of a command: each is an option that a person types by its name, and nobody else calls it."""


@dataclass(frozen=True)
class Import:
    """A module that is imported (`windlass.kinds.text`), and whether that waits until a function runs."""

    module: str
    line: int
    lazy: bool = False
    for_types: bool = False


@dataclass(frozen=True)
class Module:
    """A source file: its place below the package (`kinds/text.py`) and its text."""

    place: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def name(self) -> str:
        return ".".join(["windlass", *Path(self.place).with_suffix("").parts]).removesuffix(".__init__")

    @property
    def room(self) -> str:
        return Path(self.place).parts[0].removesuffix(".py")


@cache
def package() -> list[Module]:
    """Read and parsed once for all rules."""
    return [
        Module(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(ROOT.rglob("*.py"))
    ]


@cache
def imports(module: Module, known: frozenset[str]) -> list[Import]:
    """All imports of the file: at the top, for types alone, and inside functions; `import_module("...")` as well."""
    found: list[Import] = []

    def visit(node: ast.AST, lazy: bool, for_types: bool) -> None:
        if isinstance(node, ast.Import):
            found.extend(
                Import(alias.name, node.lineno, lazy, for_types)
                for alias in node.names
                if alias.name != "windlass" or not _only_version(module)
            )
        elif isinstance(node, ast.ImportFrom):
            found.extend(Import(name, node.lineno, lazy, for_types) for name in _named(node, known))
        elif isinstance(node, ast.Call) and _is_import(node):
            found.append(Import(ast.literal_eval(node.args[0]), node.lineno, True, for_types))
        lazy = lazy or isinstance(node, FUNCTIONS)
        for_types = for_types or (isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"))
        for child in ast.iter_child_nodes(node):
            visit(child, lazy, for_types)

    visit(module.tree, False, False)
    return found


def _is_import(call: ast.Call) -> bool:
    """True for `import_module("a.name")`; a name that is put together at run time is not seen."""
    is_named = bool(call.args) and isinstance(call.args[0], ast.Constant)
    return is_named and ast.unparse(call.func).split(".")[-1] in ("import_module", "__import__", "later")


def _only_version(module: Module) -> bool:
    """True when the file takes nothing but the version from the package's face."""
    return set(re.findall(r"\bwindlass\.(\w+)", ast.unparse(module.tree))) <= {"__version__", *_imported(module)}


def _imported(module: Module) -> set[str]:
    """What follows `windlass.` in `import windlass.x` and `from windlass.x import y`."""
    return {
        name.split(".")[1]
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names])
        if name.startswith("windlass.")
    }


def _named(node: ast.ImportFrom, known: frozenset[str]) -> list[str]:
    """`from windlass.kinds import text` names the module `windlass.kinds.text`; a version is no import."""
    assert node.module
    assert not node.level, "a relative import hides where it points"
    names = [f"{node.module}.{alias.name}" for alias in node.names]
    return [name if name in known else node.module for name in names if name != "windlass.__version__"]


def known(modules: list[Module]) -> frozenset[str]:
    return frozenset(module.name for module in modules)


def _room_of(name: str) -> str:
    return name.split(".")[1] if "." in name else "__init__"


def wrong_directions(modules: list[Module]) -> list[str]:
    findings, names = [], known(modules)
    for module in modules:
        for item in imports(module, names):
            if item.module.split(".")[0] != "windlass" or _may(module, item):
                continue
            findings.append(f"{module.place}:{item.line} imports {item.module}, which is not below it")
    return findings


def _may(module: Module, item: Import) -> bool:
    room = _room_of(item.module)
    if module.room == room:
        return room != "stages" or item.module == module.name
    if room not in RANK or module.room not in RANK:
        return False
    return RANK[room] < RANK[module.room]


KINDS_ASKED = frozenset({*KINDS, "tags", "boxes", "masks", "items", "audio", "forecast", "chat", "colour"})
ANSWERERS = re.compile(r"\b(Labeller|Writer|Estimator|LabelMarks|TextMarks|NumberMarks)\b")
MAY_ASK = {
    "learners/table.py": "a table of learners names what each reads and gives",
    "predictors/table.py": "who blends labels opens parts that give labels",
    "predictors/writer.py": "what writes piece by piece is found here, by everybody",
    "serving/ui/ask_fields.py": "a table of the page's fields, one a kind",
}
"""Outside of kinds/ and outputs/, at most five: who asks which kind it has before it, and why."""


def asks_for_kinds(modules: list[Module]) -> list[str]:
    """Comparisons with the name of a kind, collections of such names, and `isinstance` of what answers or its marks."""
    found = []
    for module in modules:
        if module.room in ("kinds", "outputs"):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Compare | ast.Set | ast.List | ast.Tuple | ast.Call) and _asks(node):
                found.append(f"{module.place}:{node.lineno} {ast.unparse(node)[:60]}")
    return found


def _asks(node: ast.expr) -> bool:
    if isinstance(node, ast.Compare):
        is_kind = any(re.search(r"kinds?\b|inputs\.values\(\)|output\[", ast.unparse(each)) for each in _sides(node))
        return is_kind and any(_is_kind(each) for each in _sides(node))
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) == "isinstance" and bool(ANSWERERS.search(ast.unparse(node.args[1])))
    elements = node.elts if isinstance(node, ast.Set | ast.List | ast.Tuple) else []
    return len(elements) > 1 and all(_is_kind(each) for each in elements)


def _sides(node: ast.Compare) -> list[ast.expr]:
    return [node.left, *node.comparators]


def _is_kind(node: ast.expr) -> bool:
    if isinstance(node, ast.Tuple | ast.Set | ast.List):
        return bool(node.elts) and any(_is_kind(each) for each in node.elts)
    return isinstance(node, ast.Constant) and node.value in KINDS_ASKED


def circles(modules: list[Module]) -> list[str]:
    """Modules that reach themselves by imports at module level, those for types among them."""
    names = known(modules)
    graph = {
        module.name: {item.module for item in imports(module, names) if not item.lazy} - {module.name}
        for module in modules
        if module.name != "windlass"
    }

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            new = graph.get(waiting.pop(), set()) - seen
            seen |= new
            waiting += new
        return seen

    return sorted(name for name in graph if name in reached(name))


GENERATING = frozenset({"predictors/language/decoding.py", "predictors/language/grammar.py"})
"""The predictor of language models, which alone may load torch, and only when a model is opened."""


def heavy_imports(modules: list[Module]) -> list[str]:
    names = known(modules)
    return [
        f"{module.place}:{item.line} imports {item.module}"
        for module in modules
        if module.room != "learners"
        for item in imports(module, names)
        if item.module.split(".")[0] in HEAVY and not (module.place in GENERATING and (item.lazy or item.for_types))
    ]


def unsafe(modules: list[Module]) -> list[str]:
    findings, names = [], known(modules)
    for module in modules:
        findings += [
            f"{module.place}:{item.line} imports {item.module}"
            for item in imports(module, names)
            if item.module.split(".")[0] in UNSAFE
        ]
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and _is_unsafe(node):
                findings.append(f"{module.place}:{node.lineno} calls {ast.unparse(node)[:60]}")
    return findings


def _is_unsafe(call: ast.Call) -> bool:
    on = {word.arg for word in call.keywords if not (isinstance(word.value, ast.Constant) and not word.value.value)}
    return ast.unparse(call.func) in UNSAFE_CALLS or bool(on & UNSAFE_WORDS)


def functions(module: Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(module.tree) if isinstance(node, FUNCTIONS)]


def too_large(modules: list[Module]) -> list[str]:
    findings = []
    for module in modules:
        lines = module.text.count("\n")
        if lines > MAX_LINES:
            findings.append(f"{module.place}: {lines} lines, expected at most {MAX_LINES}")
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef) and _lines(node) > MAX_CLASS:
                findings.append(
                    f"{module.place}:{node.lineno} {node.name}: {_lines(node)} lines, expected at most {MAX_CLASS}"
                )
        for node in functions(module):
            for value, limit, word in (
                (_lines(node), MAX_FUNCTION, "lines"),
                (nesting(node), MAX_NESTING, "levels"),
                (_parameters(node), MAX_OPTIONS if _is_command(node, module) else MAX_PARAMETERS, "parameters"),
            ):
                if value > limit:
                    findings.append(
                        f"{module.place}:{node.lineno} {node.name}: {value} {word}, expected at most {limit}"
                    )
    return findings


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    names = [name.arg for name in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def _is_command(node: ast.FunctionDef | ast.AsyncFunctionDef, module: Module) -> bool:
    """True below `@app.command(...)` of the command line."""
    calls = [each.func for each in node.decorator_list if isinstance(each, ast.Call)]
    is_decorated = any(isinstance(call, ast.Attribute) and call.attr == "command" for call in calls)
    return module.room in ("cli", "commands") and is_decorated


def nesting(node: ast.AST, level: int = 0) -> int:
    """Deepest nesting of blocks; an `elif` is no deeper than its `if`, an inner function counts by itself."""
    deepest = level
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, FUNCTIONS):
                continue
            is_elif = field == "orelse" and isinstance(node, ast.If) and isinstance(child, ast.If) and len(value) == 1
            deepest = max(deepest, nesting(child, level + (isinstance(child, BLOCKS) and not is_elif)))
    return deepest


def vague_names(modules: list[Module]) -> list[str]:
    return [module.place for module in modules if VAGUE & set(Path(module.place).with_suffix("").parts)]


def unfinished(modules: list[Module]) -> list[str]:
    return [
        f"{module.place}:{number}: {line.strip()}"
        for module in modules
        for number, line in enumerate(module.text.splitlines(), 1)
        if UNFINISHED.search(line)
    ]


def unknown_rooms(modules: list[Module]) -> list[str]:
    return sorted({module.room for module in modules} - set(RANK))


def code(text: str, place: str = "kinds/made_up.py") -> Module:
    return Module(place, text)


STORE = code("", "store/store.py")
PAGES = code("", "pages/html/report.py")
BAD = [
    (wrong_directions, [code("from windlass.learners import table\n"), code("", "learners/table.py")]),
    (wrong_directions, [code("from windlass.store.store import Store\n"), STORE]),
    (wrong_directions, [code("import windlass.store.store\n"), STORE]),
    (wrong_directions, [code("def f():\n    from windlass.store.store import Store\n"), STORE]),
    (
        wrong_directions,
        [
            code("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from windlass.store.store import Store\n"),
            STORE,
        ],
    ),
    (wrong_directions, [code("import_module('windlass.store.store')\n"), STORE]),
    (wrong_directions, [code("from windlass import Project\n")]),
    (wrong_directions, [code("import windlass\nwindlass.Project()\n")]),
    (
        wrong_directions,
        [code("from windlass.stages.train import x\n", "stages/evaluate.py"), code("", "stages/train.py")],
    ),
    (
        wrong_directions,
        [code("def f():\n    from windlass.stages import train\n", "stages/evaluate.py"), code("", "stages/train.py")],
    ),
    (wrong_directions, [code("from windlass.spec import Spec\n", "records.py"), code("", "spec.py")]),
    (wrong_directions, [code("def f():\n    from windlass.pages.html import report\n", "records.py"), PAGES]),
    (
        wrong_directions,
        [
            code("from windlass.testing.checks import toys\n", "predictors/networks/onnx.py"),
            code("", "testing/checks.py"),
        ],
    ),
    (wrong_directions, [code("from windlass.stages import train\n", "testing/checks.py"), code("", "stages/train.py")]),
    (
        circles,
        [code("from windlass.kinds import b\n", "kinds/a.py"), code("from windlass.kinds import a\n", "kinds/b.py")],
    ),
    (
        circles,
        [
            code("from windlass.kinds.b import x\n", "kinds/a.py"),
            code("import windlass.kinds.c\n", "kinds/b.py"),
            code("if TYPE_CHECKING:\n    from windlass.kinds.a import y\n", "kinds/c.py"),
        ],
    ),
    (asks_for_kinds, [code('if column.kind == "text":\n    pass\n', "serving/api/app.py")]),
    (asks_for_kinds, [code('if "image" in splits.inputs.values():\n    pass\n', "learners/networks/cnn.py")]),
    (asks_for_kinds, [code('found = spec.output[name] not in ("text", "tags")\n', "planning/plan.py")]),
    (asks_for_kinds, [code('RICH = frozenset({"text", "image"})\n', "sources/guess.py")]),
    (asks_for_kinds, [code("assert isinstance(predictor, Labeller)\n", "improving/cycle.py")]),
    (heavy_imports, [code("import torch\n")]),
    (heavy_imports, [code("def f():\n    from transformers import AutoModel\n", "serving/api/app.py")]),
    (unsafe, [code("import pickle\n")]),
    (unsafe, [code("def f():\n    from joblib import load\n", "learners/classic/linear.py")]),
    (unsafe, [code("torch.load(path)\n", "learners/networks/cnn.py")]),
    (unsafe, [code("torch.save(model, path)\n", "learners/networks/cnn.py")]),
    (unsafe, [code("eval('1')\n")]),
    (unsafe, [code("exec('x = 1')\n")]),
    (unsafe, [code("AutoModel.from_pretrained(name, trust_remote_code=True)\n", "learners/networks/pretrained.py")]),
    (unsafe, [code("AutoModel.from_pretrained(name, trust_remote_code=chosen)\n", "learners/networks/pretrained.py")]),
    (unsafe, [code("subprocess.run(command, shell=True)\n")]),
    (unsafe, [code("np.load(path, allow_pickle=True)\n")]),
    (unsafe, [code("yaml.load(text)\n")]),
    (too_large, [code("x = 1\n" * 501)]),
    (too_large, [code("class A:\n" + "    x = 1\n" * 200)]),
    (too_large, [code("class A:\n" + "    def f(self):\n        return 1\n" * 100)]),
    (too_large, [code("def f():\n" + "    x = 1\n" * 60)]),
    (too_large, [code("def f():\n if a:\n  for b in c:\n   while d:\n    with e:\n     pass\n")]),
    (too_large, [code("class A:\n    def f(self, a, b, c, /, d, e, *, f, g=1): ...\n")]),
    (too_large, [code("@app.command()\ndef f(a, b, c, d, e, f, g): ...\n")]),
    (too_large, [code("@app.command()\ndef f(a, b, c, d, e, f, g, h, i, j, k, l, m): ...\n", "cli.py")]),
    (vague_names, [code("", "utils.py")]),
    (vague_names, [code("", "common/text.py")]),
    (unfinished, [code("x = 1  # TO" + "DO later\n")]),
    (unknown_rooms, [code("", "attic/old.py")]),
]
GOOD = [
    (wrong_directions, [code("from windlass.kinds.contract import Kind\n"), code("", "kinds/contract.py")]),
    (
        wrong_directions,
        [code("from windlass.metrics.measures import Estimate\n", "records.py"), code("", "metrics/measures.py")],
    ),
    (wrong_directions, [code("from windlass import __version__\n", "store/files.py")]),
    (wrong_directions, [code("import windlass\nprint(windlass.__version__)\n", "store/files.py")]),
    (wrong_directions, [code("import numpy as np\nimport torch\n", "learners/networks/cnn.py")]),
    (
        circles,
        [
            code("def f():\n    import windlass.kinds.b\n", "kinds/a.py"),
            code("from windlass.kinds import a\n", "kinds/b.py"),
        ],
    ),
    (heavy_imports, [code("import torch\n", "learners/networks/cnn.py")]),
    (unsafe, [code('"""No pickle, no joblib, no torch.load, anywhere."""\nmodel.eval()\nre.compile("exec(")\n')]),
    (unsafe, [code("np.load(path, allow_pickle=False)\nrun(command, shell=False)\n")]),
    (
        too_large,
        [
            code(
                "def f(self, a, b, c, d, e, f):\n    if a:\n        x\n    elif b:\n        y\n    elif c:\n        z\n"
            )
        ],
    ),
    (too_large, [code("x = 1\n" * 500)]),
    (too_large, [code("class A:\n" + "    x = 1\n" * 199)]),
    (too_large, [code("@app.command()\ndef f(a, b, c, d, e, f, g, h, i, j, k, l): ...\n", "cli.py")]),
]


def _name(value) -> str:
    return value.__name__ if callable(value) else ""


@pytest.mark.parametrize(("rule", "modules"), BAD, ids=_name)
def test_each_rule_flags_what_it_forbids(rule, modules):
    """A rule that flags nothing would hold for any code."""
    assert rule(modules)


@pytest.mark.parametrize(("rule", "modules"), GOOD, ids=_name)
def test_no_rule_flags_what_it_allows(rule, modules):
    """A rule that flags good code would be switched off before long."""
    assert not rule(modules)


@pytest.mark.parametrize(
    "rule",
    [wrong_directions, circles, heavy_imports, unsafe, too_large, vague_names, unfinished, unknown_rooms],
    ids=_name,
)
def test_the_package_keeps_the_rule(rule):
    """Every file of the package, as it is now."""
    assert rule(package()) == []


def test_nobody_outside_asks_which_kind_there_is():
    """Who may is listed with the reason; a reason that is needed no more goes."""
    found = {place.partition(":")[0] for place in asks_for_kinds(package())}
    assert found - set(MAY_ASK) == set(), asks_for_kinds(package())
    assert set(MAY_ASK) - found == set()
    assert len(MAY_ASK) <= 5


MACHINE = re.compile(r"(?<![\w.{}])/(work|root|home|Users)/\w")
"""The beginning of a path that only one machine has."""
CHECKOUT = Path(__file__).resolve().parents[1]


def machine_paths(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if MACHINE.search(line)]


def test_no_file_names_a_path_of_one_machine():
    """Data sets and cases are found beside the project, or named on the command line."""
    found = {}
    for folder in ("src", "tests", "tools", "benchmarks", "docs"):
        for path in (CHECKOUT / folder).rglob("*"):
            is_text = path.suffix in {".py", ".md", ".json", ".yaml", ".yml", ".toml", ".sh", ".txt"}
            if is_text and (lines := machine_paths(path.read_text(encoding="utf-8", errors="replace"))):
                found[str(path.relative_to(CHECKOUT))] = lines
    assert found == {}


@pytest.mark.parametrize("place", ["work/data", "root/x.py", "home/anna/rows.csv"])
def test_a_path_of_one_machine_is_seen(place):
    """The control."""
    assert machine_paths(f'DATA = Path("/{place}")')
    assert not machine_paths(f"https://example.org/{place}, ../{place}")


def test_the_package_is_found():
    """The rules above hold for an empty list too."""
    assert {"kinds/text.py", "store/files.py", "learners/table.py"} <= {module.place for module in package()}


def _imported_by(statement: str) -> set[str]:
    """The modules that Python holds after the statement, in a process of its own."""
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return set(result.stdout.split())


SLOW = frozenset(
    {"torch", "transformers", "fastapi", "polars", "sklearn", "lightgbm", "onnxruntime", "pydantic", "httpx"}
)


def test_importing_windlass_loads_nothing_slow():
    """`--help` must answer at once."""
    assert not _imported_by("import windlass") & SLOW


def test_the_import_check_sees_what_is_loaded():
    """Control: a statement that does load one of them."""
    assert "polars" in _imported_by("import polars") & SLOW


def test_answering_loads_no_torch():
    """What serves a model must not need what trained it."""
    loaded = _imported_by("import windlass.predictors.table, windlass.registry.releases, windlass.learners.table")
    assert not loaded & HEAVY


def test_the_public_face_is_small_and_real():
    """At most twelve names, each with its own line in the table of homes."""
    assert len(windlass.__all__) <= MAX_PUBLIC
    assert set(windlass.__all__) - {"__version__"} == set(windlass._HOME)
    for name in windlass.__all__:
        assert getattr(windlass, name) is not None


def test_an_unknown_public_name_is_an_attribute_error():
    """`hasattr` and editors rely on it."""
    with pytest.raises(AttributeError, match="no attribute 'Projct'"):
        windlass.Projct  # noqa: B018
