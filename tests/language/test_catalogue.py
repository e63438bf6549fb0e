"""Every sentence that a person reads has its Chinese twin, written as a Chinese reader writes."""

import importlib.util
import re
from collections import Counter
from pathlib import Path
from string import Formatter

import pytest

from windlass.language.catalogue import catalogue, pairs
from windlass.language.rendering import parsed

TOOLS = Path(__file__).resolve().parents[2] / "tools"
FOLDER = Path(catalogue.__wrapped__.__code__.co_filename).parent / "zh"
HOW_TO_ADD = (
    "say it in Chinese, too: write `English<TAB>Chinese` into a file ({0}, {1} for the values, in any order), then "
    "`python tools/translations.py add FILE`; `English<TAB>-` where no person reads it. `python tools/translations.py` "
    "prints what is missing"
)
HAN = "\u3400-\u9fff"


def tool(name: str):
    spec = importlib.util.spec_from_file_location(f"tool_{name}", TOOLS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


translations, templates = tool("translations"), tool("templates")


def spoken_values(chinese: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(chinese) if field is not None}


def test_no_sentence_lacks_its_twin():
    missing = translations.missing(templates.templates(), catalogue())
    assert missing == [], HOW_TO_ADD


def test_a_sentence_that_is_new_is_missed():
    """The control: of an f-string, a help, a docstring of a command and a piece of HTML."""
    source = '''
def f(x):
    raise DataError(f"{x} is blue, expected {'red' if x else 'green'}", "paint it again")
@app.command()
def paint(n: Annotated[int, typer.Option(help="how many times it is painted")] = 1):
    """Paint the house."""
page = f"<p>It was painted <b>{n}</b> time{'s' * (n > 1)}.</p>"
'''
    found = set(templates.of_source(source))
    assert found == {
        "{} is blue, expected red", "{} is blue, expected green", "paint it again", "how many times it is painted",
        "Paint the house.", "It was painted <b>{}</b> time{~}.",
    }  # fmt: skip
    assert len(translations.missing({each: ["made_up.py"] for each in found}, catalogue())) == len(found)


@pytest.mark.parametrize(
    "source",
    ['logger.info(f"release {x} is loaded")', 'raise RuntimeError("this cannot be")', '"SELECT a FROM b WHERE c = ?"',
     '"""A docstring of nobody."""', 'words = {"a b": ("one thing", "一件事")}'],
)  # fmt: skip
def test_what_nobody_reads_is_no_sentence(source):
    assert list(templates.of_source(source)) == []


def test_both_sides_name_the_same_values():
    """`{0}` is the first value of the English, and none is left out or made up."""
    wrong = []
    for english, chinese in catalogue().items():
        values = [field for _, field in parsed(english) if field == ""]
        if spoken_values(chinese) != {str(place) for place in range(len(values))}:
            wrong.append((english, chinese))
    assert wrong == []


def unusual(chinese: str) -> str:
    """What a Chinese reader would not write so; '' = nothing. Names and commands in quotes are left alone."""
    text = re.sub(r"`[^`]*`|\{\{.*\}\}|'[^']*'|<[^>]*>", "x", chinese)
    for pattern, why in (
        (rf"[{HAN}] ?[,;?!](?: |$|[{HAN}])", "ASCII punctuation between Chinese"),
        (rf"[{HAN}]\.(?:\s|$|[{HAN}])", "ASCII full stop"),
        (rf"[{HAN}] [{HAN}]", "a space between Chinese signs"),
        (r"\d %(?![0-9A-F]{2})", "a space before %"),
        (rf"\([^()]*[{HAN}][^()]*\)", "ASCII brackets around Chinese"),
    ):
        if re.search(pattern, text):
            return why
    return ""


def test_punctuation_is_that_of_chinese():
    assert [(chinese, why) for chinese in catalogue().values() if (why := unusual(chinese))] == []


@pytest.mark.parametrize("text", ["已停止, 请重试", "已停止.", "训练 验证", "占 90 %", "列 (缺失)"])
def test_what_is_unusual_is_seen(text):
    """The control."""
    assert unusual(text)
    assert not unusual("已停止，请重试 {0}。列 'a, b' 占 90%（缺失），见 `windlass run, again`")


TERMS = {
    "验证": ("validation", "校验集"), "测试": ("test row", "检验集"), "版本": ("release", "发行版"),
    "候选": ("candidate", "备选"), "标签": ("label", "标记值"), "置信度": ("confidence", "信心"),
    "拒答": ("refus", "拒绝回答"), "警报": ("alarm", "告警"),
}  # fmt: skip


def test_one_term_for_one_thing():
    """What the glossary in terms.po does not use is used nowhere."""
    for term, (_, other) in TERMS.items():
        assert [chinese for chinese in catalogue().values() if other in chinese] == [], f"say {term}, not {other}"
    glossary = (FOLDER / translations.TERMS).read_text(encoding="utf-8").partition("msgid")[0]
    assert {"训练", "验证", "测试", "冠军版本", "回答"} <= set(re.findall(rf"[{HAN}]+", glossary))


def test_no_template_stands_twice():
    """Two files with two twins of one sentence would let the order of files decide."""
    found = Counter(english for path in FOLDER.glob("*.po") for english, _ in pairs(path.read_text(encoding="utf-8")))
    assert [english for english, n in found.items() if n > 1] == []
