"""Code to complete and mistakes to repair, from the modules of Python itself."""

import ast
import random
import shutil
from itertools import islice

import pytest

from windlass.errors import DataError
from windlass.sources import mistakes, standard_library
from windlass.sources.contract import Names, Source
from windlass.sources.places import find
from windlass.spec import parse
from windlass.stages.collect import collect, key_of
from windlass.store.store import Store

MODULE = '''
def mean(numbers, least=2):
    """The mean.

    >>> mean([1, 2])
    """
    if len(numbers) < least:
        raise ValueError("too few")
    total = sum(numbers)
    return total / len(numbers)


class Box:
    @property
    def larger(self):
        return Box(self.width + 1, self.height + 1, self.depth)

    def only_words(self):
        """Nothing but words, however many of them there are in this line of words."""

    def sign(self):
        return "日本語 and what else makes it long enough to be looked at"


def short():
    return 1
'''


def library(folder, text=MODULE):
    (folder / "module.py").write_text(text, encoding="utf-8")
    return folder


def source(folder, read):
    return Source(folder, "", read)


def test_functions_stand_alone_without_docstring_indent_or_decorator(tmp_path):
    found = {item.node.name: item.text for item in standard_library.functions(library(tmp_path))}
    assert set(found) == {"mean", "larger"}
    assert found["mean"].startswith("def mean(numbers, least=2):\n    if len(numbers)")
    assert found["larger"] == "def larger(self):\n    return Box(self.width + 1, self.height + 1, self.depth)"


def test_tests_tables_and_files_that_are_no_python_are_left_out(tmp_path):
    library(tmp_path)
    for folder in ("test", "idlelib", "site-packages"):
        (tmp_path / folder).mkdir()
        shutil.copy(tmp_path / "module.py", tmp_path / folder / "more.py")
    (tmp_path / "broken.py").write_text("def f(:\n")
    (tmp_path / "latin.py").write_bytes("x = 'é'\n".encode("latin-1"))
    (tmp_path / "large.py").write_text(MODULE.replace("mean", "huge") + "#" * standard_library.MAX_FILE_BYTES)
    assert {item.place.split(":")[0] for item in standard_library.functions(tmp_path)} == {"module.py"}


def test_a_function_that_occurs_twice_is_taken_once(tmp_path):
    library(tmp_path)
    shutil.copy(tmp_path / "module.py", tmp_path / "same.py")
    assert len(list(standard_library.functions(tmp_path))) == 2


def test_each_repair_has_one_mistake_and_both_sides_are_python(tmp_path):
    rows = [row.values for row in source(library(tmp_path), standard_library.read_repair).rows()]
    assert len(rows) == 2
    for row in rows:
        ast.parse(row["broken"])
        ast.parse(row["fixed"])
        assert row["broken"] != row["fixed"]
        assert row["mistake"] in mistakes.MISTAKES


def test_before_and_after_belong_together(tmp_path):
    texts = [item.text for item in standard_library.functions(library(tmp_path))]
    rows = [row.values for row in source(tmp_path, standard_library.read_completion).rows()]
    assert len(rows) == 2
    for row in rows:
        assert any(text.startswith(row["before"]) for text in texts)
        rest = next(text[len(row["before"]) :] for text in texts if text.startswith(row["before"]))
        assert rest.lstrip().startswith(row["after"])


def test_long_functions_are_cut_in_front_at_a_line(tmp_path):
    lines = "".join(f"    value_{number} = compute({number}, other)\n" for number in range(60))
    library(tmp_path, f"def long(other):\n{lines}")
    for seed in range(20):
        (function,) = standard_library.functions(tmp_path)
        before, after = standard_library._gap(function, random.Random(seed))
        assert len(before) <= standard_library.MOST_BEFORE
        assert len(after) <= standard_library.MOST_AFTER
        assert before.startswith(("def long", "    value_"))


FUNCTION = "def f(values, limit):\n    total = 0\n    for value in values:\n        if value < limit:\n" \
           "            total += min(value, limit)\n    return total"  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "broken"),
    [
        ("wrong operator", "if value <= limit:"),
        ("wrong operator", "total -= min"),
        ("swapped arguments", "min(limit, value)"),
        ("missing return", "\n    total"),
        ("off by one", "total = 1"),
        ("wrong variable", "if limit < limit:"),
        ("deleted line", "def f(values, limit):\n    for value"),
        ("misspelt name", "in vlaues:"),
    ],
)
def test_each_kind_of_mistake_changes_what_it_says(kind, broken):
    changes = mistakes.MISTAKES[kind](FUNCTION, ast.parse(FUNCTION).body[0])
    texts = [mistakes.changed(FUNCTION, change) for change in changes]
    if kind == "missing return":
        assert texts == [FUNCTION.replace("return ", "")]
    elif kind == "misspelt name":
        assert any(text.count("values") == 1 for text in texts)
    else:
        assert any(broken in text for text in texts)
    for text in texts:
        assert text != FUNCTION
        ast.parse(text)


def test_no_mistake_is_made_where_none_fits():
    node = ast.parse("def f(a):\n    pass").body[0]
    assert all(make("def f(a):\n    pass", node) == [] for make in mistakes.MISTAKES.values())


def test_the_rows_are_the_same_every_time():
    first, second = (
        [row.values for row in islice(standard_library.source("stdlib:repair", "", Names()).rows(), 60)]
        for _ in range(2)
    )
    assert first == second
    assert len({row["fixed"] for row in first}) == 60
    assert len({row["mistake"] for row in first}) >= 5
    assert all(len(row["broken"]) <= 600 and len(row["fixed"]) <= 600 for row in first)


def test_data_may_name_a_task_of_the_library_for_one_split_or_for_all(tmp_path):
    (whole,) = find("stdlib:completion", tmp_path, Names(), tmp_path)
    assert set(next(whole.rows()).values) >= {"before", "after"}
    (train,) = find({"train": "stdlib:repair"}, tmp_path, Names(), tmp_path)
    assert train.split == "train"


def test_another_task_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(DataError, match=r"expected one of 'stdlib:completion', 'stdlib:repair'\n.*'stdlib:repair'"):
        find("stdlib:repiar", tmp_path, Names(), tmp_path)


def test_a_library_without_files_is_refused_in_words(tmp_path):
    with pytest.raises(DataError, match="holds no Python files"):
        list(standard_library.functions(tmp_path))


def test_collect_reads_it_and_knows_it_by_the_version_of_python(tmp_path, monkeypatch):
    (tmp_path / "lib").mkdir()
    library(tmp_path / "lib")
    monkeypatch.setattr(standard_library.sysconfig, "get_path", lambda name: str(tmp_path / "lib"))
    spec = parse("name: helper\ndata: stdlib:repair\ninputs: {broken: text}\noutput: {fixed: text}\n")
    store = Store(tmp_path)
    record = collect(spec, store)
    assert (record.rows_in, record.accepted) == (2, 2)
    assert key_of(spec, store) == record.key
    (tmp_path / "lib" / "more.py").write_text("x = 1\n")
    assert key_of(spec, store) == record.key
    monkeypatch.setattr(standard_library.sys, "version", "4.0")
    assert key_of(spec, store) != record.key
