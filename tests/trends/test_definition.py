"""`trends.yaml`: what it may say, and what is said of what it may not."""

from pathlib import Path

import pytest

from windlass.errors import NotReady, SpecError
from windlass.trends.definition import FILE_NAME, Definition, load_definition

WHOLE = "time: at\ntext: text\nbad: [negative]\nentities: {Harbour Bank: [HBK], Kestrel: }\n"


def defined(folder: Path, text: str) -> Definition:
    (folder / FILE_NAME).write_text(text, encoding="utf-8")
    return load_definition(folder)


def test_a_short_file_is_enough(tmp_path):
    found = defined(tmp_path, WHOLE)
    assert found.entities == {"Harbour Bank": ["HBK"], "Kestrel": []}
    assert (found.window, found.least, found.false_alarms_a_month) == (28, 5, 1.0)
    assert found.rule.level == pytest.approx(1 / 30.4375)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (WHOLE + "windw: 14\n", r"unknown key 'windw'.*\n?.*did you mean 'window'"),
        (WHOLE.replace("bad: [negative]\n", ""), "has no 'bad', expected it"),
        (WHOLE + "window: 3\n", "'window' is 3, expected greater than or equal to 7"),
        (WHOLE + "window: a week\n", "'window' is 'a week', expected a whole number"),
        (WHOLE + "timezone: Asia/Shangai\n", "'timezone' is 'Asia/Shangai', expected a name of the IANA"),
        (WHOLE + "language: de\n", "'language' is 'de', expected 'en' or 'zh'"),
        (WHOLE.replace("[HBK]", "HBK"), "'entities.Harbour Bank' is 'HBK', expected a list"),
        (WHOLE.replace("Kestrel: ", "Kestrel: [hbk]"), "'hbk' is a name of 'Harbour Bank' and of 'Kestrel'"),
        (WHOLE.replace("[HBK]", "['--']"), "a name of 'Harbour Bank' is '--', expected letters"),
        (WHOLE.replace("{Harbour Bank: [HBK], Kestrel: }", "{}"), "'entities' is {}, expected"),
    ],
)
def test_a_fault_is_named_with_what_was_expected(tmp_path, text, message):
    with pytest.raises(SpecError, match="(?s)" + message):
        defined(tmp_path, text)


def test_a_project_without_the_file_says_where_one_is(tmp_path):
    with pytest.raises(NotReady, match="new opinion-watch"):
        load_definition(tmp_path)
