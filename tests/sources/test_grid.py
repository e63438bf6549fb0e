"""Tables as people keep them: each oddity is read, or refused with its line and reason; no row is lost in silence."""

import json
import time

import polars as pl
import pytest

from windlass.errors import DataError
from windlass.sources.contract import Source
from windlass.sources.readers.json_files import read_objects
from windlass.sources.readers.tables import read_parquet
from windlass.sources.readers.text_files import read_csv


def read(tmp_path, content, name="a.csv"):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    source = Source(path, "", read_csv)
    return list(source.rows()), source.warnings


def values(rows):
    return [row.values for row in rows if row.values is not None]


def faults(rows):
    return [(row.number, row.fault) for row in rows if row.values is None]


PLAIN = [{"age": "31", "city": "Bern", "y": "no"}, {"age": "42", "city": "Oslo", "y": "yes"}]
LINES = "31,Bern,no\n42,Oslo,yes\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("age,city,y\n31,Bern,no,\n42,Oslo,yes,\n", "2 rows of a.csv have empty cells behind their last"),
        ("age,city,y,,\n31,Bern,no,,\n42,Oslo,yes,,\n", "empty cells behind"),
        ("Sales 2024\nage,city,y\n" + LINES, "titles above its header: left out 'Sales 2024'"),
        ("Sales 2024,,\n\nall regions,,\nage,city,y\n" + LINES, "left out 'Sales 2024', 'all regions'"),
        ("sep=;\nage;city;y\n31;Bern;no\n42;Oslo;yes\n", ""),
        ('"sep=;"\r\nage;city;y\r\n31;Bern;no\r\n42;Oslo;yes\r\n', ""),
        ("sep=,\n\nage,city,y\n" + LINES, ""),
        ("age|city|y\r31|Bern|no\r42|Oslo|yes\r", ""),
    ],
)
def test_what_surrounds_a_table_is_left_out_and_said_aloud(tmp_path, content, said):
    rows, warnings = read(tmp_path, content)
    assert values(rows) == PLAIN
    assert faults(rows) == []
    assert said in " ".join(warnings)
    assert bool(said) == bool(warnings)


def test_a_title_with_the_delimiter_of_another_country_does_not_choose_it(tmp_path):
    rows, _ = read(tmp_path, "Report, made on 2 March\nage;city;y\n31;Bern;no\n42;Oslo;yes\n")
    assert values(rows) == PLAIN


def test_lines_are_counted_as_an_editor_counts_them(tmp_path):
    rows, _ = read(tmp_path, "sep=;\nTitle\nage;city;y\n31;Bern;no\n\n42;Oslo\n")
    assert [row.number for row in rows] == [4, 6]


def test_a_header_that_comes_again_and_a_footer_are_rejected_and_totals_elsewhere_are_rows(tmp_path):
    """The control: a row named 'total' that is whole, and one far above the end, are rows."""
    many = "".join(f"{number},Bern,no\n" for number in range(20))
    rows, _ = read(tmp_path, f"age,city,y\nTotal,,no\n{many}age,city,y\ntotal,Oslo,yes\n\nTotal:,62,\n")
    assert faults(rows) == [(23, "repeats the header, expected a row"), (26, "is a footer ('Total:'), expected a row")]
    assert len(values(rows)) == 22


@pytest.mark.parametrize("word", ["Total", "Summe:", "合计", "總計", "Grand Total"])
def test_footers_are_known_in_several_languages(tmp_path, word):
    rows, _ = read(tmp_path, f"city,age,y\nBern,31,no\n{word},31,\n")
    assert len(values(rows)) == len(faults(rows)) == 1


def test_a_row_that_is_wider_by_something_is_rejected(tmp_path):
    rows, _ = read(tmp_path, "age,city,y\n31,Bern,no,\n42,Oslo,yes,more\n")
    assert faults(rows) == [(3, "has 4 fields, expected 3")]


