"""A model that cannot be used is refused with what is wrong and what to do, before minutes are spent."""

import json
import shutil
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import huggingface_hub
import polars as pl
import pytest

from tests.learners import writers
from windlass.errors import NotReady
from windlass.learners.contract import Budget, Options
from windlass.learners.language import hub, llm
from windlass.learners.networks import pretrained
from windlass.records import Splits, silent
from windlass.spec import Language as Section

CLOSED = "http://127.0.0.1:9"
"""Where nothing listens: a machine without a network."""


class Hub(BaseHTTPRequestHandler):
    """A hub with one model."""

    def do_GET(self) -> None:
        known = self.path == "/api/models/some/model"
        body = b'{"id": "some/model", "tags": []}' if known else b"{}"
        self.send_response(200 if known else 404)
        for name, value in (("X-Error-Code", "RepoNotFound"), ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return writers.decoder(tmp_path_factory.mktemp("models") / "llama")


@pytest.fixture
def offline(monkeypatch, tmp_path) -> Path:
    """The folder where downloads are kept, on a machine whose hub does not answer."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", CLOSED)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_name_that_is_no_folder_is_told_at_once_when_there_is_no_network(offline, capfd):
    with pytest.raises(NotReady, match="'models/mine' is no folder here, and the hub cannot be asked") as caught:
        hub.locate("models/mine", "llm")
    assert "hf download models/mine --local-dir" in caught.value.hint
    assert capfd.readouterr() == ("", "")


def test_the_hub_is_asked_once_whether_it_has_a_model(offline, monkeypatch):
    """Then transformers may use the network; a name that the hub does not know is refused."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        assert hub.locate("some/model", "llm") == pretrained.Source("some/model", offline=False)
        with pytest.raises(NotReady, match="'some/other' is no folder here, and the hub has none of this name"):
            hub.locate("some/other", "llm")
        server.shutdown()


def test_what_was_downloaded_is_used_without_a_network(offline):
    kept = offline / "models--some--model"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text("abc")
    (kept / "snapshots" / "abc").mkdir(parents=True)
    (kept / "snapshots" / "abc" / "config.json").write_text("{}")
    assert hub.locate("some/model", "llm") == pretrained.Source("some/model", offline=True)


FILES = {
    "gguf": (["model.gguf"], "no config.json", "elsewhere"),
    "an adapter": (["adapter_config.json", "adapter_model.safetensors"], "no config.json", "merge_and_unload"),
    "pickles": (["config.json", "pytorch_model.bin", "tokenizer.json"], "no weights as safetensors", "never read"),
    "nothing": ([], "no config.json", ""),
}


@pytest.mark.parametrize(("names", "lack", "hint"), FILES.values(), ids=FILES)
def test_a_folder_that_holds_something_else_says_what_to_do(tmp_path, names, lack, hint):
    for name in names:
        (tmp_path / name).write_text("{}")
    with pytest.raises(NotReady, match=f"has {lack}, expected config.json, model.safetensors") as caught:
        hub.open_model(str(tmp_path), "llm", is_pair=False)
    assert hint in caught.value.hint
    assert "\n" not in caught.value.message + caught.value.hint


def test_a_model_with_code_of_its_own_is_refused_in_one_line(tmp_path, folder):
    shutil.copytree(folder, tmp_path / "copy")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "mine.C", "AutoModelForCausalLM": "mine.M"}}
    (tmp_path / "copy" / "config.json").write_text(json.dumps(config))
    with pytest.raises(NotReady, match="comes with code of its own, which is never run") as caught:
        hub.open_model(str(tmp_path / "copy"), "llm", is_pair=False)
    assert "elsewhere" in caught.value.hint


def questions(root: Path, n_letters: int) -> Splits:
    rows = pl.DataFrame({"said": ["abcd " * (n_letters // 5)] * 12, "answer": ["ab"] * 12})
    return Splits({"said": "text"}, {"answer": "text"}, rows.head(8), rows.tail(4), rows.tail(4), root)


def test_a_model_that_reads_too_little_is_refused_before_it_is_trained(tmp_path):
    small = writers.decoder(tmp_path / "small", length=16)
    options = Options(tmp_path, "exact_match", variant=str(small), language=Section())
    with pytest.raises(NotReady, match="model reads 16 tokens at once, expected at least"):
        llm.fit(questions(tmp_path, 10), options, Budget(60), silent)


def test_questions_that_are_cut_are_counted(tmp_path, folder):
    """Control: short ones fit."""
    opened = hub.open_model(str(folder), "llm", is_pair=False)
    told = llm._lesson(opened, questions(tmp_path, 1_000), llm.RATES).notes
    assert any(note.startswith("8 of 8 questions did not fit into") for note in told)
    assert not any("did not fit" in note for note in llm._lesson(opened, questions(tmp_path, 10), llm.RATES).notes)
