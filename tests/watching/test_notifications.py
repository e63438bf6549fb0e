"""People are told of an alarm where windlass.yaml says, once, also after a failure; and of none that is silenced."""

import json
import smtplib
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.watching.replay import Replay, Source
from windlass.errors import SpecError
from windlass.watching import state
from windlass.watching.notifications import tell
from windlass.watching.silence import silence


@contextmanager
def receiver(status: int = 200, location: str = ""):
    """A web server that keeps what it is sent; answers with this status."""
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            got.append((self.path, headers, json.loads(body)))
            self.send_response(status)
            if location:
                self.send_header("location", location)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *given):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _alarmed(tmp_path, **settings) -> Replay:
    """A product with a strong drift of one column, looked at once."""
    replay = Replay(tmp_path)
    replay.spec = replay.spec.model_copy(update={"watch": replay.spec.watch.model_copy(update=settings)})
    replay.day(Source())
    replay.day(Source(2, shift=2.0))
    assert {alarm.subject for alarm in replay.health().alarms} == {"amount"}
    return replay


def test_a_webhook_gets_each_alarm_once_with_its_key(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WINDLASS_HOOK_KEY", "s3cret")
    with receiver() as (url, got):
        replay = _alarmed(tmp_path, webhook=url, webhook_key="WINDLASS_HOOK_KEY", file="alarms.jsonl")
        assert tell(replay.spec, replay.store) == []
        replay.health()
        assert tell(replay.spec, replay.store) == []
    names = [(body["event"], body["name"], body["subject"]) for _, _, body in got]
    assert len(names) == len(set(names)) >= 1
    assert ("raised", "drift", "amount") in names
    assert got[0][1]["authorization"] == "Bearer s3cret"
    lines = [json.loads(line) for line in (tmp_path / "alarms.jsonl").read_text().splitlines()]
    assert [(line["event"], line["name"], line["subject"]) for line in lines] == names
    assert "alarm raised: drift amount" in capsys.readouterr().err
    assert "s3cret" not in (replay.store.folder / "watch" / state.FILE).read_text()


def test_what_could_not_be_sent_is_sent_later(tmp_path):
    with receiver(503) as (url, _):
        replay = _alarmed(tmp_path, webhook=url)
        assert any("HTTP 503" in fault for fault in tell(replay.spec, replay.store))
    port = int(url.split(":")[2].split("/")[0])
    with receiver() as (other, got):
        moved = replay.spec.watch.model_copy(update={"webhook": other})
        assert tell(replay.spec.model_copy(update={"watch": moved}), replay.store) == []
    assert port
    assert got


def test_a_webhook_that_points_elsewhere_is_not_followed(tmp_path):
    """Control: the other place is there and would take it."""
    with receiver() as (other, stolen), receiver(307, other) as (url, got):
        replay = _alarmed(tmp_path, webhook=url)
        assert any("HTTP 307" in fault for fault in tell(replay.spec, replay.store))
    assert got
    assert not stolen


def test_a_missing_secret_is_named(tmp_path):
    with receiver() as (url, got):
        replay = _alarmed(tmp_path, webhook=url, webhook_key="WINDLASS_NO_SUCH_KEY")
        assert any("WINDLASS_NO_SUCH_KEY is not set" in fault for fault in tell(replay.spec, replay.store))
    assert not got


def test_alarms_come_by_mail(tmp_path):
    from aiosmtpd.controller import Controller

    class Box:
        def __init__(self):
            self.mails = []

        async def handle_DATA(self, server, session, envelope):
            self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content.decode()))
            return "250 OK"

    box = Box()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        replay = _alarmed(
            tmp_path, mail_server=f"127.0.0.1:{port}", mail_from="desk@example.com", mail_to=["team@example.com"]
        )
        assert tell(replay.spec, replay.store) == []
    finally:
        controller.stop()
    sender, receivers, content = box.mails[0]
    assert (sender, receivers) == ("desk@example.com", ["team@example.com"])
    assert "'amount'" in content
    assert any("Subject: desk: alarm raised: drift amount" in sent for _, _, sent in box.mails)


def test_a_mail_server_that_is_away_is_a_fault_and_no_crash(tmp_path):
    replay = _alarmed(tmp_path, mail_server="127.0.0.1:9", mail_from="a@example.com", mail_to=["b@example.com"])
    assert any("by mail" in fault for fault in tell(replay.spec, replay.store))


def test_no_password_goes_over_an_open_line(monkeypatch, tmp_path):
    """Another host without STARTTLS gets none; the connection itself is our loopback one."""

    class Plain(smtplib.SMTP):
        sock = None

        def __init__(self, *given, **named):
            """Connects to nobody."""

        def ehlo(self, name=""):
            return 250, b""

        def has_extn(self, opt):
            return False

        def login(self, *given):
            raise AssertionError("a password was sent")

        def __exit__(self, *given):
            return None

    monkeypatch.setattr(smtplib, "SMTP", Plain)
    monkeypatch.setenv("MAIL_WORD", "hush")
    monkeypatch.setenv("WINDLASS_ALLOW_URLS", "smtp://mail.example.com:25/b@example.com#MAIL_WORD")
    replay = _alarmed(
        tmp_path, mail_server="mail.example.com:25", mail_from="a@example.com", mail_to=["b@example.com"],
        mail_password="MAIL_WORD",
    )  # fmt: skip
    assert any("offers no encryption" in fault for fault in tell(replay.spec, replay.store))


def test_a_silenced_alarm_is_seen_and_not_told_until_the_silence_ends(tmp_path, capsys):
    replay = Replay(tmp_path)
    replay.day(Source())
    replay.day(Source(2, shift=2.0))
    for alarm in ("drift:amount", "data"):
        silence(replay.store, ["silence", alarm, "1d"], replay.now)
    assert replay.health().alarms
    tell(replay.spec, replay.store)
    assert "alarm raised" not in capsys.readouterr().err
    replay.day(Source(3, shift=2.0))
    replay.health()
    tell(replay.spec, replay.store)
    assert "alarm raised: drift amount" in capsys.readouterr().err


@pytest.mark.parametrize(
    "order", [["silence"], ["mute", "drift", "7d"], ["silence", "drif", "7d"], ["silence", "drift", "week"]]
)
def test_another_order_is_refused(tmp_path, order):
    with pytest.raises(SpecError, match="expected"):
        silence(Replay(tmp_path).store, order)
