"""Keys open what they were made for and nothing else, until they are spent, revoked or over; nothing keeps them."""

import http.client
import itertools
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asking import Client, Reply
from openai import AuthenticationError, OpenAI, PermissionDeniedError, RateLimitError
from toy_writer import CHAT, RELEASE, Toy, writer_of
from typer.testing import CliRunner

from windlass.cli import app as command
from windlass.database.backend import Connection, Failure, Schema
from windlass.database.keys import KeyRequest, Quota, Rate, create, left_s, listing, period_of, revoke, shown, used
from windlass.database.request_log import RequestLog, answer_rows, feedback_rows
from windlass.database.sqlite import Sqlite
from windlass.errors import SpecError
from windlass.registry import releases
from windlass.serving.api.app import create_app
from windlass.serving.contract.faults import Fault
from windlass.serving.contract.routes import ROUTES, SCOPES
from windlass.serving.contract.settings import Settings
from windlass.serving.http.keyring import REFRESH_S, KeyRing
from windlass.serving.http.rate_limits import Buckets
from windlass.serving.http.server import bind, running
from windlass.serving.http.server_state import ServerState
from windlass.store.store import Store

CARD = {"row": {"message": "my card is lost"}}


@contextmanager
def guarded(store: Store, place: Path, settings: Settings | None = None, **server_state: Any) -> Iterator[Client]:
    """The champion behind a server that knows the keys of `place`. door: further fields of its door."""
    release, predictor = releases.open_release(store, releases.champion_id(store))
    with RequestLog(place) as log, KeyRing(place) as ring:
        settings = settings or Settings()
        app = create_app(release, predictor, log, settings, server_state=ServerState(ring, **server_state))
        with running(app, settings.deadline_s) as port:
            yield Client(port, app, log)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys") / "requests.sqlite"


@pytest.fixture(scope="module")
def tokens(place: Path) -> dict[str, str]:
    """One key a scope, one that is over and one that was revoked."""
    made = {scope: create(place, KeyRequest(scope, (scope,)))[1] for scope in SCOPES[1:]}
    made["over"] = create(place, KeyRequest("over", expires="1d"))[1]
    made["revoked"] = create(place, KeyRequest("revoked"))[1]
    made["wrong"] = made["predict"][:-1] + ("A" if made["predict"][-1] != "A" else "B")
    revoke(place, "revoked")
    with closing(sqlite3.connect(place)) as connection, connection:
        connection.execute("update keys set expires = ? where name = 'over'", (time.time() - 1,))
    return made


@pytest.fixture(scope="module")
def server(text_store: Store, place: Path, tokens: dict[str, str]) -> Iterator[Client]:
    with guarded(text_store, place) as client:
        yield client


def with_key(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_key_is_kept_as_its_hash_alone(place: Path, tokens: dict[str, str]) -> None:
    """43 characters of base64 hold 256 bits; none of them is in the file."""
    content = b"".join(path.read_bytes() for path in place.parent.iterdir())
    for token in tokens.values():
        secret = token.split("_", 2)[2]
        assert len(secret) == 43
        assert secret.encode() not in content
    assert len({key.hash for key in listing(place)}) == len(SCOPES) + 1


def test_a_key_opens_predict_in_both_of_its_headers(server: Client, tokens: dict[str, str]) -> None:
    assert server.predict(CARD, **with_key(tokens["predict"])).status == 200
    assert server.predict(CARD, x_api_key=tokens["predict"]).status == 200


def test_answers_and_feedback_are_remembered_with_the_key_that_sent_them(
    server: Client, tokens: dict[str, str]
) -> None:
    id = server.predict(CARD, **with_key(tokens["predict"])).json["answers"][0]["id"]
    assert server.feedback({"id": id, "correct": "card"}, **with_key(tokens["feedback"])).status == 200
    ids = {key.name: key.id for key in listing(server.log.database)}
    (given,) = [row for row in answer_rows(server.log.database) if row["id"] == id]
    (said,) = [row for row in feedback_rows(server.log.database) if row["id"] == id]
    assert (given["caller"], said["caller"]) == (ids["predict"], ids["feedback"])


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        ("wrong", 401, "key is not known"),
        ("over", 401, "key 'over' is expired"),
        ("revoked", 401, "key 'revoked' is revoked"),
        ("feedback", 403, "key 'feedback' has no scope 'predict'"),
        ("read", 403, "has no scope"),
    ],
)
def test_a_key_that_does_not_open_says_why(
    server: Client, tokens: dict[str, str], name: str, status: int, says: str
) -> None:
    reply = server.predict(CARD, **with_key(tokens[name]))
    assert reply.status == status
    assert says in reply.error["message"]
    assert tokens[name] not in reply.content.decode()
    assert reply.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)


