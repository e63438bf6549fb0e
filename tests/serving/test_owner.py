"""The owner's pages: who may see them, what a session is and is not, and what the page of the product shows to whom."""

import csv
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from asking import Client, Reply
from typer.testing import CliRunner

from windlass.cli import app as command
from windlass.database import sessions
from windlass.database.keys import KeyRequest, create, listing, revoke
from windlass.database.location import log_path
from windlass.errors import SpecError
from windlass.metrics.measures import Estimate
from windlass.records import Board, Candidate
from windlass.registry.model_cards import ModelCards
from windlass.registry.project_files import ProjectFiles
from windlass.serving.contract import page_look
from windlass.serving.contract.routes import ROUTES
from windlass.serving.contract.settings import Settings
from windlass.serving.http.keyring import KeyRing
from windlass.serving.http.rate_limits import Buckets
from windlass.serving.http.sessions import COOKIE, TRIES
from windlass.shipping.product import champion, write_project
from windlass.spec import parse
from windlass.store.store import Store

PAGES = {"/watch": "read", "/releases": "admin", "/roadmap": "admin", "/reports": "admin"}
SCORE = Estimate(0.91, 0.88, 0.94)
MADE = Candidate("linear", "linear", {"macro_f1": SCORE}, 0.9, 0.02, 0.4, 0.9, 2e3, 0.1, 3.0, True, [])
BOARD = Board("desk", "macro_f1", "macro_f1 >= 0.90", {}, "linear", "cheapest", [MADE], [], 300, "a machine")
CARD = {"row": {"message": "my card is lost"}}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("owner") / "requests.sqlite"


@pytest.fixture(scope="module")
def tokens(place: Path) -> dict[str, str]:
    return {scope: create(place, KeyRequest(scope, (scope,)))[1] for scope in ("predict", "read", "admin")}


@pytest.fixture(scope="module")
def server(text_store: Store, place: Path, tokens: dict[str, str], server_for: Callable[..., Any]) -> Iterator[Client]:
    with KeyRing(place) as ring, server_for(text_store, place.parent, files=ProjectFiles(text_store)) as client:
        client.app.state.server_state.ring = ring
        yield client


@pytest.fixture(autouse=True)
def _patient(request: pytest.FixtureRequest) -> None:
    """Each test may try to sign in as often as anybody."""
    if "server" in request.fixturenames:
        request.getfixturevalue("server").app.state.server_state.sessions._tries = Buckets()


def sign_in(client: Client, **said: str) -> Reply:
    return client.ask("POST", "/v1/session", said, origin=f"http://127.0.0.1:{client.port}")


def cookie_of(reply: Reply) -> str:
    return reply.headers["set-cookie"].partition(";")[0]


def test_a_page_for_which_one_must_sign_in_is_the_page_to_sign_in(server: Client, tokens: dict[str, str]) -> None:
    for path, scope in PAGES.items():
        assert ROUTES["GET", path].scope == scope
        reply = server.ask("GET", path)
        assert (reply.status, reply.headers["content-type"]) == (401, "text/html; charset=utf-8")
        assert b'id="sign-in"' in reply.content
        assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
        cookie = cookie_of(sign_in(server, key=tokens[scope]))
        shown = server.ask("GET", path, cookie=cookie)
        assert shown.status == 200
        assert b"owner-bar" in shown.content
        assert server.ask("GET", path, cookie=cookie_of(sign_in(server, key=tokens["predict"]))).status == 403


