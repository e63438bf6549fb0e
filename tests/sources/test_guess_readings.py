"""`windlass init` tells series, tags, numbers and faults apart, and asks where two readings are close."""

import datetime
import json
import math
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from windlass.blueprints import catalogue
from windlass.cli import app
from windlass.errors import DataError, SpecError
from windlass.sources.guess import guess, write_guess
from windlass.sources.guessing.documents import is_documents
from windlass.spec import load
from windlass.store.files import write_text

START = datetime.datetime(2026, 1, 1)


def table(path, names, rows):
    path.write_text("\n".join([",".join(names), *(",".join(map(str, row)) for row in rows)]) + "\n", encoding="utf-8")
    return path


def readings(label, n_points=240, machines="ab"):
    """Heat and load of machines; label(point) -> the last column."""
    return [
        (START + datetime.timedelta(hours=2 * point), name, round(20 + 5 * math.sin(point), 2), point % 7, label(point))
        for name in machines
        for point in range(n_points)
    ]  # fmt: skip


NAMES = ("time", "machine", "heat", "load", "cause")


def broken(point):
    """The twelve hours before each repair."""
    return "bearing" if point % 100 > 94 else "motor" if 60 < point % 100 < 65 else "none"


@pytest.mark.parametrize("name", ["machine-health", "demand-forecast", "ticket-tags", "price-estimate"])
def test_the_data_of_a_blueprint_are_guessed_as_its_file_has_them(tmp_path, name):
    """A part of the rows is enough. A unit is not to be seen in the data; names of series are of our own."""
    wanted = load(catalogue.HOME / name)
    data = catalogue.HOME / name / "data"
    if data.joinpath("train.csv").exists():
        shutil.copytree(data, tmp_path / "data")
        found = guess(tmp_path / "data", tmp_path)
    else:
        source = next(path for path in data.glob("*.csv") if path.name != "faults.csv")
        lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
        (tmp_path / source.name).write_text(
            "".join(lines[: 2900 if name == "machine-health" else 1900]), encoding="utf-8"
        )
        for pictures in (path for path in data.iterdir() if path.is_dir()):
            shutil.copytree(pictures, tmp_path / pictures.name)
        found = guess(tmp_path / source.name, tmp_path)
    assert {found.output: found.output_kind} == wanted.output
    plain = {each: kind for each, kind in wanted.inputs.items() if kind != "series"}
    assert plain.items() <= found.inputs.items()
    assert sorted(found.inputs.values()).count("series") == list(wanted.inputs.values()).count("series")
    assert found.group == wanted.group
    if wanted.series is not None:
        for each in ("time", "known", "past", "horizon", "stride", "rest", "censored"):
            assert found.series.get(each) == (getattr(wanted.series, each) or None)


