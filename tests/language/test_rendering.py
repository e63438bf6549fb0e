"""An English text is matched back to its template; what somebody named stays as it is."""

import time

import pytest

from windlass.errors import expected, listed, wrong_names
from windlass.language import chosen
from windlass.language.rendering import Template, in_chinese, rendered
from windlass.language.width import padded, width, wrapped


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("row 0, column 'message': is 5, expected text", "第 0 行，列 'message'：是 5，应为文本"),
        ("did you mean 'goal'?", "是否想写 'goal'？"),
        ("error: No such command 'rnu'. Did you mean 'run'?", "错误：没有命令 'rnu'。是否想写 'run'？"),
        ("2 alarms of before go on", "此前的 2 个警报仍在继续"),
        ("1 alarm of before go on", "此前的 1 个警报仍在继续"),
        (
            "  note: column 'x' is constant (3): nothing can be learnt from it",
            "  注意：列 'x' 恒定不变（3）：无法从中学习",
        ),
        ("of these 36 answers 90 % were given", "of these 36 answers 90 % were given"),
        ("我的包裹在哪里？", "我的包裹在哪里？"),
        ("", ""),
    ],
)
def test_a_text_is_told_in_chinese(english, chinese):
    """What has no twin is not told by halves."""
    assert in_chinese(english) == chinese


def test_names_keep_their_words():
    """A column that is called as a word of ours is still called so."""
    said, hint = wrong_names(["gaol"], ["goal", "train"], is_exact=True)
    told = in_chinese(f"row {said}")
    assert "'goal'" in told
    assert "'train'" in told
    assert in_chinese(hint) == "是否想写 'goal'？"


def test_lists_have_their_commas():
    assert in_chinese(f"label is 'z', expected {expected('abc')}") == "标签是 'z'，应为 'a'、'b'、'c' 之一"
    assert rendered(listed("ab")) is None or "、" in in_chinese(listed("ab"))


def test_values_may_stand_in_another_order():
    template = Template("{} of {} hold", "{1} 个中 {0} 个")
    assert template.filled(template.values("3 of 5 hold")) == "5 个中 3 个"
    assert template.values("3 of 5 are held") is None


def test_what_a_stranger_writes_takes_no_time():
    """Texts that quote what somebody sent: no way of matching goes wild on them."""
    started = time.process_time()
    for text in ("a: b, c; d and e. f (g) ", "is, expected ", "x: ", "the quick brown fox ", "' is '", "({"):
        in_chinese(text * (3_900 // len(text)))
    assert time.process_time() - started < 1.0


@pytest.mark.parametrize(
    ("environment", "arguments", "language"),
    [
        ({}, [], "en"),
        ({"LANG": "zh_CN.UTF-8"}, [], "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, [], "en"),
        ({"LANG": "en_US.UTF-8", "WINDLASS_LANGUAGE": "zh"}, [], "zh"),
        ({"LANG": "zh_CN.UTF-8"}, ["run", "--language", "en"], "en"),
        ({}, ["--language=zh", "run"], "zh"),
    ],
)
def test_the_language_of_a_command(environment, arguments, language):
    assert chosen.of_command(arguments, environment) == language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"), ("zh", "zh"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("en-US,en;q=0.9,zh;q=0.8", "en"),
        ("fr, zh;q=0.5", "zh"), ("zh;q=0", "en"), ("*", "en"), (";;;q=,", "en"), ("zh;q=9e9e9", "en"),
    ],
)  # fmt: skip
def test_the_language_of_a_request(header, language):
    assert chosen.of_header(header) == language


def test_english_is_what_it_was():
    """Byte for byte, whatever has a twin."""
    text = "error: /tmp has no windlass.yaml, expected one"
    assert chosen.translated(text) == text
    with chosen.speaking("zh"):
        assert chosen.translated(text) != text
    assert chosen.translated(text) == text


def test_chinese_signs_are_two_columns_wide():
    assert width("列 a") == 4
    assert padded("列", 4) == "列  "
    assert list(wrapped("训练与验证，以及 test 测试", 10, "")) == ["训练与验", "证，以及 ", "test 测试"] or all(
        width(line) <= 12 for line in wrapped("训练与验证，以及 test 测试", 10, "")
    )