def test_a_session_opens_what_its_key_opens_and_no_more(server: Client, tokens: dict[str, str]) -> None:
    reply = sign_in(server, key=tokens["predict"])
    assert (reply.status, reply.json["name"], reply.json["scopes"]) == (200, "predict", ["predict"])
    assert tokens["predict"] not in str(reply)
    said = reply.headers["set-cookie"]
    assert all(part in said for part in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"))
    assert "Secure" not in said
    by_tls = server.ask("POST", "/v1/session", {"key": tokens["predict"]}, origin=f"https://127.0.0.1:{server.port}")
    assert "; Secure" in by_tls.headers["set-cookie"]
    origin, cookie = f"http://127.0.0.1:{server.port}", cookie_of(reply)
    assert server.predict(CARD, cookie=cookie, origin=origin).status == 200
    assert server.ask("GET", "/metrics", cookie=cookie).status == 403
    assert server.ask("GET", "/v1/session", cookie=cookie).json["name"] == "predict"
    assert server.ask("GET", "/v1/session").json == {
        "name": "", "scopes": [], "asks_for_keys": True, "passwords": False
    }  # fmt: skip


@pytest.mark.parametrize("origin", ["", "http://evil.example", "null", "http://localhost:1"])
def test_a_forged_request_with_the_cookie_of_a_session_is_refused(
    server: Client, tokens: dict[str, str], origin: str
) -> None:
    cookie = cookie_of(sign_in(server, key=tokens["predict"]))
    headers = {"cookie": cookie, **({"origin": origin} if origin else {})}
    for reply in (server.predict(CARD, **headers), server.ask("DELETE", "/v1/session", **headers)):
        assert (reply.status, reply.error["kind"]) == (403, "cross_site")
    assert server.ask("POST", "/v1/session", {"key": tokens["predict"]}, **headers).status == 403
    own = f"http://127.0.0.1:{server.port}"
    assert server.predict(CARD, cookie=cookie, origin=own).status == 200, "control: from our page"


def test_a_session_ends_with_signing_out_with_time_and_with_its_key(
    server: Client, place: Path, tokens: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ring, own = server.app.state.server_state.ring, f"http://127.0.0.1:{server.port}"
    cookie = cookie_of(sign_in(server, key=tokens["read"]))
    out = server.ask("DELETE", "/v1/session", cookie=cookie, origin=own)
    assert "Max-Age=0" in out.headers["set-cookie"]
    assert server.ask("GET", "/metrics", cookie=cookie).status == 401
    cookie = cookie_of(sign_in(server, key=tokens["read"]))
    assert server.ask("GET", "/metrics", cookie=cookie).status == 200
    with monkeypatch.context() as later:
        later.setattr(ring, "clock", lambda: time.time() + sessions.LASTS_S + 1)
        assert server.ask("GET", "/metrics", cookie=cookie).status == 401
    _, other = create(place, KeyRequest("other", ("read",)))
    ring.refresh()
    cookie = cookie_of(sign_in(server, key=other))
    assert server.ask("GET", "/metrics", cookie=cookie).status == 200
    revoke(place, "other")
    ring.refresh()
    assert server.ask("GET", "/metrics", cookie=cookie).status == 401


def test_a_made_up_cookie_opens_nothing_and_no_token_is_kept(
    server: Client, place: Path, tokens: dict[str, str]
) -> None:
    for made_up in ("x", "a" * 43, '"', "=;=", tokens["admin"]):
        assert server.ask("GET", "/releases", cookie=f"{COOKIE}={made_up}").status == 401
        assert server.ask("GET", "/", cookie=f"{COOKIE}={made_up}").status == 200
    token = cookie_of(sign_in(server, key=tokens["admin"])).partition("=")[2]
    assert len(token) == 43
    assert token.encode() not in b"".join(path.read_bytes() for path in place.parent.iterdir() if path.is_file())


def test_who_guesses_is_slowed_down(server: Client, tokens: dict[str, str]) -> None:
    wrong = tokens["admin"][:-1] + ("A" if tokens["admin"][-1] != "A" else "B")
    statuses = [sign_in(server, key=wrong).status for _ in range(int(TRIES.requests) + 1)]
    assert statuses == [401] * int(TRIES.requests) + [429]
    assert sign_in(server, key=tokens["admin"]).headers["retry-after"]


def test_a_key_with_a_password_is_signed_in_by_its_name(server: Client, place: Path) -> None:
    ring = server.app.state.server_state.ring
    key, _ = create(place, KeyRequest("boss", ("admin",)))
    ring.refresh()
    with pytest.raises(SpecError, match="password has 5 characters, expected 12 to 200"):
        sessions.set_password(place, key.id, "short")
    sessions.set_password(place, key.id, "correct horse battery")
    assert sign_in(server, name="boss", password="correct horse battery").json["scopes"] == ["admin"]
    for name, password in (("boss", "wrong horse battery"), ("boss", ""), ("nobody", "correct horse battery")):
        reply = sign_in(server, name=name, password=password)
        assert (reply.status, reply.error["message"]) == (
            401, "name and password do not fit, expected those of a valid key"
        )  # fmt: skip
    assert server.ask("GET", "/v1/session").json["passwords"]
    content = b"".join(path.read_bytes() for path in place.parent.iterdir() if path.is_file())
    assert b"correct horse" not in content
    sessions.set_password(place, key.id, "")
    assert sign_in(server, name="boss", password="correct horse battery").status == 401
    assert {each.name for each in listing(place)} >= {"boss", "admin"}


def test_the_page_of_the_product_shows_the_owner_more_than_a_visitor(server: Client, tokens: dict[str, str]) -> None:
    visitor = server.ask("GET", "/").content.decode()
    assert 'id="sign-in"' in visitor
    assert '<nav class="owner-bar"' not in visitor
    assert visitor.index("<form") < visitor.index("toy-1 &middot;"), "the product first, hashes last"
    reader = server.ask("GET", "/", cookie=cookie_of(sign_in(server, key=tokens["read"]))).content.decode()
    assert 'href="/watch"' in reader
    assert 'href="/roadmap"' not in reader
    owner = server.ask("GET", "/", cookie=cookie_of(sign_in(server, key=tokens["admin"]))).content.decode()
    assert all(f'href="{path}"' in owner for path in PAGES)
    assert 'id="sign-out"' in owner


def test_without_keys_whoever_reaches_the_service_is_its_owner(client: Client) -> None:
    page = client.ask("GET", "/").content.decode()
    assert 'href="/roadmap"' in page
    assert "sign-in" not in page.partition("<main")[2].partition("<script")[0]
    assert client.ask("GET", "/roadmap").status == 200
    assert client.ask("GET", "/reports/nothing").status == 404
    own = f"http://127.0.0.1:{client.port}"
    assert client.ask("POST", "/v1/session", {"key": "x"}, origin=own).status == 503


def test_where_others_reach_a_service_without_keys_nobody_is_its_owner(
    text_store: Store, tmp_path: Path, server_for: Callable[..., Any]
) -> None:
    with server_for(text_store, tmp_path, Settings(is_public=True), files=ProjectFiles(text_store)) as client:
        for path in ("/releases", "/roadmap", "/reports", "/reports/report", "/v1/answers.csv"):
            assert client.ask("GET", path).status == 403
        assert '<nav class="owner-bar"' not in client.ask("GET", "/").content.decode()


def test_a_password_is_typed_and_not_shown(own_store: Store) -> None:
    (own_store.project / "windlass.yaml").write_text(
        "name: desk\ndata: d.csv\ninputs: {message: text}\noutput: {intent: category}\n", encoding="utf-8"
    )
    key, _ = create(log_path(own_store), KeyRequest("boss", ("admin",)))
    run = CliRunner().invoke
    typed = "correct horse battery\n" * 2
    said = run(command, ["keys", "password", "boss", "--project", str(own_store.project)], input=typed)
    assert (said.exit_code, "horse" in said.output) == (0, False)
    assert sessions.is_password(log_path(own_store), key.id, "correct horse battery")
    said = run(command, ["keys", "password", "boss", "--remove", "--project", str(own_store.project)])
    assert "no password opens 'boss'" in said.output
    assert not sessions.is_password(log_path(own_store), key.id, "correct horse battery")


def test_a_shipped_product_looks_as_at_home(own_store: Store, tmp_path: Path) -> None:
    (own_store.project / "art").mkdir()
    (own_store.project / "art/logo.svg").write_text("<svg/>", encoding="utf-8")
    text = "name: desk\ndata: d.csv\ninputs: {message: text}\noutput: {intent: category}\nlook: {logo: art/logo.svg}\n"
    product = champion(parse(text), own_store, None)
    write_project(product, tmp_path / "shipped")
    assert page_look.read(product.spec.look, tmp_path / "shipped").logo.startswith("data:image/svg+xml;base64,")
    (own_store.project / "art/logo.svg").unlink()
    with pytest.raises(SpecError, match=r"look\.logo is 'art/logo\.svg', expected a file inside"):
        champion(parse(text), own_store, None)


def test_answers_and_the_leaderboard_can_be_taken_along(
    text_store: Store, tmp_path: Path, server_for: Callable[..., Any]
) -> None:
    settings, carried = Settings(keep_inputs=True), ModelCards(board=BOARD)
    with server_for(text_store, tmp_path, settings, model_cards=lambda id: carried) as client:
        given = client.predict({"rows": [{"message": "=my card is lost"}, {"message": "where is my refund"}]}).json
        client.feedback({"id": given["answers"][0]["id"], "correct": "refund"})
        reply = client.ask("GET", "/v1/answers.csv")
        assert reply.headers["content-disposition"] == 'attachment; filename="support-desk-answers.csv"'
        first, second = csv.DictReader(io.StringIO(reply.content.decode("utf-8-sig")))
        assert (first["answer"], first["correct"], first["judged"]) == ("card", "refund", "wrong")
        assert (first["message"], second["message"], second["judged"]) == (
            "'=my card is lost",
            "where is my refund",
            "",
        )
        (row,) = csv.DictReader(io.StringIO(client.ask("GET", "/v1/board.csv").content.decode("utf-8-sig")))
        assert (row["candidate"], row["macro_f1"], row["macro_f1_low"]) == ("linear", "0.91", "0.88")
        for name in ("answers", "board"):
            assert client.ask("GET", f"/v1/{name}.xlsx").content.startswith(b"PK")
