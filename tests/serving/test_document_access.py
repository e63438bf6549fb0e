"""Behind a server a key names its groups: each sees its own documents, also in one batch and from the cache."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from asking import Client
from test_keys import with_key
from toy_writer import RELEASE

from windlass.database.keys import KeyRequest, create, shown
from windlass.database.people_answers import PeopleAnswers, PersonAnswer
from windlass.database.request_log import RequestLog
from windlass.errors import SpecError, did_you_mean
from windlass.predictors.passages import index
from windlass.predictors.passages.access import AccessLists
from windlass.predictors.passages.answerer import Answerer
from windlass.predictors.passages.engine import PassageEngine
from windlass.records import Column, Manifest, Passage
from windlass.serving.api.app import create_app
from windlass.serving.contract.settings import Settings
from windlass.serving.http.keyring import KeyRing
from windlass.serving.http.server import running
from windlass.serving.http.server_state import ServerState

SAID = {"pay.md": ("hr",), "plan.md": ("board",), "menu.md": None}
QUESTION = {"row": {"question": "What does the secret kettle weigh?"}}


def answerer() -> Answerer:
    texts = [f"The secret kettle of {name} weighs {number} kilos." for number, name in enumerate(SAID)]
    passages = [Passage(name, (), 0, 0, len(text), text, access=access)
                for (name, access), text in zip(SAID.items(), texts, strict=True)]  # fmt: skip
    lists = AccessLists.of([None if each.access is None else frozenset(each.access) for each in passages])
    manifest = Manifest("passages", "bm25", (Column("question", "text"),), Column("answer", "cited"))
    return Answerer(manifest, PassageEngine(passages, index.build(texts)), lists)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[tuple[Client, dict[str, str]]]:
    """A client, and a key each of hr, board and nobody's group, and of the owner."""
    place = tmp_path / "requests.sqlite"
    scopes = {"hr": ("predict", "feedback"), "board": ("predict", "feedback"), "nobody": ("predict", "feedback"),
              "owner": ("admin",)}  # fmt: skip
    wishes = [
        KeyRequest(name, each, groups=(name,) if name in ("hr", "board") else ()) for name, each in scopes.items()
    ]
    tokens = {wish.name: create(place, wish)[1] for wish in wishes}
    with KeyRing(place) as ring, RequestLog(place) as log:
        app = create_app(RELEASE, answerer(), log, Settings(keep_inputs=True), ServerState(ring))
        with running(app, 30) as port:
            yield Client(port, app, log), tokens


def named(value: dict) -> set[str]:
    return {each["document"] for each in value["passages"]}


def test_each_key_sees_the_documents_of_its_groups_and_no_cache_mixes_them(tmp_path: Path) -> None:
    place = tmp_path / "requests.sqlite"
    tokens = {group: create(place, KeyRequest(group, ("predict", "feedback"), groups=(group,)))[1]
              for group in ("hr", "board")}  # fmt: skip
    tokens["nobody"] = create(place, KeyRequest("nobody"))[1]
    assert [each["groups"] for each in shown(place)] == [["hr"], ["board"], []]
    wanted = {"hr": {"pay.md", "menu.md"}, "board": {"plan.md", "menu.md"}, "nobody": {"menu.md"}}
    with KeyRing(place) as ring, RequestLog(place) as log:
        app = create_app(RELEASE, answerer(), log, Settings(cache=100), ServerState(ring))
        with running(app, 30) as port, ThreadPoolExecutor(8) as pool:
            client = Client(port, app, log)
            order = [*wanted] * 20
            replies = list(pool.map(lambda name: client.predict(QUESTION, **with_key(tokens[name])), order))
            for name, reply in zip(order, replies, strict=True):
                assert named(reply.json["answers"][0]["value"]) == wanted[name]
            assert app.state.service.replica.cache.hits > 10
            said = {"model": RELEASE.product, "messages": [{"role": "user", "content": QUESTION["row"]["question"]}]}
            chat = client.ask("POST", "/v1/chat/completions", said, **with_key(tokens["nobody"])).json
            notes = [note["file_citation"]["filename"] for note in chat["choices"][0]["message"]["annotations"]]
            assert set(notes) <= {"menu.md"}
            own = next(reply for name, reply in zip(order, replies, strict=True) if name == "hr")
            told = client.feedback({"id": own.json["answers"][0]["id"], "right": True}, **with_key(tokens["board"]))
            assert (told.status, told.json["correct"]) == (200, "")


def test_without_a_key_what_everybody_may_see_is_answered(tmp_path: Path) -> None:
    """A job, too, sees what its key's groups may; without keys that is what is for everybody."""
    with RequestLog(tmp_path / "requests.sqlite") as log:
        app = create_app(RELEASE, answerer(), log, Settings())
        with running(app, 30) as port:
            value = Client(port).predict(QUESTION).json["answers"][0]["value"]
    assert named(value) == {"menu.md"}