def test_every_route_and_verb_opens_for_its_scope_alone(server: Client, tokens: dict[str, str]) -> None:
    """All routes x verbs x (no, wrong, expired, revoked, other scope): none is answered with 2xx but public ones."""
    verbs = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
    opened = []
    for method in verbs:
        for path in sorted({path for _, path in ROUTES}):
            route = ROUTES.get(("GET" if method == "HEAD" else method, path))  # HEAD is for whom GET is
            for name in ("", *tokens) if route else ("", "admin"):
                may = route and (route.scope == "public" or name in (route.scope, "admin"))
                body = b"{}" if method in ("POST", "PUT", "PATCH") else None
                headers = with_key(tokens[name]) if name else {}
                reply = server.ask(method, path.replace("{id}", "x"), body, **headers)
                if not may:
                    assert reply.status in (401, 403, 404, 405), (method, path, name, reply)
                elif reply.status < 300:
                    opened.append((method, path, name))
    assert ("GET", "/metrics", "read") in opened
    assert ("GET", "/", "") in opened


def test_no_byte_of_a_body_is_read_before_the_key_is(server: Client) -> None:
    """A body that is announced and never sent is refused at once, not after the deadline."""
    import socket

    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(
            b"POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            b"content-length: 16000000\r\n\r\n"
        )
        assert connection.recv(1_000).startswith(b"HTTP/1.1 401 "), "408 is what the deadline says"


def test_a_revoked_key_is_refused_within_two_seconds_without_a_restart(text_store: Store, tmp_path: Path) -> None:
    place = tmp_path / "requests.sqlite"
    _, token = create(place, KeyRequest("short"))
    with guarded(text_store, place) as client:
        assert client.predict(CARD, **with_key(token)).status == 200
        revoke(place, "short")
        started = time.monotonic()
        while client.predict(CARD, **with_key(token)).status == 200:
            assert time.monotonic() - started < 2 * REFRESH_S + 20  # the machine of the test may be slow
        assert client.predict(CARD).status == 401, "the last key is revoked: that opens nothing"


def test_the_first_key_closes_a_server_that_was_open(text_store: Store, tmp_path: Path) -> None:
    place = tmp_path / "requests.sqlite"
    with guarded(text_store, place) as client:
        assert client.predict(CARD).status == 200
        _, token = create(place, KeyRequest("first"))
        ring = client.app.state.server_state.ring
        ring.refresh()
        assert client.predict(CARD).status == 401
        assert client.predict(CARD, **with_key(token)).status == 200
        assert client.ask("GET", "/health").status == 200
        client.log.path.unlink()
        ring.refresh()
        assert client.predict(CARD).status == 401, "a lost file must not open the service"
        assert client.predict(CARD, **with_key(token)).status == 200


def test_a_rate_lets_so_many_through_and_says_when_to_come_back() -> None:
    """10 a second: ten at once, the eleventh after a tenth of a second. By hand, on a clock of its own."""
    now = [100.0]
    buckets = Buckets(lambda: now[0])
    rate = Rate(10, 1)
    assert [buckets.take("a", rate) for _ in range(10)] == [0] * 10
    assert buckets.take("a", rate) == pytest.approx(0.1)
    assert buckets.take("b", rate) == 0
    now[0] += 0.1
    assert buckets.take("a", rate) == 0
    assert buckets.take("a", rate) == pytest.approx(0.1)
    now[0] += 3_600
    assert sum(buckets.take("a", rate) == 0 for _ in range(100)) == 10


