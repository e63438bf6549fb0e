"""Data as people keep it, through the whole road: what training read one way, serving reads the same way."""

import csv
import json

import pytest

from windlass import Project
from windlass.improving.active_learning import write_questions
from windlass.improving.training_feedback import from_file
from windlass.kinds import table as kinds
from windlass.outputs.worth_labelling import Question
from windlass.serving.batch.files import answer_file
from windlass.sources.guess import write_guess
from windlass.spec import load
from windlass.store.store import Store

ADDED = "learners: [majority, linear]\n"
LABELS = {True: ["yes", "YES", " yes"], False: ["no", "No ", "no"]}


def rows(n_rows: int = 240) -> list[dict[str, str]]:
    """Who has more than 4,000 € and plan 2 says yes; every number is written as a German spreadsheet writes it."""
    made = []
    for number in range(n_rows):
        income, plan = 1_000 + number * 7919 % 6_000, number % 4
        says = LABELS[income > 4_000 and plan > 0]
        made.append({
            "income": f"{income // 1000}.{income % 1000:03},{number % 100:02} €",
            "when": f"{1 + number % 28:02}.{1 + number % 12:02}.2025",
            "plan": ["basic", "2.0", "2", "True"][plan],
            "age": "Total" if number == 7 else str(20 + number * 13 % 50),
            "y": says[number % 3],
        })  # fmt: skip
    return made


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ordinary")
    with (folder / "data.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows(1)[0]))
        writer.writeheader()
        writer.writerows(rows())
    _, path = write_guess(folder / "data.csv", folder)
    path.write_text(path.read_text(encoding="utf-8").replace("minutes: 10", "minutes: 1") + ADDED, encoding="utf-8")
    project = Project(folder)
    project.run()
    project.release()
    return project


def test_init_writes_how_the_columns_are_written(product):
    spec = product.spec
    assert spec.inputs == {"income": "number", "when": "date", "plan": "category", "age": "number"}
    assert spec.formats == {"income": "1.234,56 €", "when": "31.12.2026"}
    assert spec.labels.merge == {"No": "no", "YES": "yes"}


def test_a_footer_is_rejected_with_its_reason_and_nothing_else(product):
    rejects = (product.folder / ".windlass" / "collect" / "rejects.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["reason"] for line in rejects] == [
        "column 'age': number is 'Total', expected a finite number (up to 1e+38)"
    ]


ROW = {"income": "6.500,00 €", "when": "03.04.2025", "plan": "2.0", "age": "30"}


@pytest.mark.parametrize(
    "change",
    [{}, {"income": 6500}, {"income": "6500,0"}, {"when": "2025-04-03"}, {"plan": 2}, {"plan": 2.0}, {"plan": " 2 "}],
)
def test_a_value_means_the_same_however_it_comes(product, change):
    first, second = product.champion.predict([ROW, ROW | change])
    assert second == first
    assert (first.value, first.evidence) == ("yes", ())


def test_a_truth_value_is_the_one_that_csv_spells_with_a_capital(product):
    said = product.champion.predict([ROW | {"plan": value} for value in ("True", "true", True)])
    assert said[0] == said[1] == said[2]
    assert said[0].evidence == ()


def test_a_category_that_training_did_not_know_is_said(product, tmp_path):
    (tmp_path / "new.csv").write_text(
        "income,when,plan,age\n6500,03.04.2025,7,30\n6500,03.04.2025,2,30\n", encoding="utf-8"
    )
    answer_file(product.champion.predictor, str(tmp_path / "new.csv"), tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8") as file:
        said = [row["evidence"] for row in csv.DictReader(file)]
    assert said == ["'plan' is '7', which training did not know (new or rare)", ""]


def test_a_number_in_another_form_is_refused_and_not_read_as_something_else(product):
    with pytest.raises(Exception, match=r"column 'income': number is '6500.25', expected one that is written like"):
        product.champion.predict([ROW | {"income": "6500.25"}])


def test_labels_of_new_rows_are_those_that_training_knows(product, tmp_path):
    (tmp_path / "new.csv").write_text('income,when,plan,age,y\n"1,5",03.04.2025,2,3,YES\n', encoding="utf-8")
    found = from_file(tmp_path / "new.csv", load(product.folder), Store(product.folder), 0.0)
    assert [(row.label, row.values["income"], row.values["when"]) for row in found] == [
        ("yes", 1.5, "2025-04-03T00:00:00")
    ]


def test_a_sheet_of_questions_is_read_back_as_it_was_asked(product, tmp_path):
    """12.345 as JSON is twelve and a bit; in a file of this product it would be twelve thousand."""
    asked = Question("a1", {**ROW, "income": 12.345}, "yes", 0.5, 0.1)
    path = write_questions([asked], load(product.folder), tmp_path)
    with path.open(encoding="utf-8") as file:
        row = next(csv.DictReader(file))
    assert row["income"] == "12,345"
    kind = kinds.reading("number", {"format": "1.234,56 €"})
    assert kind.read(row["income"], None) == 12.345