def test_a_batch_of_several_askers_is_answered_one_by_one(tmp_path: Path) -> None:
    from windlass.serving.runtime.replica import Asked, Replica

    replica = Replica(RELEASE, answerer(), Settings())
    groups = [frozenset({"hr"}), frozenset[str](), frozenset({"board"}), frozenset({"hr"}), None]
    given = replica._compute_each([Asked(QUESTION["row"], names) for names in groups], 100)
    replica.close()
    sizes = [len(named(each.value)) for each in given]
    assert sizes == [2, 1, 2, 2, 3]


def test_a_group_is_a_name(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="expected a name without spaces"):
        create(tmp_path / "requests.sqlite", KeyRequest("a", groups=("h r",)))


def test_a_valid_key_alone_gives_groups(tmp_path: Path) -> None:
    place = tmp_path / "requests.sqlite"
    key, _ = create(place, KeyRequest("a", groups=("HR",)))
    with KeyRing(place, clock=lambda: key.created) as ring:
        assert ring.groups_of(key.id) == {"hr"}
        assert ring.groups_of("unknown") == frozenset()


def test_feedback_does_not_tell_a_hidden_document_from_one_that_is_not_there(
    guarded: tuple[Client, dict[str, str]],
) -> None:
    client, tokens = guarded

    def said(name: str, document: str) -> Any:
        id = client.predict(QUESTION, **with_key(tokens[name])).json["answers"][0]["id"]
        told = client.feedback({"id": id, "correct": {"text": "x", "document": document}}, **with_key(tokens[name]))
        error = told.json.get("error", {})
        return told.status, {name: error.get(name) for name in ("kind", "message", "hint")}

    for document in ("pay.md", "plan.md", "paz.md", "elsewhere.txt"):  # hidden, and not there
        assert said("nobody", document) == (422, {
            "kind": "data_error",
            "message": f"document is '{document}', expected one that the release has read",
            "hint": did_you_mean(document, ["menu.md"]) or "leave 'document' out where no document says it yet",
        })  # fmt: skip
    assert said("hr", "pay.md")[0] == said("nobody", "menu.md")[0] == 200
    assert said("hr", "pax.md")[1]["hint"] == "did you mean 'pay.md'?"
    assert said("hr", "plan.md")[0] == 422


def test_what_the_owner_said_is_tested_with_every_document(guarded: tuple[Client, dict[str, str]]) -> None:
    client, tokens = guarded
    people = PeopleAnswers(client.log.database)
    people.add(PersonAnswer({"question": "What does the secret kettle of pay.md weigh?"}, {"document": "pay.md"}))
    people.add(PersonAnswer({"question": "What does the secret kettle of plan.md weigh?"}, {"document": "menu.md"}))
    people.close()
    tests = client.ask("GET", "/v1/refusals", **with_key(tokens["owner"])).json["tests"]
    assert {each["answer"]["document"]: each["holds"] for each in tests} == {"pay.md": True, "menu.md": False}


def test_a_follow_up_is_read_with_the_documents_of_who_asks(
    guarded: tuple[Client, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, tokens = guarded
    asked = []
    monkeypatch.setattr(Answerer, "standalone", lambda self, turns: asked.append(self.names) or turns[-1])
    turns = [{"role": "user", "content": text} for text in ("Which kettle?", "And its weight?")]
    for name in ("hr", "nobody"):
        said = {"model": RELEASE.product, "messages": turns}
        assert client.ask("POST", "/v1/chat/completions", said, **with_key(tokens[name])).status == 200
    assert asked == [{"hr"}, set()]


def test_the_number_of_passages_is_a_few_plain_digits() -> None:
    """More digits than Python's `int` takes, digits of other scripts, and no numbers at all."""
    with running(create_app(RELEASE, answerer(), None, Settings()), 30) as port:
        for k in ("9" * 5_000, "%D9%A3", "%C2%B2", "-1", "0", "1e1", "", "11", "00003"):
            refused = Client(port).ask("GET", f"/v1/search?query=kettle&k={k}")
            assert (refused.status, k) == (422, k)
            assert refused.error["message"].endswith("expected a number of passages from 1 to 10")
        assert Client(port).ask("GET", "/v1/search?query=kettle&k=03").status == 200


def test_a_verdict_is_not_told_to_who_may_not_see_what_the_answer_saw(guarded: tuple[Client, dict[str, str]]) -> None:
    client, tokens = guarded

    def right(asker: str, judge: str) -> bool | None:
        id = client.predict(QUESTION, **with_key(tokens[asker])).json["answers"][0]["id"]
        told = client.feedback({"id": id, "correct": "a guess"}, **with_key(tokens[judge]))
        assert told.status == 200
        return told.json["right"]

    pairs = ("hr", "nobody"), ("hr", "board"), ("hr", "hr"), ("nobody", "hr"), ("nobody", "owner")
    assert [right(*pair) for pair in pairs] == [None, None, False, False, False]
    id = client.predict(QUESTION, **with_key(tokens["hr"])).json["answers"][0]["id"]
    assert client.feedback({"id": id, "right": False}, **with_key(tokens["nobody"])).json["right"] is False  # own word
