"""A judge behind a URL: a real toy server that answers, stalls, fails, floods and lies."""

import gzip
import json
import logging
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import pytest

from tests.listening import listening
from windlass.errors import NotReady, SpecError
from windlass.evaluation.judging import judge
from windlass.remote import transport
from windlass.remote.requests import MAX_REPLY, Remote

BOUNDS = transport.Bounds(5.0, 1_000)


def completion(text):
    return 200, {}, json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode()


@contextmanager
def server(answer):
    """`answer(handler, number)` -> (status, headers, body), or None when it has answered itself. Gives URL and log."""
    log, lock = [], threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            with lock:
                log.append((self.path, dict(self.headers), json.loads(body)))
                number = len(log)
            found = answer(self, number)
            if found is None:
                return
            status, headers, content = found
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments):
            pass

    with listening(Handler) as url:
        yield f"{url}/v1", log


def test_it_asks_and_gives_what_the_model_says():
    with server(lambda handler, number: completion("tie 平局")) as (url, log):
        assert Remote(f"{url}/", "toy")("which?") == "tie 平局"
    path, headers, body = log[0]
    assert path == "/v1/chat/completions"
    assert "authorization" not in {name.lower() for name in headers}
    assert (body["model"], body["temperature"]) == ("toy", 0)
    assert body["messages"] == [{"role": "user", "content": "which?"}]


def test_a_whole_judgement_through_http():
    with server(lambda handler, number: completion("A")) as (url, log):
        found = judge(["a", "b"], ["c", "d"], ["x", "y"], Remote(url, "toy"))
    assert (found.position_bias, len(log)) == (1.0, 4)


def test_the_key_comes_from_the_environment_and_never_out_of_it(monkeypatch):
    monkeypatch.setenv("JUDGE_KEY", "sk-secret")
    with server(lambda handler, number: (401, {}, b'{"error": "bad key sk-secret"}')) as (url, log):
        remote = Remote(url, "toy", "JUDGE_KEY")
        with pytest.raises(NotReady, match="status 401") as caught:
            remote("x")
    assert log[0][1]["authorization"] == "Bearer sk-secret"
    assert "sk-secret" not in str(caught.value) + repr(remote)
    assert "***" in str(caught.value)
    with pytest.raises(NotReady, match="NO_SUCH_KEY is empty"):
        Remote(url, "toy", "NO_SUCH_KEY")
    with pytest.raises(SpecError, match="in the clear"):
        Remote("http://judge.example/v1", "toy", "JUDGE_KEY")
    Remote("https://judge.example/v1", "toy", "JUDGE_KEY")


@pytest.mark.parametrize(
    "url",
    ["", "judge.example", "ftp://x/v1", "file:///etc/passwd", "http://", "http://u:p@x/v1", "http://x/v1?a=b",
     "http://x/v1#a", "http://x:99999/v1", "http://x y/v1", "http://x/\n", "http://[::1/v1", "http://a..b/v1",
     f"http://{'a' * 70}/v1", "http://xn--SECRET/v1"],
)  # fmt: skip
def test_what_is_no_base_url_is_refused(url):
    with pytest.raises(SpecError, match="expected a base URL"):
        Remote(url, "toy")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_fault_is_tried_again(status):
    def answer(handler, number):
        return completion("B") if number == 3 else (status, {"retry-after": "0.02"}, b"busy")

    with server(answer) as (url, log):
        assert Remote(url, "toy", wait_s=0.01)("x") == "B"
    assert len(log) == 3


def test_a_lasting_fault_is_told_after_all_attempts():
    with server(lambda handler, number: (503, {}, b"down")) as (url, log):
        begun = time.perf_counter()
        with pytest.raises(NotReady, match=r"after 3 attempts: status 503"):
            Remote(url, "toy", attempts=3, wait_s=0.05)("x")
    assert len(log) == 3
    assert time.perf_counter() - begun >= 0.15, "it waits 0.05 s, then 0.1 s"


def test_a_refusal_is_not_tried_again():
    refusal = (404, {}, b"no model toy\x1b[31m")
    with server(lambda handler, number: refusal) as (url, log), pytest.raises(NotReady, match="no model toy") as caught:
        Remote(url, "toy", wait_s=0.01)("x")
    assert len(log) == 1
    assert "\x1b" not in str(caught.value)


