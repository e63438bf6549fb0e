"""The sample data of the blueprints that write: what their READMEs say of them, and that a tool made them.

And of those that answer from documents: that the documents say what the questions are told to be answered with.
"""

import csv
import importlib
import json
import re
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from windlass.blueprints import catalogue
from windlass.metrics.texts import rouge_l
from windlass.spec import load

TOOLS = Path(__file__).resolve().parent.parent / "tools"
WRITERS = ("translator", "summariser", "content-studio", "code-helper", "chatbot")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def table(name):
    path = next((catalogue.HOME / name / "data").glob("*.*"))
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file)) if path.suffix == ".csv" else [json.loads(line) for line in file]


def talks(split):
    lines = (catalogue.HOME / "chatbot" / "data" / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["messages"] for line in lines]


@pytest.mark.parametrize("name", WRITERS)
def test_the_data_is_what_its_tool_writes(name, tmp_path, monkeypatch):
    """Whoever changes a sentence changes the data with it."""
    monkeypatch.syspath_prepend(str(TOOLS))
    tool = importlib.import_module(f"make_{name.replace('-', '_')}")
    there = tool.TARGET
    target = tmp_path / there.name
    tool.main(target)
    files = [there] if there.is_file() else sorted(there.iterdir())
    assert files
    for path in files:
        made = target if there.is_file() else target / path.name
        assert made.read_bytes() == path.read_bytes(), f"{path.name} is older than its tool: run tools/make_*.py"


@pytest.mark.parametrize("name", WRITERS)
def test_the_readme_says_how_to_run_replace_and_name_a_real_model(name):
    readme = (catalogue.HOME / name / "README.md").read_text(encoding="utf-8")
    assert f"windlass new {name} " in readme
    assert "## Make it yours" in readme
    assert "learners: [" in readme
    assert "llm: " in readme


def test_all_five_together_are_small():
    sizes = {
        name: sum(path.stat().st_size for path in (catalogue.HOME / name).rglob("*") if path.is_file())
        for name in WRITERS
    }
    assert max(sizes.values()) < 1_000_000
    assert sum(sizes.values()) < 3_000_000


def test_no_translation_stands_twice_and_none_is_left_in_english():
    rows = table("translator")
    assert len(rows) >= 4_000
    assert len({row["en"] for row in rows}) == len({row["zh"] for row in rows}) == len(rows)
    for row in rows:
        assert not CHINESE.search(row["en"])
        left = set(re.findall("[A-Za-z]+", row["zh"])) - {"T", "XS", "S", "M", "L", "XL", "XXL"}
        assert not left, row["zh"]
        assert not re.search(r"[<>\[\]{}|]|  | [.,?!]", row["en"] + row["zh"]), row


def test_numbers_come_through_the_translation():
    """Order numbers and prices, the digits that may not get lost."""
    for row in table("translator"):
        wanted = Counter(re.findall(r"\b\d{4}\b|\d+(?= yuan)", row["en"]))
        assert not wanted - Counter(re.findall(r"\d+", row["zh"])), row


def test_chinese_measure_words_go_with_their_things():
    text = "".join(row["zh"] for row in table("translator"))
    looks = "(?:[深浅]?.色)?(?:皮质|棉质|羊毛|真丝|亚麻)?"
    things_of = {"双": "靴子|凉鞋", "件": "夹克|大衣|衬衫", "条": "围巾|长裤|连衣裙", "把": "雨伞|椅子"}
    for measure, things in things_of.items():
        found = re.findall(rf"(?<!周)[一两三四五六八十](.){looks}(?:{things})", text)
        assert set(found) == {measure}
        assert len(found) > 10
    assert "二件" not in text
    assert "二双" not in text


def test_the_first_sentence_is_no_summary():
    rows = table("summariser")
    assert len(rows) >= 1_500
    firsts = [rouge_l(re.split(r"(?<=[.。])", row["report"])[0], row["summary"]) for row in rows]
    assert sum(firsts) / len(firsts) < 0.2
    assert len({row["summary"] for row in rows}) == len(rows)


def test_every_number_and_name_of_a_summary_stands_in_its_report():
    for row in table("summariser"):
        names = re.findall(r"\d[\d,]*|(?<=[a-z,] )[A-Z][a-z]+", row["summary"])
        assert [name for name in names if name not in row["report"]] == []


def test_briefs_are_answered_with_their_facts():
    rows = table("content-studio")
    assert len(rows) >= 2_500
    for row in rows:
        if row["kind"] in ("product introduction", "marketing copy"):
            for fact in re.split("; |；", row["facts"]):
                assert fact.casefold() in row["text"].casefold(), row


