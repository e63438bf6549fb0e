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
    said = {"currency": ["CHF"], "requests_a_day": ["many", "2,500"], "deadline": ["2030-03-01"],
            "sensitive": ["height", "age, income"]}  # fmt: skip
    shown = typed(tmp_path, said)
    product = load(tmp_path, ["age", "income"])
    assert (product.currency, product.requests_a_day, product.deadline) == ("CHF", 2_500.0, date(2030, 3, 1))
    assert product.sensitive == ["age", "income"]
    assert product.model_fields_set == {"currency", "requests_a_day", "deadline", "sensitive"}
    assert "'many' is no number, expected one such as 1200 or 0.5" in shown
    assert "read as 2500" in shown
    assert "[500]" in shown
    assert f" 1/{len(QUESTIONS)}  Which currency" in shown


def typed(folder, said):
    """Everything shown while the questions are answered so, and with Enter where nothing is said."""
    shown = []

    def answer(words, **_):
        shown.append(words)
        key = next(key for line in reversed(shown) for key, question, _ in QUESTIONS if question in line)
        return said[key].pop(0) if said.get(key) else ""

    ask(folder, ["age", "income"], answer, lambda words, err: shown.append(words))
    return "\n".join(shown)


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("wrong_cost", "0,5", 0.5),
        ("budget", "1.234,50", 1234.5),
        ("budget", "12'000", 12_000.0),
        ("budget", "１２，０００", 12_000.0),
        ("budget", "€ 12 000", 12_000.0),
        ("person_wrong", "2 %", 0.02),
        ("deadline", "2030年3月1日", date(2030, 3, 1)),
        ("currency", "元", "元"),
        ("people", "3", 3),
    ],
)
def test_answers_are_read_as_people_write_them(tmp_path, key, text, value):
    typed(tmp_path, {key: [text]})
    assert getattr(load(tmp_path), key) == value


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("budget", "-5", "'-5' does not fit, expected greater than or equal to 0"),
        ("people", "1.5", "'1.5' does not fit, expected a whole number"),
        ("person_wrong", "2", "'2' does not fit, expected less than 1"),
        ("budget", "inf", "'inf' is no number"),
        ("budget", "五千", "'五千' is no number"),
        ("deadline", "2020-01-01", "2020-01-01 is over"),
        ("deadline", "2030-02-30", "'2030-02-30' is no day"),
        ("sensitive", "agee", "'agee' is no column, expected one of 'age', 'income'; did you mean 'age'?"),
    ],
)
def test_an_answer_that_does_not_fit_says_why_and_is_asked_again(tmp_path, key, text, words):
    assert words in typed(tmp_path, {key: [text]})
    assert not (tmp_path / "product.yaml").exists()


def test_a_file_that_is_there_keeps_its_comments_and_other_lines(tmp_path):
    path = tmp_path / "product.yaml"
    lines = ["# ours", "budget: 4000   # for all", "people: 2", "wrong_costs: {bad: 9}", "sensitive: [age]", ""]
    path.write_text("\n".join(lines), encoding="utf-8")
    shown = typed(tmp_path, {"budget": ["5000"], "people": ["none"], "users": ["40"]})
    assert "[4000]" in shown
    assert path.read_text(encoding="utf-8") == (
        "# ours\nbudget: 5000   # for all\nwrong_costs: {bad: 9}\nsensitive: [age]\nusers: 40\n"
    )


def test_a_list_over_several_lines_is_written_anew(tmp_path):
    (tmp_path / "product.yaml").write_text("sensitive:\n- age\nbudget: 4000\n", encoding="utf-8")
    typed(tmp_path, {"sensitive": ["income"]})
    assert load(tmp_path) == Product(sensitive=["income"], budget=4000.0)


def test_a_file_that_is_not_utf_8_is_refused_with_its_name(tmp_path):
    (tmp_path / "product.yaml").write_bytes("currency: '€'".encode("cp1252"))
    with pytest.raises(SpecError, match=r"product\.yaml is not UTF-8 text"):
        load(tmp_path)
