# ruff: noqa: F811
"""The served tutor: an exercise is answered in the browser, the next follows at once, and the class shows it."""

import os

import numpy as np
import pytest
from test_browser import browser, opened  # noqa: F401  fixtures

from windlass.database.request_log import feedback_rows
from windlass.database.retention import forget
from windlass.kinds.items import History
from windlass.learners.recommend.tracing import fitting
from windlass.predictors.recommend.tracing.classroom import Classroom
from windlass.predictors.recommend.tracing.growth import Growth, Law
from windlass.predictors.recommend.tracing.labeller import TracedLabeller, _unread
from windlass.records import Catalogue, Column, Manifest
from windlass.serving.contract.settings import Settings

SHOTS = os.environ.get("WINDLASS_SHOTS", "")
"""A folder for pictures to look at; none are kept without."""
EXERCISES = ("a1", "a2", "b1", "b2")
CONTENT = Catalogue(
    EXERCISES,
    {
        "skill": ("a", "a", "b", "b"),
        "needs": ("", "", "a", "a"),
        "skill_name": ("Adding", "Adding", "Times", "Times"),
        "skill_name_zh": ("加法", "加法", "乘法", "乘法"),
        "text": ("What is 1 + 1?", "What is 2 + 2?", "What is 2 × 3?", "What is 2 × 4?"),
        "text_zh": ("1 + 1 等于多少？", "2 + 2 等于多少？", "2 × 3 等于多少？", "2 × 4 等于多少？"),
        "answer": ("2", "4", "6", "8"),
        "hint": ("Count on.", "Count on.", "Add it again.", "Add it again."),
        "hint_zh": ("接着数。", "接着数。", "再加一次。", "再加一次。"),
        "example": ("3 + 3 = 6", "3 + 3 = 6", "3 × 3 = 9", "3 × 3 = 9"),
    },
)
DAY = 86_400.0
KNOWN = History(("a1", "a2", "b1"), (DAY, DAY + 60, 2 * DAY), (1.0, 1.0, 0.0), "<n1>", whole=True)


@pytest.fixture(scope="module")
def client(writer_server, tmp_path_factory):
    _, course = fitting.course_of(EXERCISES, CONTENT)
    growth = Growth(course.skill, course.needs, np.zeros(4), np.array([0.3, -0.3]), Law().as_array())
    settings = {"tracer": "growth", "right": "yes", "exercises": list(EXERCISES), "skills": ["a", "b"]}
    history = Column("history", "items", {"written": {"counts": {"yes": 1, "no": 0}}})
    output = Column("right", "category", {"labels": ["no", "yes"]})
    manifest = Manifest("tracer", "growth", (history, Column("exercise", "category")), output, settings=settings)
    places = {name: number for number, name in enumerate(EXERCISES)}
    room = Classroom.of(CONTENT, [KNOWN], places)
    predictor = TracedLabeller(manifest, _unread, growth, places, room)
    folder = tmp_path_factory.mktemp("tutor")
    with writer_server(None, folder, settings=Settings(keep_inputs=True), predictor=predictor) as client:
        yield client


def asked(client, path, **body):
    reply = client.ask("POST", path, body)
    assert reply.status == 200, reply.content
    return reply.json


def test_what_is_tried_stays_and_tells_what_comes_next(client):
    before = asked(client, "/v1/tutor", learner="mia")
    assert (before["tried"], before["suggestions"][0]["is_checked"]) == (0, True)
    assert "answer" not in before["suggestions"][0], "who may read it need not try"
    one = asked(client, "/v1/tutor/answers", learner="mia", exercise="a1", written=" 2.0 ")
    assert (one["right"], one["answer"], one["next"]["tried"]) == (True, "2", 1)
    assert one["next"]["skills"][0]["share"] > before["skills"][0]["share"]
    assert all(each["exercise"] != "a1" for each in one["next"]["suggestions"]), "it rests"
    other = asked(client, "/v1/tutor/answers", learner="mia", exercise="a2", written="5")
    assert (other["right"], asked(client, "/v1/tutor", learner="mia")["tried"]) == (False, 2)
    first, second = list(feedback_rows(client.log.path))[-2:]
    assert (first["correct"], second["correct"]) == ("yes", "no")
    assert second["inputs"]["exercise"] == "a2"
    assert second["inputs"]["history"]["items"] == ["a1"], "improve learns from it: what came before stands there"
    forget(client.log.path, [other["id"]])
    assert asked(client, "/v1/tutor", learner="mia")["tried"] == 1, "what is forgotten is gone"


def test_what_a_release_knows_of_a_learner_goes_on(client):
    assert asked(client, "/v1/tutor", learner="<n1>")["tried"] == 3
    assert asked(client, "/v1/tutor/answers", learner="<n1>", exercise="b2", written="8")["next"]["tried"] == 4


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"learner": "", "exercise": "a1", "written": "2"}, 422, "'learner' is missing"),
        ({"learner": "x", "exercise": "z9", "written": "2"}, 404, "expected one that the release knows"),
        ({"learner": "x", "exercise": "a1", "written": " "}, 422, "expected what the learner answered"),
        ({"learner": "x", "exercise": "a1", "right": True}, 422, "expected what the learner answered"),
    ],
)
def test_what_is_no_try_is_refused(client, body, status, said):
    reply = client.ask("POST", "/v1/tutor/answers", body)
    assert (reply.status, said in reply.error["message"]) == (status, True)


def test_a_service_that_keeps_nothing_says_so(client, monkeypatch):
    monkeypatch.setattr(client.app.state.service, "settings", Settings())
    assert "keep_inputs" in client.ask("POST", "/v1/tutor", {"learner": "x"}).error["hint"]


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en-US", ("Right", "Not right", "Times", "Who needs help")),
        ("zh-CN", ("正确", "不对", "乘法", "谁在哪里需要帮助")),
    ],
)
def test_a_learner_works_in_the_browser_and_the_teacher_sees_it(client, opened, locale, words):
    tab = opened(client, locale=locale, viewport={"width": 390, "height": 844})
    right, wrong, skill, help = words
    page, name = tab.page, f"li {locale[:2]}"
    page.goto(f"{tab.home}/learn")
    page.fill("#learner", name)
    page.keyboard.press("Enter")
    for written, said in (("", right), ("99", wrong)):
        page.wait_for_selector("#written:focus")
        text = tab.text("#exercise .exercise")
        texts = CONTENT.columns["text" if locale == "en-US" else "text_zh"]
        page.fill("#written", written or CONTENT.columns["answer"][texts.index(text)])
        page.keyboard.press("Enter")
        page.wait_for_function("said => document.querySelector('#verdict').innerText.includes(said)", arg=said)
        assert tab.text("#exercise .exercise") != text, "the next one is there at once"
        assert not tab.is_scrolled_sideways()
    assert skill in tab.text("#skills")
    shot(page, f"learn-{locale}")
    page.goto(f"{tab.home}/class")
    shot(page, f"class-{locale}")
    assert help in tab.text("main")
    page.click(f"text={name}")
    assert name in tab.text("h1")
    assert not tab.is_scrolled_sideways()


def shot(page, name):
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)
