"""`windlass init`: the guess, and why."""

import datetime
import json

import numpy as np
import polars as pl
import pytest
from PIL import Image

from windlass.errors import DataError, SpecError
from windlass.sources.guess import guess, write_guess
from windlass.spec import load
from windlass.stages.collect import collect
from windlass.store.store import Store


def csv(path, header, rows):
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_a_file_of_messages_becomes_text_in_category_out(tmp_path):
    rows = [
        f"{number},please help me with number {number},{'refund' if number % 9 else 'other'}" for number in range(90)
    ]
    found = guess(csv(tmp_path / "tickets.csv", "ticket_id,message,intent", rows), tmp_path)
    assert (found.inputs, found.output, found.goal) == ({"message": "text"}, "intent", "macro_f1")
    assert found.data == "tickets.csv"
    assert "ticket_id" in found.left_out


def test_a_chinese_file_is_guessed_like_an_english_one(tmp_path):
    rows = [f"我的第{number}个订单还没有收到货,{'物流' if number % 2 else '退款'}" for number in range(60)]
    found = guess(csv(tmp_path / "客服.csv", "内容,标签", rows), tmp_path)
    assert (found.inputs, found.output, found.goal) == ({"内容": "text"}, "标签", "accuracy")
    assert found.name == "客服"


def test_a_table_gives_each_column_its_kind(tmp_path):
    rows = [
        f"{20 + number % 50},{['red', 'blue'][number % 2]},2026-0{1 + number % 9}-11,{number * 1.5},same,"
        f"{['good', 'bad'][number % 5 == 0]}"
        for number in range(100)
    ]
    found = guess(csv(tmp_path / "a.csv", "age,colour,day,amount,constant,risk", rows), tmp_path)
    assert found.inputs == {"age": "number", "colour": "category", "day": "date", "amount": "number"}
    assert (found.output, found.goal) == ("risk", "roc_auc")
    assert found.left_out == {"constant": "always the same"}


def test_rows_sorted_by_label_do_not_hide_the_other_labels(tmp_path):
    rows = [f"a message with some words {number},{'neg' if number < 6_000 else 'pos'}" for number in range(12_000)]
    assert guess(csv(tmp_path / "a.csv", "text,label", rows), tmp_path).output == "label"


def test_a_folder_of_pictures_is_guessed(tmp_path):
    for label in ("mug", "shoe"):
        (tmp_path / "shop" / label).mkdir(parents=True)
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "shop" / label / "1.png")
    found = guess(tmp_path / "shop", tmp_path)
    assert (found.inputs, found.output, found.goal) == ({"image": "image"}, "label", "accuracy")


def test_what_is_written_is_a_spec_that_loads_and_is_not_overwritten(tmp_path):
    data = csv(tmp_path / "a.csv", "text,label", [f"some words here {number},{number % 2}" for number in range(40)])
    write_guess(data, tmp_path)
    assert load(tmp_path).inputs == {"text": "text"}
    with pytest.raises(SpecError, match="exists"):
        write_guess(data, tmp_path)


def test_no_column_that_could_be_an_answer_asks_which(tmp_path):
    data = csv(tmp_path / "a.csv", "note", [f"free words number {number}" for number in range(40)])
    with pytest.raises(DataError, match="--output"):
        guess(data, tmp_path)
    with pytest.raises(DataError, match="did you mean 'note'"):
        guess(data, tmp_path, output="notes")


# ordinary data --------------------------------------------------------------------------------------------------------


def table(path, n_rows=120, **columns):
    """A CSV of age, city and label y, with more columns: name -> value of a row number."""
    header = ",".join(["age", "city", *columns, "y"])
    rows = [
        ",".join([str(20 + number % 50), ["Oslo", "Bern"][number % 2],
                  *(f'"{value(number)}"' for value in columns.values()), ["yes", "no"][number % 3 == 0]])
        for number in range(n_rows)
    ]  # fmt: skip
    return csv(path, header, rows)