def test_too_many_requests_of_a_key_are_refused_with_429(text_store: Store, tmp_path: Path) -> None:
    place = tmp_path / "requests.sqlite"
    slow, quick = (create(place, KeyRequest(name, rate=rate))[1] for name, rate in (("slow", "2/h"), ("quick", "")))
    with guarded(text_store, place) as client:
        assert [client.predict(CARD, **with_key(slow)).status for _ in range(3)] == [200, 200, 429]
        reply = client.predict(CARD, **with_key(slow))
        assert reply.error["kind"] == "too_often"
        assert 1_700 < int(reply.headers["retry-after"]) <= 1_800
        assert client.predict(CARD, **with_key(quick)).status == 200


def test_a_quota_survives_a_restart_and_ends_with_its_period(tmp_path: Path) -> None:
    place = tmp_path / "requests.sqlite"
    _, token = create(place, KeyRequest("metered", quota="3/month"))
    now = [datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()]
    with KeyRing(place, lambda: now[0]) as ring:
        ring.admit(token, "predict")
        ring.admit(token, "predict")
    with KeyRing(place, lambda: now[0]) as ring:
        ring.admit(token, "predict")
        with pytest.raises(Fault, match=r"has used its 3 requests of this month") as refused:
            ring.admit(token, "predict")
        assert refused.value.status == 429
        assert refused.value.retry_after_s == 8 * 86_400 + 43_200  # 22 November, noon, to 1 December
        now[0] += 9 * 86_400
        ring.admit(token, "predict")
    assert sorted(used(place).values()) == [1, 3]


def test_periods_are_of_utc_and_end_when_they_should() -> None:
    new_year = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
    assert (period_of(Quota(1, "month"), new_year), left_s(Quota(1, "month"), new_year)) == ("2026-12", 1)
    assert (period_of(Quota(1, "day"), new_year), left_s(Quota(1, "day"), new_year)) == ("2026-12-31", 1)
    assert left_s(Quota(1, "day"), new_year - 3_600) == 3_601


COUNTING = """
import sys
from pathlib import Path
from windlass.serving.http.keyring import KeyRing
with KeyRing(Path(sys.argv[1])) as ring:
    for line in sys.stdin:
        for _ in range(int(line)):
            ring.admit(sys.argv[2], "predict")
        print("counted", flush=True)
"""


def test_kill_9_gives_nothing_away_and_costs_at_most_a_share(tmp_path: Path) -> None:
    """The stated bound: all that was answered is in the quota, and of 1,000 at most 15 more, which nobody asked for."""
    place = tmp_path / "requests.sqlite"
    _, token = create(place, KeyRequest("metered", quota="1000/month"))
    arguments = [sys.executable, "-c", COUNTING, str(place), token]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("40\n")
        process.stdin.flush()
        assert process.stdout.readline() == "counted\n"
        deadline = time.monotonic() + 60
        while sum(used(place).values()) < 40 and time.monotonic() < deadline:
            threading.Event().wait(0.05)
        process.stdin.write("7\n")
        process.stdin.flush()
        assert process.stdout.readline() == "counted\n"
        os.kill(process.pid, signal.SIGKILL)
    assert 47 <= sum(used(place).values()) <= 47 + 15


def asked_in_turn(token: str, *rings: KeyRing) -> int:
    """How many requests were admitted before the first that was not."""
    return sum(1 for _ in itertools.takewhile(lambda ring: admits(ring, token), itertools.cycle(rings)))


def admits(ring: KeyRing, token: str) -> bool:
    try:
        ring.admit(token, "predict")
    except Fault as fault:
        return fault.kind != "quota_used"
    return True


def test_workers_together_answer_what_the_quota_says_and_not_one_more(tmp_path: Path) -> None:
    """Two rings that never look again: of 20 they answered 35. Of 5,000 a ring may hold at most a share to the end."""
    place = tmp_path / "requests.sqlite"
    for name, quota in (("few", 20), ("many", 5_000)):
        _, token = create(place, KeyRequest(name, quota=f"{quota}/month"))
        with KeyRing(place) as one, KeyRing(place) as other:
            for ring in (one, other):
                ring._stop.set()
                ring._thread.join()
            answered = asked_in_turn(token, one, other, one)
            assert quota - 64 <= answered <= quota
            assert quota > 64 or answered == quota
            other.refresh()
            one.refresh()
            for ring in (one, other):
                while answered < quota:
                    ring.admit(token, "predict")
                    answered += 1
                with pytest.raises(Fault, match="has used"):
                    ring.admit(token, "predict")
        assert max(used(place).values()) == quota
    assert sorted(used(place).values()) == [20, 5_000]