@pytest.mark.parametrize(
    "content",
    [
        "72,3959.01,Bern,yes\n79,4992.45,Oslo,no\n71,3287.16,Bern,no\n",
        "2024-01-02,Bern\n2024-01-03,Oslo\n",
        "I want my money back,refund\nwhere is it,delivery\nplease pay me back,refund\nback now,refund\n",
        "我想退款请尽快处理,退款\n快递没到,物流\n退货,退款\n钱呢,退款\n",
        "Bern,yes\nOslo,no\nOslo,yes\nBern,no\n",
    ],
)
def test_a_table_without_a_header_is_refused_and_not_guessed_at(tmp_path, content):
    with pytest.raises(DataError, match=r"line 1 reads like a row .*\n.*a name for each column"):
        read(tmp_path, content)


@pytest.mark.parametrize(
    "header",
    ["label,400.5,401.0,401.5", "label,0,1,2", "country,2019,2020,2021", ",a,b,c", "text,spam,x,y", "a,2020-01-22,c,d"],
)
def test_headers_that_look_like_numbers_or_hold_one_value_are_headers(tmp_path, header):
    rows, _ = read(tmp_path, header + "\nspam,1.5,2.5,3.5\nham,1.5,spam,2.5\nspam,2.5,1.5,1.5\n")
    assert len(values(rows)) == 3


def test_one_column_of_text_with_a_comma_in_each_line_is_not_read_as_two(tmp_path):
    rows, _ = read(tmp_path, "comment\ngood, thanks\nbad, sorry\nso, so\n")
    assert [fault for _, fault in faults(rows)] == ["has 2 fields, expected 1"] * 3


def test_zero_bytes_and_broken_characters_cost_their_rows_alone(tmp_path):
    content = b"text,y\ncaf\xc3\xa9 1,a\n" * 1 + b"caf\xc3\xa9 2,b\n" * 20 + b"z\x00ero,a\nbro\xffken,b\n"
    rows, warnings = read(tmp_path, content)
    assert faults(rows) == [
        (23, "holds a zero byte, expected text"),
        (24, "holds bytes that are no characters of its encoding, expected text"),
    ]
    assert values(rows)[0] == {"text": "café 1", "y": "a"}
    assert "no characters of its encoding" in warnings[0]


def test_a_zero_byte_in_the_header_is_refused_with_its_line(tmp_path):
    with pytest.raises(DataError, match="line 1 holds a zero byte"):
        read(tmp_path, "te\0xt,y\n" + "a,b\n" * 50)


def test_a_quote_that_swallows_lines_says_how_far(tmp_path):
    rows, _ = read(tmp_path, 'text,y\na,b\n"never closed,y\nb,z\nc,z\n')
    assert "up to line 5" in faults(rows)[0][1]


def test_a_table_of_too_many_columns_is_refused_at_once_and_a_line_of_too_many_is_a_fault(tmp_path):
    """Control: 10,000 columns are read."""
    wide = [f"c{number}" for number in range(10_001)]
    line = ",".join("1" for _ in wide)
    started = time.process_time()
    with pytest.raises(DataError, match="line 1 has 10,001 fields, expected at most 10,000"):
        read(tmp_path, ",".join(wide) + f"\n{line}\n" * 2)
    (tmp_path / "a.jsonl").write_text(json.dumps(dict.fromkeys(wide, 1)) + "\n")
    (fault,) = [row.fault for row in read_objects(Source(tmp_path / "a.jsonl", "", read_objects))]
    assert fault == "has 10,001 fields, expected at most 10,000"
    pl.DataFrame({name: [1] for name in wide}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="has 10,001 columns, expected at most 10,000"):
        list(read_parquet(Source(tmp_path / "a.parquet", "", read_parquet)))
    assert time.process_time() - started < 20
    rows, _ = read(tmp_path, "x,y\n" + "1,2\n" * 20 + f"{line}\n")
    assert faults(rows) == [(22, "has 10,001 fields, expected at most 10,000")]
    rows, _ = read(tmp_path, ",".join(wide[:-1]) + "\n" + ",".join("1" for _ in wide[:-1]) + "\n")
    assert len(values(rows)[0]) == 10_000
