"""The pages for search and for refused questions: their routes, their words, and a person at work in a real browser."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_browser import NARROW, WAIT_MS, browser  # noqa: F401  (a fixture)

from windlass.database.people_answers import DOCUMENT, people_answers
from windlass.predictors.passages.answerer import LEAST, Answerer
from windlass.predictors.passages.engine import PassageEngine
from windlass.predictors.passages.index import build
from windlass.records import Column, Manifest, Passage
from windlass.serving.contract.settings import Settings
from windlass.serving.ui import page
from windlass.serving.ui.desk_pages import SCRIPTS

TEXTS = {
    "returns.md": "A return label costs 3.90 euros. 退货面单费用为 3.90 欧元。",
    "gifts.md": "Gift cards are valid for two years. 礼品卡有效期为两年。",
    "bad.md": "<img src=x onerror=alert(1)> is the name of a kettle.",
}
PASSAGES = [Passage(name, (), 0, 0, len(text), text, title=name) for name, text in TEXTS.items()]


def answerer() -> Answerer:
    """An index that has learned nothing: it answers where a sentence holds half of a question."""
    output = Column("answer", "cited", {LEAST: 0.5})
    manifest = Manifest("passages", "bm25", (Column("question", "text"),), output)
    return Answerer(manifest, PassageEngine(PASSAGES, build([each.searched for each in PASSAGES])))


@pytest.fixture
def desk(tmp_path: Path, writer_server: Any) -> Iterator[Any]:
    with writer_server(None, tmp_path, settings=Settings(keep_inputs=True), predictor=answerer()) as client:
        yield client


def asked(client: Any, *questions: str) -> None:
    for question in questions:
        found = client.ask("POST", "/v1/predict", {"row": {"question": question}}).json["answers"][0]
        assert found["value"]["refused"], question
    until = time.monotonic() + WAIT_MS / 1000
    while client.ask("GET", "/v1/refusals").json["waiting"] < len(questions) and time.monotonic() < until:
        time.sleep(0.02)  # the log gathers answers


def test_every_string_is_there_in_both_languages() -> None:
    english, chinese = page.asset("desk_words.js").split("Object.assign(WORDS.zh")
    own = [set(re.findall(r"[{ ](\w+): \"", part)) for part in (english, chinese)]
    assert own[0] == own[1]
    known = own[0] | set(re.findall(r"[{ ](\w+): \"", page.asset("words.js")))
    scripts = page.asset(*{*SCRIPTS["search"], *SCRIPTS["refusals"]} - {"words.js"})
    used = set(re.findall(r'(?:word|button|refuse)\(\s*"(\w+)"', scripts)) | set(re.findall(r', "(\w+)"\)', scripts))
    assert {"searchFor", "deskNote"} <= known
    assert {name for name in used if not name.islower() or name in own[0]} <= known


def test_a_service_open_to_others_without_keys_shows_no_refusal(tmp_path: Path, writer_server: Any) -> None:
    """Who may publish answers is its owner; the control is the same service on this machine alone."""
    for is_public, status in ((True, 403), (False, 200)):
        home = tmp_path / str(is_public)
        home.mkdir()
        with writer_server(None, home, settings=Settings(is_public=is_public), predictor=answerer()) as client:
            assert client.ask("GET", "/v1/refusals").status == status
            assert client.ask("GET", "/v1/search?query=gift").status == 200


@pytest.mark.parametrize(("locale", "size", "chinese"), [("en-US", {"width": 1100, "height": 800}, False),
                                                         ("zh-CN", NARROW, True)])  # fmt: skip
def test_a_person_answers_what_was_refused(browser: Any, desk: Any, locale: str, size: Any, chinese: bool) -> None:  # noqa: F811
    """By keyboard, in both languages, on a phone; a file's name or text is never markup."""
    question, said = ("可以带狗吗？", "狗可以进店。") if chinese else ("Are dogs allowed?", "Dogs may come in.")
    asked(desk, question, "Is there a <b>tower</b>?")
    context = browser.new_context(locale=locale, viewport=size)
    tab, complaints = context.new_page(), list[str]()
    tab.set_default_timeout(WAIT_MS)
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    home = f"http://127.0.0.1:{desk.port}"
    tab.goto(f"{home}/search")
    tab.keyboard.type("退货面单" if chinese else "kettle name")
    tab.keyboard.press("Enter")
    tab.wait_for_selector(".passage mark")
    assert ("returns.md" if chinese else "bad.md") in tab.inner_text(".passage h3")
    tab.goto(f"{home}/refusals")
    card = tab.locator("form.group", has_text=question)
    card.locator("textarea").press("Control+Enter")
    card.locator("[role=alert]").wait_for()  # nothing was written yet
    card.locator("textarea").fill(said)
    card.locator("textarea").press("Control+Enter")
    tab.wait_for_selector("form.group .stored")
    other = tab.locator("form.group", has_text="tower")
    assert "<b>tower</b>" in other.inner_text()
    other.locator("summary").press("Enter")
    other.locator("input[type=radio]").first.check()
    other.locator("fieldset + button").click()
    tab.locator("form.group .stored").nth(1).wait_for()
    assert not tab.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    context.close()
    assert complaints == []
    kept = people_answers(desk.log.database)
    assert {(each.inputs["question"], each.answer["document"] == DOCUMENT) for each in kept} == {
        (question, True), ("Is there a <b>tower</b>?", False)}  # fmt: skip


def test_a_right_answer_that_nobody_can_see_is_refused_and_a_bare_row_is_shown_its_form(desk: Any) -> None:
    id = desk.predict({"row": {"question": "Are dogs allowed?"}}).json["answers"][0]["id"]
    for unseen in ("\0", "\x01\x02", " \u200b", {"text": "\x07", "document": " "}):
        told = desk.feedback({"id": id, "correct": unseen})
        assert (told.status, told.error["message"]) == (
            422, "answer is empty, expected an answer, or {} where no document answers")  # fmt: skip
    assert desk.predict({"question": "Are dogs allowed?"}).error["hint"] == '`{"row": {"question": "..."}}`'
    assert desk.predict({"rwo": {}}).error["hint"] == "did you mean 'row'?"
