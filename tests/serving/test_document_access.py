"""Behind a server a key names its groups: each sees its own documents, also in one batch and from the cache."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from asking import Client
from test_keys import with_key
from toy_writer import RELEASE

from windlass.database.keys import KeyRequest, create, shown
from windlass.database.request_log import RequestLog
from windlass.errors import SpecError
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