@pytest.mark.parametrize(
    ("value", "kind", "written"),
    [
        (lambda number: f"{3959 + number},{number % 100:02}", "number", "1234,56"),
        (lambda number: f"${3 + number},{number % 10}59.01", "number", "$1,234.56"),
        (lambda number: f"{number % 100}.5%", "number", "1234.56 %"),
        (lambda number: f"{number % 40}.6 kg", "number", "1234.56 kg"),
        (lambda number: f"{number % 7}.4 mm/s", "number", "1234.56 mm/s"),
        (lambda number: f"1.{100 + number},50 €", "number", "1.234,56 €"),
        (lambda number: f"{1 + number % 9},000" if number % 2 else f"{number}", "number", "1,234.56"),
        (lambda number: f"{1 + number % 28:02}.{1 + number % 12:02}.2025", "date", "31.12.2026"),
        (lambda number: f"{1 + number % 12}/{1 + number % 28}/2025", "date", "12/31/2026"),
        (lambda number: f"2021{1 + number % 12:02}{1 + number % 28:02}", "date", "20261231"),
        (lambda number: f"2021-03-{1 + number % 28:02}T10:00:00+02:00", "date", ""),
        (lambda number: f"{number % 28 + 1} Mar 2025", "date", ""),
        (lambda number: f"AB-{number % 97}-X", "category", ""),
        (lambda number: f"1.{number % 5}.30", "category", ""),
        (lambda number: f"192.168.0.{number % 40}", "category", ""),
        (lambda number: f"{number % 8:05}", "category", ""),
        (lambda number: f"{2**53 + number % 2}", "category", ""),
        (lambda number: ["True", "false"][number % 2], "category", ""),
    ],
)
def test_a_column_is_what_people_see_in_it_and_hides_no_other(tmp_path, value, kind, written):
    found = guess(table(tmp_path / "a.csv", extra=value), tmp_path)
    assert found.inputs == {"age": "number", "city": "category", "extra": kind}
    assert found.formats == ({"extra": written} if written else {})


@pytest.mark.parametrize(
    ("written", "form", "said"),
    [
        (["€{:,}", "{:_}", "€{}"], "€1,234.56", "numbers such as '€1,055' are read as 1055"),
        (["€{:,}"] * 199 + ["{:_}"], "€1,234.56", "numbers such as '€1,018' are read as 1018"),
        (["€{:,}"] * 199 + ["12,5"], "€1,234.56", "1 of 200 rows looked at hold no number in that form ('12,5')"),
        (["{:.}"], "1.234,56", "numbers such as '1.018' are read as 1018"),
        (["{:,}", "{:.}", "{:.}", "{:.}"], "1.234", "rows looked at hold no number in that form ('1,092', '1,240',"),
    ],
)
def test_init_says_which_form_the_answers_have_and_how_one_is_read(tmp_path, written, form, said):
    """Prices from 500 to 1,999, each once."""

    def price(number):
        how = written[number % len(written)]
        value = 500 + 37 * number % 1_500
        return f"{value:,}".replace(",", ".") if "." in how else how.format(value).replace("_", " ")

    rows = [f"{number % 7};{'abc'[number % 3]};{price(number)}" for number in range(200)]
    (tmp_path / "a.csv").write_text("\n".join(["age;brand;price", *rows]), encoding="utf-8")
    found, _ = write_guess(tmp_path / "a.csv", tmp_path, output="price", force=True)
    assert (found.output_kind, load(tmp_path).formats) == ("number", {"price": form})
    assert any(f"output 'price': number; written like '{form}'" in each and said in each for each in found.reasons)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (lambda number: f"{number % 24:02}:{number * 7 % 60:02}:{number % 60:02}", "times of day"),
        (lambda number: f"user{number}@mail.example", "a name or key of its own"),
        (lambda number: f"{2**60 + number}", "whole numbers beyond 2^53, which"),
        (lambda number: f"{834_712_391 + number * number}", "a code of its own"),
    ],
)
def test_tokens_and_times_are_left_out_in_words_and_the_table_stays(tmp_path, value, why):
    found = guess(table(tmp_path / "a.csv", extra=value), tmp_path)
    assert found.inputs == {"age": "number", "city": "category"}
    assert found.left_out["extra"].startswith(why)


@pytest.mark.parametrize("word", ["inf", "五星", "Total", "=A1"])
def test_a_stray_word_among_numbers_is_counted(tmp_path, word):
    found = guess(table(tmp_path / "a.csv", income=lambda number: word if number in (5, 9) else number * 1.5), tmp_path)
    assert found.inputs["income"] == "number"
    said = f"2 of 120 rows looked at hold no number ('{word}'): `collect` will refuse them"
    assert any(said in reason for reason in found.reasons)


def test_a_word_for_missing_is_said(tmp_path):
    found = guess(table(tmp_path / "a.csv", income=lambda number: "unknown" if number == 5 else number * 1.5), tmp_path)
    assert any("1 hold 'unknown', read as missing" in reason for reason in found.reasons)


def test_days_up_to_twelve_are_shown_in_both_readings(tmp_path):
    found = guess(table(tmp_path / "a.csv", when=lambda number: f"03/{1 + number % 12:02}/2026"), tmp_path)
    said = next(reason for reason in found.reasons if "when" in reason)
    assert found.formats == {"when": "31/12/2026"}
    assert "'03/01/2026' is read as 2026-01-03; were it 2026-03-01, say '12/31/2026' in `formats`" in said


