"""Whom a text names: words in English, characters in Chinese, the longest name first."""

import pytest

from windlass.trends.entities import Finder

BANKS = {
    "Eastport": ["东港"],
    "Bank of Eastport": ["BOE", "$BOE", "东港银行"],
    "Shell": [],
    "Kestrel": ["kestrel air"],
    "AT&T": [],
    "Mole's": [],
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Bank of Eastport cuts rates", ["Bank of Eastport"]),
        ("Eastport sues Bank of Eastport", ["Eastport", "Bank of Eastport"]),
        ("BANK OF EASTPORT FINED", ["Bank of Eastport"]),
        ("boe is French for nothing", []),
        ("Longs in $BOE, says BOE's analyst", ["Bank of Eastport"]),
        ("BOEING is not in it", []),
        ("a shell company", []),
        ("Shell's profit; Shell, again (Shell)", ["Shell"]),
        ("Shellfish", []),
        ("flew with Kestrel Air", ["Kestrel"]),
        ("KESTREL AIR grounded", ["Kestrel"]),
        ("AT&T rose", ["AT&T"]),
        ("Mole’s own", ["Mole's"]),
        ("东港银行宣布裁员", ["Bank of Eastport"]),
        ("投资者起诉东港及BOE公司", ["Eastport", "Bank of Eastport"]),
        ("Ｓｈｅｌｌ in wide letters", ["Shell"]),
        ("Bank  of\nEastport", ["Bank of Eastport"]),
        ("", []),
    ],
)
def test_names_are_found_as_they_are_written(text, found):
    assert Finder(BANKS).find(text) == found


def test_a_phrase_that_means_something_else_is_passed_over():
    finder = Finder({"东港银行": [], "Apple": []}, ["东港银行业", "Apple pie"])
    assert finder.find("东港银行业整体承压") == []
    assert finder.find("Apple pie by Apple") == ["Apple"]


def test_ten_thousand_names_cost_no_more_than_their_first_words():
    """Each word is looked up, not each name."""
    finder = Finder({f"Company{number} Holdings": [] for number in range(10_000)})
    assert finder.find("talks between Company77 Holdings and Company9999 Holdings") == [
        "Company77 Holdings",
        "Company9999 Holdings",
    ]
    assert max(len(names) for names in finder._names.values()) == 1