def test_control_of_the_above_rings_that_count_each_for_itself_answer_twice_as_many(tmp_path: Path) -> None:
    """As both do while the database is away, and as all did before."""
    place = Leaving(tmp_path / "requests.sqlite")
    _, token = create(place, KeyRequest("few", quota="20/month"))
    with KeyRing(place) as one, KeyRing(place) as other:
        for ring in (one, other):
            ring._stop.set()
            ring._thread.join()
        place.is_away = True
        assert asked_in_turn(token, one, other) == 40
        place.is_away = False


class Leaving(Sqlite):
    """A file that cannot be written to while it is away."""

    is_away = False

    def connect(self, *schemas: Schema) -> Connection:
        connection = super().connect(*schemas)
        begin = connection.begin

        def begun() -> None:
            if self.is_away:
                raise Failure("lost", "away")
            begin()

        connection.begin = begun  # type: ignore[method-assign]
        return connection


def test_counts_of_two_processes_add_up(tmp_path: Path) -> None:
    """Two rings, as two workers have: neither overwrites what the other counted, and each learns of it."""
    place = tmp_path / "requests.sqlite"
    _, token = create(place, KeyRequest("metered", quota="10/day"))
    with KeyRing(place) as one, KeyRing(place) as other:
        for ring in (one, other, one, other):
            for _ in range(2):
                ring.admit(token, "predict")
            ring.refresh()
        assert list(used(place).values()) == [8]
        one.refresh()
        one.admit(token, "predict")
        one.admit(token, "predict")
        with pytest.raises(Fault, match="has used its 10"):
            one.admit(token, "predict")


def test_requests_are_answered_while_the_counts_cannot_be_written(tmp_path: Path) -> None:
    """The file becomes a folder; when it is back, what was counted meanwhile is written."""
    place = tmp_path / "requests.sqlite"
    _, token = create(place, KeyRequest("metered", quota="10/day"))
    with KeyRing(place) as ring:
        aside = place.rename(tmp_path / "aside")
        for path in tmp_path.glob("requests.sqlite-*"):
            path.unlink()
        place.mkdir()
        ring.admit(token, "predict")
        ring.refresh()
        assert ring.fault
        ring.admit(token, "predict")
        place.rmdir()
        aside.rename(place)
        ring.refresh()
        assert not ring.fault
    assert list(used(place).values()) == [2]


@pytest.mark.parametrize("name", ["authorization", "x-api-key", "idempotency-key", "origin", "host", "content-type"])
def test_a_header_of_which_another_server_may_take_the_other_one_stands_once(
    text_store: Store, tmp_path: Path, name: str
) -> None:
    """A gateway that checks the first key, and a service that takes the last. Control: other headers may come twice."""
    place = tmp_path / "keys.sqlite"
    _, token = create(place, KeyRequest("web"))
    values = {"authorization": f"Bearer {token}", "host": "localhost", "content-type": "application/json"}
    with guarded(text_store, place) as client:
        for twice, wanted in ((name, 400), ("accept", 200)):
            content = json.dumps(CARD).encode()
            with closing(http.client.HTTPConnection("127.0.0.1", client.port, timeout=60)) as connection:
                connection.putrequest("POST", "/v1/predict", skip_host=True)
                for each, value in {**values, "content-length": str(len(content))}.items():
                    connection.putheader(each, value)
                for _ in range(1 if twice in values else 2):
                    connection.putheader(twice, values.get(twice, "x"))
                connection.endheaders(content)
                assert connection.getresponse().status == wanted


def test_two_keys_are_refused_and_one_shown_twice_is_not(text_store: Store, tmp_path: Path) -> None:
    place = tmp_path / "keys.sqlite"
    one, other = (create(place, KeyRequest(name))[1] for name in ("one", "other"))
    with guarded(text_store, place) as client:
        assert client.predict(CARD, x_api_key=one, authorization=f"Bearer {other}").status == 400
        assert client.predict(CARD, x_api_key=one, authorization=f"Bearer {one}").status == 200


