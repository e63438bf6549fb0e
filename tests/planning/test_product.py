"""product.yaml: typed and strict, asked for in plain questions, assumed where nothing is said."""

from datetime import date

import pytest

from windlass.errors import SpecError
from windlass.planning.asking import QUESTIONS, ask
from windlass.planning.product import FILE_NAME, Product, assumptions, load, load_prices


def test_without_a_file_everything_is_assumed(tmp_path):
    product = load(tmp_path)
    prices, source = load_prices(product, tmp_path)
    told = assumptions(product, prices, source)
    assert {each["source"] for each in told} == {"assumed", "prices: examples in the package, not yours"}
    assert all(each["meaning"] for each in told)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("budgt: 5", "did you mean 'budget'"),
        ("budget: -5", "'budget' is -5, expected greater than or equal to 0"),
        ("people: many", "'people' is 'many', expected"),
        ("deadline: 2026-13-45", "cannot be read"),
        ("requests_a_day: 0", "'requests_a_day' is 0, expected greater than 0"),
        ("wrong_costs: {bad: cheap}", "wrong_costs.bad"),
        ("budget: !!python/object:os.system 5", "tag"),
    ],
)
def test_what_is_wrong_is_refused_by_name(tmp_path, text, words):
    (tmp_path / FILE_NAME).write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        load(tmp_path)
    assert words in str(caught.value)


def test_a_marked_column_must_exist(tmp_path):
    (tmp_path / "product.yaml").write_text("sensitive: [agee]\n", encoding="utf-8")
    with pytest.raises(SpecError, match="did you mean 'age'"):
        load(tmp_path, ["age", "income"])


def test_own_prices_take_the_place_of_the_examples(tmp_path):
    lines = ["as_of: 2026-11-01", "currency: EUR", "machine_hour: 1.5", "machine_cores: 8", "training_hour: 2"]
    lines += ["api_input_million: 3", "api_output_million: 9", "label_row: 0.5", "label_rows_hour: 60"]
    (tmp_path / "mine.yaml").write_text("\n".join(lines), encoding="utf-8")
    prices, source = load_prices(Product(prices="mine.yaml"), tmp_path)
    assert (prices.machine_hour, source) == (1.5, "mine.yaml")
    with pytest.raises(SpecError, match="'currency' is 'EUR', expected 'CHF'"):
        load_prices(Product(prices="mine.yaml", currency="CHF"), tmp_path)
    with pytest.raises(SpecError, match="does not exist"):
        load_prices(Product(prices="other.yaml"), tmp_path)


def test_asking_takes_defaults_asks_again_and_writes_what_was_said(tmp_path):
    said = {"currency": ["CHF"], "requests_a_day": ["many", "2,500"], "deadline": ["2027-03-01"],
            "sensitive": ["height", "age, income"]}  # fmt: skip
    shown = []

    def answer(words, default, show_default):
        shown.append(words)
        key = next(key for key, question, _ in QUESTIONS if words.startswith(question))
        return said[key].pop(0) if said.get(key) else default

    ask(tmp_path, ["age", "income"], answer, shown.append)
    product = load(tmp_path, ["age", "income"])
    assert (product.currency, product.requests_a_day, product.deadline) == ("CHF", 2_500.0, date(2027, 3, 1))
    assert product.sensitive == ["age", "income"]
    assert product.model_fields_set == {"currency", "requests_a_day", "deadline", "sensitive"}
    assert sum("How many answers are asked for on a usual day?" in words for words in shown) == 2
    assert any("[500" in words for words in shown)


def test_a_file_that_is_not_utf_8_is_refused_with_its_name(tmp_path):
    (tmp_path / "product.yaml").write_bytes("currency: '€'".encode("cp1252"))
    with pytest.raises(SpecError, match=r"product\.yaml is not UTF-8 text"):
        load(tmp_path)
