"""What a person with Python, pandas and a notebook meets: one way to open, data frames as they are, short words."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest

import windlass
from windlass.errors import DataError
from windlass.frames import rows_of
from windlass.pages.html.notebook import Board
from windlass.pages.html.notebook_progress import drawn, here
from windlass.records import silent

SPEC = """name: desk
data: tickets.csv
inputs: {message: text, amount: number}
output: {intent: category}
learners: [majority, linear]
minutes: 0.1
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("desk")
    words = {"refund": "money back please", "card": "my card is lost"}
    lines = [f"{words[label]} {place},{place % 7},{label}" for place in range(60) for label in words]
    (folder / "tickets.csv").write_text("\n".join(["message,amount,intent", *lines]))
    (folder / "windlass.yaml").write_text(SPEC)
    made = windlass.Project(folder)
    made.run()
    made.release()
    return made


ROWS = [{"message": "money back", "amount": 3.0}, {"message": "card lost", "amount": None}]


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_a_release_answers_a_data_frame_as_it_answers_its_rows(project, frame):
    release = project.champion
    assert [answer.value for answer in release.predict(ROWS)] == ["refund", "card"]
    assert release.predict(frame({**pd.DataFrame(ROWS).to_dict("list"), "extra": [1, 2]})) == release.predict(ROWS)
    assert release.predict(ROWS[0]) == release.predict(ROWS[:1])
    assert "money" in str(release.explain(frame(ROWS))[0])


def test_a_project_a_release_and_an_artifact_are_opened_by_a_string(project):
    champion = project.champion
    places = [project.folder, champion.folder, champion.folder / "model"]
    assert [type(windlass.load(str(place))).__name__ for place in places] == ["Release", "Release", "Model"]
    assert len({str(windlass.load(str(place)).predict(ROWS)) for place in places}) == 1
    with pytest.raises(DataError, match="nowhere is not there, expected the folder of a project, a release"):
        windlass.load("nowhere")


def test_what_is_shown_is_short(project):
    shown = repr(project.board)
    assert shown.startswith("Board('desk': linear of 2 candidates, ")
    assert len(shown) < 100
    assert "candidates, none chosen" in repr(Board("desk", "", "", {}, "", "", [], [], 0, ""))
    assert dir(windlass) == sorted(windlass.__all__)


def test_frames_lose_nothing_on_the_way():
    day = dt.datetime(2026, 11, 30, 12)
    frame = pd.DataFrame({"a": [1.5, np.nan], "b": ["x", None], "at": [day, pd.NaT], "n": pd.array([1, None], "Int64")})
    wanted = [{"a": 1.5, "b": "x", "at": day.isoformat(), "n": 1}, dict.fromkeys(frame)]
    assert rows_of(frame) == wanted
    assert rows_of(pl.from_pandas(frame)) == wanted
    for bad, words in [("text", "rows are 'str'"), (5, "rows are 'int'"), ([["x"]], "row 0 is 'list'"),
                       (pd.DataFrame([[1, 2]], columns=["a", "a"]), "'a' twice")]:  # fmt: skip
        with pytest.raises(DataError, match=words):
            rows_of(bad)


def test_errors_name_the_column(project):
    with pytest.raises(DataError, match="row 1, column 'amount': number is 'much'"):
        project.champion.predict(pd.DataFrame({"message": ["a", "b"], "amount": ["1", "much"]}))
    with pytest.raises(DataError, match=r"no 'amount'.*(\n.*)?did you mean 'amount'"):
        project.champion.predict(pd.DataFrame({"message": ["a"], "amuont": [1]}))


def test_a_classifier_says_why():
    frame = pd.DataFrame({"age": [20.0, 25, 60, 65] * 10, "city": ["Kiel", "Bonn", "Kiel", "Bonn"] * 10})
    model = windlass.Classifier("linear").fit(frame, np.array([0, 0, 1, 1] * 10))
    why = model.explain(frame[:2])
    assert [each.label for each in why] == ["0", "0"]
    assert max(why[0].parts, key=lambda part: abs(part.weight)).column == "age"
    assert model.explain(frame[:1], label=1)[0].label == "1"
    with pytest.raises(ValueError, match="label is 2, expected one of '0', '1'"):
        model.explain(frame, label=2)
    with pytest.raises(ValueError, match="row 0, column 'age'"):
        model.explain(pd.DataFrame({"age": ["old"], "city": ["Kiel"]}))


def test_progress_in_a_notebook_stands_in_one_place_a_cell_and_goes():
    shown, cell, now = [], ["1"], [0.0]

    def show(body, place):
        shown.append(body)
        return place or f"place of cell {cell[0]}"

    progress = drawn(show, lambda: cell[0], lambda: now[0])
    progress("train <linear>", 1, 4, "reading")
    progress("train <linear>", 2, 4, "too soon")
    now[0] = 1.0
    progress("train <linear>", 3, 4, "fitting")
    progress("train <linear>", 4, 4, "done")
    assert len(shown) == 3
    assert 'value="0.250"' in shown[0]
    assert "&lt;linear&gt;" in shown[0]
    assert shown[-1] == ""
    assert here() is silent, "no notebook, no picture"