@pytest.mark.parametrize(
    ("names", "label", "kind"),
    [
        (NAMES, broken, "anomaly"),
        (("时间", "设备", "温度", "负载", "状态"), lambda point: "故障" if point % 100 > 94 else "正常", "anomaly"),
        (("time", "machine", "heat", "load", "fault"), lambda point: "motor" if point % 100 > 94 else "", "anomaly"),
        (("time", "machine", "heat", "load", "is_anomaly"), lambda point: int(point % 50 == 9), "anomaly"),
        (("time", "machine", "heat", "load", "activity"), lambda point: "ab"[point // 40 % 2], "category"),
        ((*NAMES[:4], "quality"), lambda point: point * 1.37 if point % 24 > 22 else "", "number"),
    ],
)  # fmt: skip
def test_what_is_told_from_windows_of_sensors(tmp_path, names, label, kind):
    found, _ = write_guess(table(tmp_path / "a.csv", names, readings(label)), tmp_path)
    assert (found.output, found.output_kind, found.group) == (names[4], kind, names[1])
    assert found.inputs == {"readings": "series", names[1]: "category"}
    assert (found.series["past"], found.series["known"]) == ([names[2]], [names[3]])
    assert load(tmp_path).series.window == found.series["window"]


def test_a_window_reaches_from_one_answer_to_the_next(tmp_path):
    data = table(
        tmp_path / "a.csv", NAMES, readings(lambda point: ["good", "bad"][point % 96 > 50] if point % 24 == 23 else "")
    )
    found = guess(data, tmp_path, "cause", "windows")
    assert (found.output_kind, found.series["window"], found.series["stride"]) == ("category", 24, 1)


def test_series_with_one_answer_each_are_a_window_each(tmp_path):
    rows = [(START + datetime.timedelta(minutes=point), f"run{run:02}", round(math.sin(point * run), 3), "abc"[run % 3])
            for run in range(30) for point in range(40)]  # fmt: skip
    found = guess(table(tmp_path / "a.csv", ("time", "run", "force", "grade"), rows), tmp_path)
    assert (found.output_kind, found.series["window"], found.series["stride"]) == ("category", 40, 40)
    assert found.inputs == {"readings": "series"}


def test_labels_that_do_not_last_and_no_sensors_are_rows(tmp_path):
    random = np.random.default_rng(4)
    moods = random.choice(["dry", "wet"], 240)
    found = guess(
        table(tmp_path / "a.csv", (*NAMES[:4], "sky"), readings(lambda point: moods[point], machines="a")), tmp_path
    )
    assert (found.output_kind, found.series) == ("category", {})


def test_causes_are_asked_for_where_that_is_said(tmp_path):
    data = table(tmp_path / "a.csv", NAMES, readings(broken))
    found = guess(data, tmp_path)
    assert found.other.options == "--output 'cause' --as windows"
    assert any("nearly as likely" in reason and "which of 3 it is" in reason for reason in found.reasons)
    found = guess(data, tmp_path, "cause", "windows")
    assert (found.output_kind, found.other) == ("category", None)
    assert guess(data, tmp_path, "cause", "category").series == {}
    with pytest.raises(DataError, match="has no series"):
        guess(table(tmp_path / "b.csv", ("a", "b"), [(1, "x"), (2, "y")] * 20), tmp_path, "b", "anomaly")
    with pytest.raises(SpecError, match="--as is 'anomlay'"):
        guess(data, tmp_path, "cause", "anomlay")


def test_columns_of_one_and_nought_are_tags_beside_a_text_or_by_their_names(tmp_path):
    words = ["it came late again and broken", "please send my money back now"]
    rows = [
        (number, f"{words[number % 2]} {number}", number % 2, number % 3 // 2, int(number % 5 == 0))
        for number in range(90)
    ]
    found, _ = write_guess(table(tmp_path / "a.csv", ("id", "message", "late", "refund", "broken"), rows), tmp_path)
    assert (found.output, found.output_kind, found.inputs) == ("tags", "tags", {"message": "text"})
    assert load(tmp_path).labels.columns == ["late", "refund", "broken"]
    numbers = [(number, number * 1.7 % 31, number % 2, number % 3 // 2) for number in range(90)]
    named = guess(table(tmp_path / "b.csv", ("id", "size", "标签_物流", "标签_退款"), numbers), tmp_path)
    assert named.tag_columns == ["标签_物流", "标签_退款"]
    flags = guess(table(tmp_path / "c.csv", ("id", "size", "garage", "sold"), numbers), tmp_path)
    assert (flags.output, flags.output_kind) == ("sold", "category")
    assert guess(tmp_path / "c.csv", tmp_path, as_kind="tags").tag_columns == ["garage", "sold"]


@pytest.mark.parametrize(
    ("values", "kind", "other"),
    [
        ([0.5, 1, 1.5, 2, 2.5, 3], "number", "category"),
        ([1, 2, 3, 4, 5, 6], "category", "number"),
        ([0, 1], "category", ""),
    ],
)
def test_steps_of_a_scale_can_be_labels_too(tmp_path, values, kind, other):
    rows = [(number * 1.3 % 17, values[number % len(values)]) for number in range(120)]
    found = guess(table(tmp_path / "a.csv", ("x", "stars"), rows), tmp_path)
    assert (found.output_kind, found.other.kind if found.other else "") == (kind, other)


def test_rows_of_a_person_stay_together(tmp_path):
    rows = [(number % 30, number * 1.3 % 17, "ab"[number % 2]) for number in range(300)]
    found, _ = write_guess(table(tmp_path / "a.csv", ("student_id", "x", "grade"), rows), tmp_path)
    assert (load(tmp_path).group, found.left_out) == ("student_id", {})


def test_programs_are_told_the_other_reading_and_nobody_is_asked(tmp_path):
    table(tmp_path / "a.csv", NAMES, readings(broken))
    said = CliRunner().invoke(app, ["init", str(tmp_path / "a.csv"), "--project", str(tmp_path), "--json"])
    found = json.loads(said.stdout)
    assert (found["output"], found["other"]["options"]) == ({"cause": "anomaly"}, "--output 'cause' --as windows")
    assert load(tmp_path).output == {"cause": "anomaly"}


def test_a_person_chooses_between_two_readings(tmp_path):
    table(tmp_path / "a.csv", NAMES, readings(broken))
    asked = []
    found, _ = write_guess(tmp_path / "a.csv", tmp_path, takes_other=lambda other: asked.append(other) or True)
    assert asked[0].taken == "whether something is wrong"
    assert found.output_kind == load(tmp_path).output["cause"] == "category"


def test_a_readme_beside_a_table_makes_no_documents_of_it(tmp_path):
    """Nor one page among tables; a folder of pages with one table of pairs is a folder of documents."""
    write_text(tmp_path / "data" / "README.md", "# What this is\n\nTickets.\n")
    write_text(tmp_path / "data" / "a.csv", "message,intent\n" + "my card is lost,card\nwhere is it,parcel\n" * 10)
    assert not is_documents(tmp_path / "data")
    assert guess(tmp_path / "data", tmp_path).output_kind == "category"
    for name in ("returns.md", "shipping.html", "more.md"):
        write_text(tmp_path / "docs" / name, "A page.")
    write_text(tmp_path / "docs" / "pairs.csv", "question,answer\nhow,so\n")
    assert is_documents(tmp_path / "docs")
    assert not is_documents(tmp_path / "nowhere")


@pytest.mark.parametrize("output", ["", "label"])
def test_a_part_of_a_file_with_one_label_says_so(tmp_path, output):
    """It became a product that writes the word, or "no column looks like an answer"."""
    rows = "\n".join(f"the {number}th review is a bad one,neg" for number in range(60))
    (tmp_path / "part.csv").write_text(f"text,label\n{rows}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"column 'label' of .*part\.csv is 'neg' in every row") as caught:
        guess(tmp_path / "part.csv", tmp_path, output)
    assert "take rows from all over it" in str(caught.value.hint)