def test_an_address_that_others_reach_needs_a_key() -> None:
    with pytest.raises(SpecError, match="there is no key") as refused:
        bind("0.0.0.0", 0)
    assert "windlass keys create" in refused.value.hint
    bind("0.0.0.0", 0, is_guarded=True).close()


@pytest.mark.parametrize(
    "wish",
    [
        KeyRequest("Big Name"),
        KeyRequest("a", ()),
        KeyRequest("a", ("predit",)),
        KeyRequest("a", ("public",)),
        KeyRequest("a", expires="soon"),
        KeyRequest("a", expires="0d"),
        KeyRequest("a", rate="10"),
        KeyRequest("a", rate="0/s"),
        KeyRequest("a", quota="10/year"),
        KeyRequest("a", quota="9" * 14 + "/day"),
    ],
)
def test_a_wish_that_cannot_be_is_refused(tmp_path: Path, wish: KeyRequest) -> None:
    with pytest.raises(SpecError):
        create(tmp_path / "log.sqlite", wish)
    assert listing(tmp_path / "log.sqlite") == []


def test_the_commands_make_show_and_revoke_a_key(tmp_path: Path) -> None:
    (tmp_path / "windlass.yaml").write_text(
        "{name: desk, data: rows.csv, inputs: {message: text}, output: {intent: category}}", encoding="utf-8"
    )

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(command, ["keys", *arguments, "--project", str(tmp_path)])

    options = ("--scope", "predict", "--scope", "feedback", "--expires", "90d", "--rate", "10/s", "--quota", "9/month")
    made = run("create", "web", *options)
    token = made.stdout.strip()
    assert made.exit_code == 0
    assert token.startswith("wl_")
    (key,) = json.loads(run("list", "--json").stdout)
    assert key["scopes"] == ["feedback", "predict"]
    assert (key["name"], key["state"], key["rate"], key["quota"]) == ("web", "valid", "10/1 s", "9/month")
    assert token not in run("list").stdout
    assert "it is the first key: from now on" in made.stderr
    assert "first key" not in run("create", "second").stderr
    assert isinstance(run("create", "web").exception, SpecError)
    assert run("revoke", "web").exit_code == 0
    assert "revoked" in run("list").stdout
    assert isinstance(run("revoke", "wob").exception, SpecError)
    assert shown(tmp_path / ".windlass" / "serve" / "requests.sqlite")[0]["used"] == 0


def test_openais_client_sends_the_key_as_it_always_does(tmp_path: Path) -> None:
    place = tmp_path / "requests.sqlite"
    good, other, spent = (
        create(place, wish)[1]
        for wish in (KeyRequest("good"), KeyRequest("other", ("read",)), KeyRequest("spent", rate="1/h"))
    )

    def ask(port: int, token: str) -> str | None:
        client = OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=token, max_retries=0)
        with closing(client):
            messages = [{"role": "user", "content": "hi"}]
            return client.chat.completions.create(model=RELEASE.product, messages=messages).choices[0].message.content

    with RequestLog(place) as log, KeyRing(place) as ring:
        app = create_app(RELEASE, writer_of(Toy(), CHAT), log, Settings(), server_state=ServerState(ring))
        with running(app) as port:
            assert ask(port, good)
            with pytest.raises(AuthenticationError, match="not known"):
                ask(port, "sk-none")
            with pytest.raises(PermissionDeniedError, match="no scope"):
                ask(port, other)
            assert ask(port, spent)
            with pytest.raises(RateLimitError, match="more often"):
                ask(port, spent)


def test_the_keyless_have_a_rate_of_their_own(text_store: Store, tmp_path: Path) -> None:
    """Pages and refusals of one address; a key is not slowed by them, nor is the health check."""
    place = tmp_path / "requests.sqlite"
    _, token = create(place, KeyRequest("web"))
    with guarded(text_store, place, Settings(keyless_rate=Rate(3, 3_600))) as client:
        asked: list[Callable[[], Reply]] = [lambda: client.ask("GET", "/"), lambda: client.predict(CARD)]
        statuses = [asked[number % 2]().status for number in range(5)]
        assert statuses == [200, 401, 200, 429, 429]
        assert client.ask("GET", "/health").status == 200
        assert client.predict(CARD, **with_key(token)).status == 200
