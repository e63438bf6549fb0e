"""An explanation as a person sees it: the right words are marked, nothing from outside acts on the page."""

import re

import pytest

from windlass.pages.html.explained import AGAINST, FOR, explanation_text, strongest
from windlass.pages.html.explanations import Explained, explanations
from windlass.pages.html.notebook import Explanation
from windlass.records import Part


def made(text: str, *weights: tuple[int, int, float], label: str = "yes") -> Explanation:
    parts = tuple(Part("message", text[start:end], weight, span=(start, end)) for start, end, weight in weights)
    return Explanation(label, 0.9, "occlusion", "log-odds", -1.0, 2.0, False, 5, parts, {"message": text})


def test_words_are_marked_by_side_and_strength_and_the_rest_stays():
    html = made("not so good", (0, 3, -1.0), (4, 6, 0.0), (7, 11, 2.0))._repr_html_()
    marked = re.search(r'class="marked" dir="auto">(.*?)</p>', html)[1]
    assert marked == (
        f'<mark style="background:rgba({AGAINST},0.375)" title="-1.000">not</mark> so '
        f'<mark style="background:rgba({FOR},0.750)" title="+2.000">good</mark>'
    )


def test_the_page_says_what_colours_and_numbers_mean():
    html = made("a", (0, 1, 1.0))._repr_html_()
    assert "speaks for it" in html
    assert "speaks against it" in html
    assert "Numbers are log-odds; -1.00 with nothing known, +2.00 with all of it." in html


@pytest.mark.parametrize("nasty", ["<script>alert(1)</script>", '"><img src=x onerror=y>', "\u202eevil"])
def test_text_from_outside_is_shown_and_never_acts(nasty):
    """In the text, the words, the label and the column's name."""
    found = made(nasty, (0, len(nasty), 1.0), label=nasty)
    page = explanations(nasty, nasty, [Explained("wrong", nasty, found)])
    assert "<script" not in page
    assert "<img" not in page
    assert "\u202e" not in page
    assert "\u202e" not in str(found)


def test_chinese_neighbours_of_one_side_are_told_as_one():
    text = "很不好吃吗"
    found = made(text, (0, 1, 0.5), (1, 2, 1.0), (2, 3, 1.0), (3, 4, -0.25), (4, 5, -0.5))
    assert [(part.words, part.weight) for part in strongest(found)] == [("很不好", 2.5), ("吃吗", -0.75)]


def test_english_neighbours_stay_apart():
    assert [part.words for part in strongest(made("ab cd", (0, 2, 1.0), (3, 5, 0.5)))] == ["ab", "cd"]


def test_a_picture_stands_beside_its_heat_map():
    part = Part("photo", "", 1.5, box=(0.25, 0.0, 0.5, 0.25))
    shown = {"photo": "data:image/png;base64,AA=="}
    found = Explanation("cat", 0.8, "occlusion", "log-odds", 0.0, 1.0, False, 9, (part,), {}, shown)
    html = found._repr_html_()
    assert html.count("<img") == 2
    assert '<rect x="0.2500" y="0.0000" width="0.2500" height="0.2500"' in html
    assert "<title>+1.500</title>" in html


def test_the_terminal_shows_the_strongest_first():
    text = explanation_text(made("not so good", (0, 3, -1.0), (4, 6, 0.5), (7, 11, 2.0)))
    lines = text.splitlines()
    assert lines[0] == "why 'yes', 90.0 % sure"
    assert [line.split()[-1] for line in lines[1:4]] == ["good", "not", "so"]
    assert lines[1].split()[1] == "+" * 24


def test_json_holds_no_picture_and_shares_sum_to_one():
    found = made("a b", (0, 1, 3.0), (2, 3, -1.0)).as_json()
    assert "pictures" not in found
    assert [part["share"] for part in found["parts"]] == [0.75, 0.25]
    assert found["parts"][0]["span"] == [0, 1]


def test_what_could_not_be_explained_is_said_on_the_page():
    page = explanations("desk", "copy", [], "answers of 'copy' are found, not weighed")
    assert "answers of &#x27;copy&#x27; are found" in page