def test_a_redirect_is_not_followed():
    moved = (302, {"location": "http://127.0.0.1:9/"}, b"")
    with server(lambda handler, number: moved) as (url, log), pytest.raises(NotReady, match="status 302"):
        Remote(url, "toy")("x")
    assert len(log) == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"not json", b"[]", b'{"choices": []}', b'{"choices": [{"message": {"content": null}}]}', b"[" * 100_000,
     b'{"choices": [{"message": {"content": 5}}]}', b"\xff\xfe"],
    ids=range(8),
)  # fmt: skip
def test_an_answer_that_is_none_is_told(body):
    wrong = pytest.raises(NotReady, match=r"no chat completion|has no text")
    with server(lambda handler, number: (200, {}, body)) as (url, _), wrong:
        Remote(url, "toy")("x")


def test_a_flood_is_cut_off():
    def answer(handler, number):
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(1_000):
                handler.wfile.write(b"x" * MAX_REPLY)
        except OSError:
            sent.append("cut off")

    sent: list[str] = []
    with server(answer) as (url, _):
        with pytest.raises(NotReady, match="larger than"):
            Remote(url, "toy")("x")
        until = time.perf_counter() + 60
        while not sent and time.perf_counter() < until:
            threading.Event().wait(0.01)
    assert sent == ["cut off"]


@pytest.mark.parametrize("how", ["silent", "slow headers", "slow body"])
def test_a_server_that_stalls_or_drips_is_left_at_the_deadline(how):
    done = threading.Event()

    def answer(handler, number):
        if how == "slow headers":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nx: ")
        elif how == "slow body":
            handler.send_response(200)
            handler.end_headers()
        while not done.wait(0.05):
            try:
                handler.wfile.write(b"" if how == "silent" else b" ")
            except OSError:
                return

    with server(answer) as (url, _):
        begun = time.perf_counter()
        with pytest.raises(NotReady, match="after 2 attempts"):
            Remote(url, "toy", timeout_s=0.4, attempts=2, wait_s=0.01)("x")
        spent = time.perf_counter() - begun
        done.set()
    assert 0.7 < spent < 30


def test_nobody_there_is_told():
    with server(lambda handler, number: None) as (url, _):
        pass
    with pytest.raises(NotReady, match="ConnectionRefusedError"):
        Remote(url, "toy", attempts=2, wait_s=0.01)("x")


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_a_model_is_asked_directly_whatever_the_environment_says(name, monkeypatch):
    """Only the address that the user named is told; a proxy was not named."""
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    with server(lambda handler, number: completion("A")) as (url, _):
        assert Remote(url, "toy", attempts=1)("x") == "A"


def test_a_proxy_is_the_one_that_the_environment_names_for_the_scheme(monkeypatch):
    for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "proxy.example:3128")
    assert transport.proxy_of("http://hook.example/x") == "http://proxy.example:3128"
    assert transport.proxy_of("https://hook.example/x") == ""
    monkeypatch.setenv("no_proxy", "hook.example")
    assert transport.proxy_of("http://hook.example/x") == ""
    monkeypatch.setenv("https_proxy", "socks5://user:word@proxy.example")
    with pytest.raises(transport.Unreached, match="names no proxy for HTTP") as caught:
        transport.proxy_of("https://other.example/x")
    assert "word" not in str(caught.value)


def test_a_proxy_gets_the_whole_address_when_it_is_given():
    with server(lambda handler, number: (200, {}, b"well")) as (proxy, log):
        reply = transport.post("http://hook.example/a?b=c", b"{}", {}, BOUNDS, proxy.removesuffix("/v1"))
    assert (reply.content, log[0][0], log[0][1]["Host"]) == (b"well", "http://hook.example/a?b=c", "hook.example")


def test_an_answer_is_neither_unpacked_nor_larger_than_its_bound():
    """A gzip bomb stays as small as it came."""
    packed = gzip.compress(b"x" * 1_000_000)[:1_000]
    with server(lambda handler, number: (200, {"content-encoding": "gzip"}, packed)) as (url, log):
        reply = transport.post(url, b"{}", {}, BOUNDS)
    assert (reply.content, reply.is_whole) == (packed, True)
    assert log[0][1]["accept-encoding"] == "identity"
    with server(lambda handler, number: (200, {}, b"x" * 1_001)) as (url, _):
        assert transport.post(url, b"{}", {}, BOUNDS).is_whole is False