def test_quatrains_have_their_form():
    """Four lines of five or seven characters, the images of the brief, no character twice but in a doubled word."""
    poems = [row for row in table("content-studio") if row["kind"].endswith("quatrain")]
    assert len(poems) >= 500
    for row in poems:
        lines = re.findall(r"[^，。\n]+", row["text"])
        assert [len(line) for line in lines] == [{"five": 5, "seven": 7}[row["kind"].split("-")[0]]] * 4
        first, third = row["facts"].split("；")
        assert first in lines[0]
        assert third in lines[2]
        characters = Counter("".join(lines))
        assert all(count == 1 or character * 2 in row["text"] for character, count in characters.items())


def test_conversations_have_two_to_six_turns_and_end_with_the_assistant():
    for split in ("train", "validation", "test"):
        for talk in talks(split):
            roles = [message["role"] for message in talk if message["role"] != "system"]
            assert roles == ["user", "assistant"] * (len(roles) // 2)
            assert 2 <= len(roles) // 2 <= 6


def test_no_conversation_lies_in_two_splits():
    whole = [json.dumps(talk) for split in ("train", "validation", "test") for talk in talks(split)]
    assert len(whole) >= 1_200
    assert len(set(whole)) == len(whole)


def test_the_bot_remembers_the_name_that_it_was_told():
    n_asked = 0
    for talk in talks("train"):
        for question, answer in pairwise(talk):
            if question["content"] == "What is my name?":
                n_asked += 1
                name = re.findall(r"Of course, you are (\w+)\.", answer["content"])
                assert name or answer["content"] == "You have not told me your name yet."
                assert not name or name[0] in next(said["content"] for said in talk if said["role"] == "user")
    assert n_asked > 20


def tasks():
    lines = (catalogue.HOME / "code-helper" / "tasks.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def passing(which):
    """The numbers of the tasks whose tests hold, each run in a namespace of its own in one other Python."""
    program = (
        "import json, sys\n"
        "for number, task in enumerate(json.load(sys.stdin)):\n"
        "    try:\n"
        f"        exec('\\n'.join([task[{which!r}], task['tests']]), {{}})\n"
        "        print(number)\n"
        "    except Exception:\n"
        "        pass\n"
    )
    found = subprocess.run(
        [sys.executable, "-I", "-c", program], input=json.dumps(tasks()), text=True, capture_output=True, timeout=60,
        check=True,
    )  # fmt: skip
    return [int(line) for line in found.stdout.split()]


def test_the_tests_of_the_repair_exercises_tell_right_from_wrong():
    assert len(tasks()) == 30
    assert passing("fixed") == list(range(30))
    assert passing("broken") == []


CELLS_MEET = re.compile(r"</t[dh]>\s*<t[dh][^>]*>")


@pytest.mark.parametrize(("name", "n_least"), [("help-center", 150), ("research-assistant", 60)])
def test_every_answer_stands_in_its_document_to_the_letter(name, n_least):
    """A quarter of the questions have none, so that refusing can be learned; a row of HTML is quoted with ` | `."""
    home = catalogue.HOME / name
    rows = [json.loads(line) for line in (home / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
    answered = [row["answer"] for row in rows if row["answer"]]
    for answer in answered:
        text = CELLS_MEET.sub(" | ", (home / "docs" / answer["document"]).read_text(encoding="utf-8"))
        assert answer["quote"] in text, answer
        assert answer["text"] in answer["quote"], answer
    assert len({row["question"] for row in rows}) == len(rows) >= n_least
    assert 0.2 < 1 - len(answered) / len(rows) < 0.3
    files = {path.relative_to(home / "docs").as_posix() for path in (home / "docs").rglob("*.*")}
    assert {answer["document"] for answer in answered} == files


def test_no_blueprint_keeps_for_ever_what_users_send():
    """`plan` asks for `keep_days` where what users send is kept; a product that is given away asks it of no one."""
    specs = [load(path.parent) for path in catalogue.HOME.rglob("windlass.yaml")]
    assert len(specs) >= len(list(catalogue.HOME.glob("*/windlass.yaml")))
    assert all(spec.keep_inputs and spec.keep_days == 90 for spec in specs)


def test_the_cells_are_what_their_tool_draws(monkeypatch):
    """The first pictures' annotations; the pictures themselves depend on how Pillow packs a JPEG."""
    monkeypatch.syspath_prepend(str(TOOLS))
    tool = importlib.import_module("make_cell_counter")
    rng = tool.np.random.default_rng(tool.SEED)
    kept = json.loads((tool.TARGET / "train.json").read_text(encoding="utf-8"))
    made = tool.coco([(f"train-{number:03}.jpg", tool.draw(rng)[1]) for number in range(5)])
    assert made["images"] == kept["images"][:5]
    assert made["annotations"] == kept["annotations"][: len(made["annotations"])]
