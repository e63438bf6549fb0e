"""A stranger's project sends nothing anywhere before the user of this machine said yes to that address."""

import io
import json
import stat
import sys
import threading
from http.server import BaseHTTPRequestHandler

import pytest
from typer.testing import CliRunner

from tests.listening import listening
from tests.watching.replay import Replay, Source
from windlass.cli import app
from windlass.errors import DataError, NotReady, SpecError
from windlass.predictors.language.elsewhere import remote_model
from windlass.remote import consent
from windlass.watching.notifications import tell

URL = "https://models.example/v1"


@pytest.fixture(autouse=True)
def _nothing_allowed(tmp_path, monkeypatch):
    monkeypatch.delenv(consent.ALLOWED)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def at_terminal(monkeypatch, answer: str) -> Terminal:
    """Somebody who answers so; gives what they are shown."""
    shown = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    monkeypatch.setattr(sys, "stderr", shown)
    return shown


def test_where_nobody_sits_it_is_refused_with_the_command_that_allows_it(monkeypatch):
    monkeypatch.setenv("AWS_SECRET", "s3cret")
    with pytest.raises(NotReady, match="variable AWS_SECRET, which was not allowed") as caught:
        consent.require(URL, "AWS_SECRET", "rows")
    assert caught.value.hint == f"`windlass allow {URL} --variable AWS_SECRET`"
    assert "s3cret" not in str(caught.value)


def test_a_yes_on_a_terminal_is_asked_for_once_and_remembered(tmp_path, monkeypatch):
    shown = at_terminal(monkeypatch, "y\n")
    consent.require(URL, "AWS_SECRET", "rows")
    assert f"send rows to {URL}, together with the environment variable AWS_SECRET" in shown.getvalue()
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    consent.require(URL, "AWS_SECRET", "rows")
    consent.require(URL, "", "rows")
    with pytest.raises(NotReady, match="OTHER_SECRET"):
        consent.require(URL, "OTHER_SECRET", "rows")
    with pytest.raises(NotReady):
        consent.require(f"{URL}/other", "", "rows")
    file = tmp_path / "config" / "windlass" / "allowed.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["allowed"][0]["address"] == "https://models.example"


@pytest.mark.parametrize("answer", ["\n", "n\n", "", "yes please\n"])
def test_anything_but_yes_is_a_no_and_is_not_remembered(answer, monkeypatch):
    for _ in range(2):
        shown = at_terminal(monkeypatch, answer)
        with pytest.raises(NotReady):
            consent.require(URL, "", "rows")
        assert "[y/N]" in shown.getvalue()


def test_a_server_does_not_ask_from_behind(monkeypatch):
    shown = at_terminal(monkeypatch, "y\n")
    found = []

    def ask() -> None:
        try:
            consent.require(URL, "", "rows")
        except NotReady as error:
            found.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert found
    assert shown.getvalue() == ""


def test_each_variable_needs_a_yes_of_its_own_windlass_s_too(monkeypatch):
    """A yes to an address lets no specification send it the key of another server."""
    at_terminal(monkeypatch, "y\n")
    consent.require(URL, "", "rows")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setenv(consent.ALLOWED, f"https://other.example#* {URL}")
    consent.require(URL, "", "rows")
    for name in ("WINDLASS_DATABASE", "AWS_SECRET"):
        with pytest.raises(NotReady, match=f"variable {name}, which was not allowed"):
            consent.require(URL, name, "rows")
        monkeypatch.setenv(consent.ALLOWED, f"{URL}#{name}")
        consent.require(URL, name, "rows")
    monkeypatch.setenv(consent.ALLOWED, f"{URL}#*")
    consent.require(URL, "ANY_OTHER", "rows")
    monkeypatch.setenv(consent.ALLOWED, "")
    consent.allow(URL, "WINDLASS_MODEL_KEY")
    consent.require(URL, "WINDLASS_MODEL_KEY", "rows")


def test_the_command_allows_and_a_file_in_the_project_does_not(tmp_path):
    (tmp_path / "allowed.json").write_text(json.dumps({"allowed": [{"address": URL}]}))
    with pytest.raises(NotReady):
        consent.require(URL, "", "rows")
    result = CliRunner().invoke(app, ["allow", URL, "--variable", "AWS_SECRET"])
    assert result.exit_code == 0
    consent.require(URL, "AWS_SECRET", "rows")
    with pytest.raises(SpecError, match="expected a URL"):
        consent.allow("http://[::1/v1")
    with pytest.raises(SpecError, match="expected a URL"):
        consent.allow("models.example")


def test_a_damaged_file_is_told(tmp_path):
    path = consent.allow(URL)
    path.write_text("{")
    with pytest.raises(DataError, match=r"allowed\.json is damaged"):
        consent.require(URL, "", "rows")


class Taker(BaseHTTPRequestHandler):
    got: list[bytes] = []  # noqa: RUF012

    def do_POST(self):
        self.got.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *given):
        pass


def test_alarms_are_sent_after_a_yes_and_not_before(tmp_path, capsys):
    """Control: what is refused first is what arrives afterwards."""
    Taker.got = []
    with listening(Taker) as url:
        replay = Replay(tmp_path)
        watch = replay.spec.watch.model_copy(update={"webhook": f"{url}/hook"})
        replay.spec = replay.spec.model_copy(update={"watch": watch})
        replay.day(Source())
        replay.day(Source(2, shift=2.0))
        replay.health()
        faults = tell(replay.spec, replay.store)
        assert any(f"`windlass allow {url}/hook`" in fault for fault in faults)
        assert Taker.got == []
        consent.allow(f"{url}/hook")
        assert tell(replay.spec, replay.store) == []
        assert Taker.got


def test_a_far_model_is_opened_after_a_yes_and_not_before(monkeypatch):
    monkeypatch.setenv("AWS_SECRET", "s3cret")
    with pytest.raises(NotReady, match="not allowed"):
        remote_model(URL, "toy", "AWS_SECRET")
    consent.allow(URL, "AWS_SECRET")
    assert remote_model(URL, "toy", "AWS_SECRET").model == "toy"


def test_the_hub_is_asked_after_a_yes_and_not_before(monkeypatch):
    pretrained = pytest.importorskip("windlass.learners.networks.pretrained")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with pytest.raises(NotReady, match=r"a request for the model 'somebody/model' would be sent to https://"):
        pretrained.locate("somebody/model")