def test_a_secret_in_a_path_or_a_header_is_in_no_log_and_no_error(caplog):
    caplog.set_level(logging.INFO)
    with server(lambda handler, number: (200, {}, b"")) as (url, _):
        transport.post(f"{url}/s3cret-path", b"{}", {}, BOUNDS)
        with pytest.raises(ValueError, match="header 'authorization' holds characters") as caught:
            transport.post(url, b"{}", {"authorization": "Bearer s3cret\n"}, BOUNDS)
    with pytest.raises(transport.Unreached) as unreached:
        transport.post(f"{url}/s3cret-path", b"{}", {}, BOUNDS)
    assert "s3cret" not in caplog.text + str(caught.value) + str(unreached.value)


def test_a_fault_says_what_the_system_said():
    """httpx wraps it twice."""
    with server(lambda handler, number: None) as (url, _):
        pass
    with pytest.raises(transport.Unreached, match=r"ConnectionRefusedError: \[Errno 111\]"):
        transport.post(url, b"{}", {}, BOUNDS)


def test_a_certificate_that_this_machine_does_not_trust_is_refused():
    """A server that speaks no TLS stands for it: there is no way around the handshake."""
    with server(lambda handler, number: (200, {}, b"")) as (url, log), pytest.raises(transport.Unreached, match="SSL"):
        transport.post(url.replace("http:", "https:"), b"{}", {}, BOUNDS)
    assert log == []


def test_half_of_a_character_is_no_answer():
    """A lone surrogate cannot be written as UTF-8, so it would end what logs or serves it; a pair is a character."""
    body = json.dumps({"choices": [{"message": {"content": "well \ud800"}}]}).encode()
    with server(lambda handler, number: (200, {}, body)) as (url, log):
        with pytest.raises(NotReady, match="lone surrogate") as caught:
            Remote(url, "toy", wait_s=0.01)("x")
        assert len(log) == 1
    assert caught.value.message.isascii()
    with server(lambda handler, number: completion("well \U0001f600")) as (url, _):
        assert Remote(url, "toy")("x") == "well \U0001f600"


@pytest.mark.parametrize(
    ("told", "counted"), [(7, 7), (10**9, 10**9), (10**9 + 1, 0), (10**400, 0), (-1, 0), (True, 0)]
)
def test_a_count_of_tokens_beyond_reason_is_none(told, counted):
    answer = {
        "choices": [{"message": {"content": "well"}}],
        "usage": {"prompt_tokens": told, "completion_tokens": told},
    }
    with server(lambda handler, number: (200, {}, json.dumps(answer).encode())) as (url, _):
        reply = Remote(url, "toy").chat([], {})
    assert (reply.n_prompt, reply.n_tokens) == (counted, counted)


NO_ADDRESSES = [
    "http://SECRET..b/", f"http://SECRET{'a' * 70}/", "http://xn--SECRET/", "http://[SECRET/x", "http://a:SECRET/",
    "http://127.0.0.1:1/SECRET\ud800", "http://a\0SECRET/", "http://user:SECRET\u2100@p:1", "", "SECRET",
    "http://user:p[SECRET@proxy:3128", "http://user:SECRET/ss@proxy:3128", "http://:0/SECRET", "ftp://SECRET/",
]  # fmt: skip


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_no_word_of_an_address_that_is_none_is_told(url, monkeypatch):
    """Neither of the URL nor of the proxy, whoever of urllib, httpx, idna and the resolver trips over it."""
    asked = [lambda: transport.post(url, b"", {}, BOUNDS), lambda: transport.proxy_of(url)]
    if url:
        asked.append(lambda: transport.post("http://127.0.0.1:9/", b"", {}, BOUNDS, url))
    for ask in asked:
        with pytest.raises(transport.Unreached, match="expected one such as") as caught:
            ask()
        assert "SECRET" not in str(caught.value)
        assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "proxy", [url for url in NO_ADDRESSES if "://" in url and "\ud800" not in url and "\0" not in url]
)
def test_no_word_of_a_proxy_that_is_none_is_told(proxy, monkeypatch):
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(transport.Unreached, match="names no proxy for HTTP") as caught:
        transport.proxy_of("http://hook.example/x")
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://h", "https://h.example.:443/a%20b?c=d", "http://[::1]:8000/v1", "http://m\xfcnchen.example/"]
)
def test_an_address_of_a_server_is_one(url):
    assert transport.is_address(url)