def test_dates_of_parquet_are_dates(tmp_path):
    days = [datetime.date(2025, 1 + number % 12, 5) for number in range(60)]
    times = [datetime.datetime(2025, 3, 1, number % 24, tzinfo=datetime.UTC) for number in range(60)]
    rows = {"day": days, "at": times,
            "amount": [number / 7 for number in range(60)], "y": ["a", "b"] * 30}  # fmt: skip
    pl.DataFrame(rows).write_parquet(tmp_path / "a.parquet")
    assert guess(tmp_path / "a.parquet", tmp_path).inputs == {"day": "date", "at": "date", "amount": "number"}


def test_numbers_stay_beside_a_text_and_a_key_does_not(tmp_path):
    rows = [
        f'{number},"a fine {["blue", "red"][number % 2]} shirt number {number}",{number * 0.7:.2f},{"ab"[number % 2]}'
        for number in range(90)
    ]
    found = guess(csv(tmp_path / "a.csv", "productId,title,price,label", rows), tmp_path)
    assert found.inputs == {"title": "text", "price": "number"}
    assert found.left_out == {"productId": "numbers the rows"}


def test_labels_that_differ_in_form_are_one_in_the_file_that_is_written(tmp_path):
    labels = ["pos", " pos", "POS", "neg", "Neg", "neg "]
    data = csv(tmp_path / "a.csv", "x,y", [f"{number % 31},{labels[number % 6]}" for number in range(60)])
    write_guess(data, tmp_path)
    assert load(tmp_path).labels.merge == {"Neg": "neg", "POS": "pos"}


def test_labels_of_a_test_file_in_another_form_are_merged_into_those_of_train(tmp_path):
    (tmp_path / "data").mkdir()
    csv(tmp_path / "data" / "train.csv", "x,y", [f"{number % 31},{['yes', '1'][number % 2]}" for number in range(40)])
    csv(tmp_path / "data" / "test.csv", "x,y", [f"{number % 37},{['YES', '1.0'][number % 2]}" for number in range(90)])
    assert guess(tmp_path / "data", tmp_path).merge == {"1.0": "1", "YES": "yes"}


def test_a_price_is_a_number_to_answer_and_the_goal_is_told_in_its_unit(tmp_path):
    """60 prices from 1.5 to 90, median 45.75: each of the 30 above is off by 0.75, 2.25 ... 44.25, on average 22.5."""
    rows = [f"{number},{['Oslo', 'Bern'][number % 2]},{number * 1.5}" for number in range(1, 61)]
    found, path = write_guess(csv(tmp_path / "a.csv", "size,city,price", rows), tmp_path)
    assert (found.output, found.output_kind, found.goal) == ("price", "number", "mae")
    assert "always answering the median, 45.75, is off by 22.50" in found.reasons[-1]
    assert load(tmp_path).output == {"price": "number"}
    assert "# goal: mae <= 10     makes it a gate" in path.read_text()


@pytest.mark.parametrize(
    ("header", "output"),
    [
        ("price,size,city", "price"),
        ("价格,面积,城市", "价格"),
        ("销量,天气,店", "销量"),
        ("size,price,label", "label"),
        ("size,timestamp,city", "city"),
        ("city,size,heat", "heat"),
    ],
)
def test_a_number_is_asked_for_by_its_name_or_as_the_last_column(tmp_path, header, output):
    """A column that is called like labels goes first; when and where is told, and not asked for."""
    names = header.split(",")
    words = {"city", "label", "城市", "店"}
    rows = [",".join(["x", "y", "z"][number % 3] if name in words else str(number * 1.37 % 71) for name in names)
            for number in range(150)]  # fmt: skip
    assert guess(csv(tmp_path / "a.csv", header, rows), tmp_path).output == output


def test_a_named_column_of_many_whole_numbers_is_a_number_and_few_are_labels(tmp_path):
    rows = [f"{number % 31},{number % 94},{number % 5}" for number in range(2_000)]
    data = csv(tmp_path / "a.csv", "x,hours,stars", rows)
    found = guess(data, tmp_path, output="hours")
    assert found.output_kind == "number"
    assert any("is taken as a number (94 different ones)" in reason for reason in found.reasons)
    assert guess(data, tmp_path, output="stars").output_kind == "category"


def test_how_prices_are_written_is_said_of_the_output_too(tmp_path):
    rows = [f"{number % 31};{number},{number % 90 + 10} €" for number in range(1_000, 1_200)]
    (tmp_path / "a.csv").write_text("\n".join(["size;price", *rows]), encoding="utf-8")
    found, _ = write_guess(tmp_path / "a.csv", tmp_path)
    assert found.output_kind == "number"
    assert set(load(tmp_path).formats) == {"price"}


