"""Numbers, dates and measures of both languages come to one form."""

import pytest

from windlass.predictors.reading.quantities import quantities


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1,000 people", "一千人"),
        ("1,000 people", "1000 people"),
        ("4.5 percent", "百分之四点五"),
        ("4.5 %", "4.5%"),
        ("half an hour", "三十分钟"),
        ("two weeks", "14 days"),
        ("24 months", "two years"),
        ("forty thousand crowns", "40,000 crowns"),
        ("四万两", "40000"),
        ("1958年", "1958"),
        ("二百四十万元", "2.4 million yuan"),
        ("one third", "三分之一"),
        ("１２ kg", "12公斤"),
    ],
)
def test_the_same_number_written_in_two_ways_agrees(one: str, other: str) -> None:
    """Thousands, percent, halves, weeks, Chinese numerals and full-width digits."""
    assert quantities(one)[0].agrees(quantities(other)[0])


@pytest.mark.parametrize(
    ("one", "other"),
    [("14 days", "21 days"), ("12 kg", "12 km"), ("1931", "1934"), ("四万", "十四万"), ("9 June", "19 June")],
)
def test_another_number_or_unit_does_not_agree(one: str, other: str) -> None:
    """The control."""
    assert not quantities(one)[0].agrees(quantities(other)[0])


def test_articles_are_no_numbers() -> None:
    """`one of` and 一种 say nothing to check."""
    assert not quantities("one of the houses")
    assert not quantities("这是一种植物")


def test_a_date_is_day_month_and_year() -> None:
    """In both languages the same three values."""
    assert sorted(each.value for each in quantities("9 June 1958")) == [6, 9, 1958]
    assert sorted(each.value for each in quantities("1958年6月9日")) == [6, 9, 1958]
