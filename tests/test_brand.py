"""The brand's rules: what they find, what they leave alone, and how a wrong file is refused."""

import csv

import pytest

from windlass.blueprints import catalogue
from windlass.brand import Required, Rules, broken, load_rules
from windlass.errors import NotReady, SpecError

STUDIO = catalogue.HOME / "content-studio"
FREE = Rules(superlatives=True, health_promises=True)


def rules(**values):
    return FREE.model_copy(update=values)


def test_a_text_without_fault_breaks_nothing():
    assert broken("A sturdy chair for small rooms.", Rules()) == []


@pytest.mark.parametrize("text", ["So cheap!", "CHEAP", "ｃｈｅａｐ", "che\u200bap", "cheap-looking", "It is\ncheap"])
def test_a_word_that_is_never_used_is_found_however_it_is_written(text):
    assert broken(text, rules(never=["cheap"])) == ["uses 'cheap', which is never used"]


def test_a_part_of_another_word_is_not_the_word():
    assert broken("A cheapskate in a sheepskin", rules(never=["cheap", "sheep"])) == []


def test_a_phrase_is_found_across_spaces_and_a_chinese_one_inside_a_sentence():
    found = broken("Act   now，这真是便宜货。", rules(never=["act now", "便宜货"]))
    assert found == ["uses 'act now', which is never used", "uses '便宜货', which is never used"]


def test_a_disclaimer_must_be_there_always_or_when_its_subject_comes_up():
    always = rules(required=[Required(text="Advertisement")])
    assert broken("A lamp.", always) == ["lacks 'Advertisement'"]
    assert broken("advertisement: a lamp.", always) == []
    sale = rules(required=[Required(text="While stocks last.", when=["sale", "优惠"])])
    assert broken("Summer sale!", sale) == ["speaks of 'sale' without 'While stocks last.'"]
    assert broken("全场优惠", sale) == ["speaks of '优惠' without 'While stocks last.'"]
    assert broken("Wholesale prices", sale) == []
    assert broken("Summer sale! While stocks last.", sale) == []


def test_the_longest_text_is_counted_in_characters_and_may_just_fit():
    assert broken("字" * 10, rules(longest=10)) == []
    assert broken("字" * 11, rules(longest=10)) == ["has 11 characters, expected at most 10"]


@pytest.mark.parametrize(
    "text",
    ["the best lamp", "our finest tea", "the most beautiful rug", "the most elegant", "a number one brand",
     "Most reliable", "unbeatable", "全国第一", "最好的茶", "顶级享受", "最低价"],
)  # fmt: skip
def test_superlatives_are_found_in_both_languages(text):
    assert broken(text, Rules()) != []
    assert broken(text, rules(superlatives=True)) == []


@pytest.mark.parametrize(
    "text",
    ["an honest guest took a rest in the forest", "at least two", "our latest news", "make the most of the day",
     "Best regards", "best before 3 March", "most people", "I suggest a test", "最近", "最后", "第一次",
     "最多可坐四人"],
)  # fmt: skip
def test_words_that_only_look_like_superlatives_are_left_alone(text):
    assert broken(text, Rules()) == []


@pytest.mark.parametrize(
    "text",
    ["This tea cures colds.", "It relieves stress at once.", "Lose weight while you sleep!", "a detox drink",
     "boosts your immune system", "clinically proven", "anti-ageing cream", "增强免疫力", "能治疗失眠", "轻松减肥"],
)  # fmt: skip
def test_promises_of_health_are_found_in_both_languages(text):
    assert any("promises health" in fault for fault in broken(text, Rules()))
    assert broken(text, rules()) == []


@pytest.mark.parametrize("text", ["A blanket against the cold.", "It prevents leaks.", "Treats for dogs", "保暖舒适"])
def test_plain_words_about_a_product_promise_no_health(text):
    assert broken(text, Rules()) == []


def test_an_empty_text_lacks_only_what_must_be_said():
    assert broken("", Rules(never=["a"], required=[Required(text="Ad")], longest=1)) == ["lacks 'Ad'"]


def test_the_rules_of_the_blueprint_hold_for_all_of_its_texts():
    found = load_rules(STUDIO / "brand.yaml")
    with (STUDIO / "data" / "briefs.csv").open(encoding="utf-8", newline="") as file:
        faults = {row["text"]: broken(row["text"], found) for row in csv.DictReader(file)}
    assert {text: fault for text, fault in faults.items() if fault} == {}


def test_the_rules_of_the_blueprint_find_what_its_readme_shows():
    readme = (STUDIO / "README.md").read_text(encoding="utf-8")
    found = broken("Our finest tea cures colds. 10 per cent off!", load_rules(STUDIO / "brand.yaml"))
    assert len(found) == 3
    assert all(fault in readme for fault in found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nevr: [a]", "unknown key 'nevr'"),
        ("never: cheap", "'never' is 'cheap', expected a list"),
        ("longest: -1", "'longest' is -1"),
        ("longest: ten", "'longest' is 'ten'"),
        ("superlatives: 0", "'superlatives' is 0"),
        ("required: [{say: x}]", "has the unknown key 'required.0.say', expected one of 'text', 'when'"),
        ("required: [{}]", "has no 'required.0.text', expected it"),
        ("required: [{text: ''}]", "'required.0.text' is '', expected at least 1 character"),
        ("never: ['  ']", "empty word"),
        ("- a", "expected a mapping"),
        ("never: [", "not valid YAML"),
        ("never: [no]", "'never.0' is False"),
    ],
)
def test_a_wrong_file_is_refused_in_words(tmp_path, text, words):
    path = tmp_path / "brand.yaml"
    path.write_text(text)
    with pytest.raises(SpecError) as caught:
        load_rules(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there_is_not_ready(tmp_path):
    with pytest.raises(NotReady, match=r"brand\.yaml does not exist"):
        load_rules(tmp_path / "brand.yaml")


def test_toxic_words_stand_in_a_file_or_in_the_rules(tmp_path):
    path = tmp_path / "brand.yaml"
    path.write_text("toxic: words.txt\nsuperlatives: true\n", encoding="utf-8")
    with pytest.raises(NotReady, match=r"words\.txt does not exist, expected the list of toxic words"):
        load_rules(path)
    (tmp_path / "words.txt").write_text("# none\n", encoding="utf-8")
    with pytest.raises(SpecError, match=r"words\.txt has no words"):
        load_rules(path)
    (tmp_path / "words.txt").write_text("# rude\nfool\n笨蛋\n", encoding="utf-8")
    found = load_rules(path)
    assert found == rules(toxic=["fool", "笨蛋"], health_promises=False)
    assert broken("A FOOL, 你这个笨蛋!", found) == [
        "holds 'fool', which is on the list of toxic words", "holds '笨蛋', which is on the list of toxic words"
    ]  # fmt: skip
    assert broken("Foolproof lamps.", found) == []