def test_lists_of_labels_and_times_as_an_output_are_said(tmp_path):
    tags = ["a;b", "a", "b;c", "c"]
    rows = [f"{number},{tags[number % 4]},{number % 3 + 8}:00" for number in range(80)]
    data = csv(tmp_path / "a.csv", "x,tags,when", rows)
    found = guess(data, tmp_path)
    assert found.output == "tags"
    assert (found.output_kind, found.formats, found.goal) == ("tags", {"tags": "a;b"}, "micro_f1")
    assert any("written like 'a;b': 3 different ones, 1.5 a row" in reason for reason in found.reasons)
    assert any("each of the 3 is taken as a label" in reason for reason in guess(data, tmp_path, "when").reasons)


@pytest.mark.parametrize("name", ["a\nlearners: [cnn]", "#", "'", "x: {y", "\u202e", "- z"])
def test_no_name_of_a_column_changes_the_file(tmp_path, name):
    rows = [json.dumps({name: number, "b": number % 7, "y": "ab"[number % 2]}) for number in range(60)]
    (tmp_path / "a.jsonl").write_text("\n".join(rows))
    write_guess(tmp_path / "a.jsonl", tmp_path)
    spec = load(tmp_path)
    assert spec.learners is None
    assert "b" in spec.inputs


def test_the_file_says_what_keep_inputs_means(tmp_path):
    _, path = write_guess(table(tmp_path / "a.csv"), tmp_path)
    assert "# keep_inputs: true     keeps what users ask in the request log" in path.read_text()
    assert not load(tmp_path).keep_inputs


def days(n_days: int, **columns) -> list[str]:
    first = datetime.date(2025, 1, 1)
    return [",".join([str(first + datetime.timedelta(day)), *(str(made(day)) for made in columns.values())])
            for day in range(n_days)]  # fmt: skip


def test_a_moment_on_a_grid_and_a_number_are_a_forecast_and_the_other_reading_is_told(tmp_path):
    rows = [
        f"{row},{store},{city}"
        for store, city in (("a", "Kiel"), ("b", "Ulm"))
        for row in days(
            120, promo=lambda day: day % 9 == 0, visits=lambda day: day % 50, sales=lambda day: 3.5 * day + 1
        )
    ]
    found = guess(csv(tmp_path / "sales.csv", "date,promo,visits,sales,store,city", rows), tmp_path)
    assert (found.output, found.output_kind, found.goal, found.group) == ("sales", "forecast", "mase", "store")
    assert found.inputs == {"history": "series", "city": "category", "store": "category"}
    assert found.series == {"time": "date", "horizon": 15, "known": ["promo"], "past": ["visits"]}
    said = " ".join(found.reasons)
    assert "in steps of 1d: 2 series, one for each 'store', the longest with 120 points" in said
    assert "output {sales: number}, and no `series`" in said


def test_parted_thousands_of_a_forecast_and_its_covariates_are_read_by_the_file_that_is_written(tmp_path):
    """Sales of 1,892 and visits of 12,345 are numbers: the file says how they are written, and reads the first row."""
    rows = days(
        120, visits=lambda day: f'"{12345 + 97 * (37 * day % 41):,}"', sales=lambda day: f'"{1892 - 7 * day:,}"'
    )
    found, _ = write_guess(csv(tmp_path / "sales.csv", "date,visits,sales", rows), tmp_path)
    assert (found.output_kind, found.series["past"]) == ("forecast", ["visits"])
    assert found.formats == {"sales": "1,234.56", "visits": "1,234.56"}
    collected = collect(load(tmp_path), Store(tmp_path))
    assert (collected.rows_in, collected.rejected) == (120, 0)


def test_a_table_whose_moments_are_not_on_a_grid_stays_a_number(tmp_path):
    random = np.random.default_rng(1)
    rows = [
        f"{datetime.date(2025, 1, 1) + datetime.timedelta(int(random.integers(0, 900)))},{number % 7},{3.5 * number}"
        for number in range(200)
    ]
    found = guess(csv(tmp_path / "houses.csv", "date,rooms,price", rows), tmp_path)
    assert (found.output_kind, found.inputs) == ("number", {"date": "date", "rooms": "number"})


def test_labels_with_a_moment_stay_labels(tmp_path):
    rows = days(200, load=lambda day: day % 31, risk=lambda day: ["low", "high"][day % 3 == 0])
    found = guess(csv(tmp_path / "a.csv", "date,load,risk", rows), tmp_path)
    assert found.output_kind == "category"


def test_the_guess_of_a_forecast_is_a_whole_file(tmp_path):
    csv(tmp_path / "load.csv", "time,demand", days(200, demand=lambda day: 10 + day % 7 + 0.01 * day))
    write_guess(tmp_path / "load.csv", tmp_path)
    spec = load(tmp_path)
    assert (spec.series.horizon, spec.series.time, spec.group) == (25, "time", "")
