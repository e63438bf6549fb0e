"""A product whose texts are written behind a URL: what stands there is one of our own servers."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from toy_writer import REFUSED, TEXT, Toy

from windlass.errors import DataError, NotReady, SpecError
from windlass.learners.contract import Budget, Options
from windlass.learners.table import LEARNERS
from windlass.predictors.language.elsewhere import AT_ONCE, Elsewhere
from windlass.predictors.language.writing import Writing, Written, silent_hear
from windlass.predictors.table import load, replay
from windlass.records import Column, Splits, silent
from windlass.remote.requests import Remote
from windlass.spec import Language

ROWS = pl.DataFrame({"en": ["one", "two", "three", "four", "five", "six"], "de": list("abcdef")})
CHAT_COLUMNS, TEXT_COLUMNS = (Column("talk", "chat"),), (Column("en", "text"),)


@pytest.fixture(scope="module")
def far_toy() -> Toy:
    return Toy()


@pytest.fixture(scope="module")
def far(writer_server: Callable[..., Any], far_toy: Toy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with writer_server(far_toy, tmp_path_factory.mktemp("far")) as server:
        yield f"http://127.0.0.1:{server.port}/v1"


def fitted(far: str, folder: Path, **language: Any) -> Path:
    splits = Splits({"en": "text"}, {"de": "text"}, ROWS, ROWS.tail(2), ROWS.tail(2), folder)
    asked = Language(**{"model": "teller", **language})
    options = Options(folder, "chrf", variant=far, language=asked)
    return LEARNERS["elsewhere"].fit(splits, options, Budget(60), silent).artifact


def test_a_conversation_is_answered_by_the_far_model(far: str, far_toy: Toy) -> None:
    talk = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "hello there"}]
    engine = Elsewhere(Remote(far, "teller"), CHAT_COLUMNS, [])
    how = Writing(max_tokens=9, temperature=0.5, seed=4, stop=("x",))
    (written,) = engine.write([{"talk": json.dumps(talk)}], how, silent_hear)
    assert written == Written("You said: 4 hello there", "stop", 2, 5)
    rows, asked = far_toy.calls[-1]
    assert json.loads(rows[0]["messages"]) == talk
    assert (asked.max_tokens, asked.temperature, asked.seed) == (9, 0.5, 4)
    (cut,) = engine.write([{"talk": json.dumps(talk)}], Writing(max_tokens=1), silent_hear)
    assert (cut.text, cut.finish) == ("You", "length")


def test_training_rows_stand_as_examples_before_the_question(far: str, far_toy: Toy, tmp_path: Path) -> None:
    predictor = load(fitted(far, tmp_path))
    assert [answer.value for answer in predictor.answer([{"en": "seven"}])] == ["You said: seven"]
    said = json.loads(far_toy.calls[-1][0][0]["messages"])
    assert [message["content"] for message in said] == ["one", "a", "two", "b", "three", "c", "four", "d", "seven"]
    assert {message["role"] for message in said[::2]} == {"user"}
    assert {message["role"] for message in said[1::2]} == {"assistant"}


def test_its_golden_answers_are_those_of_the_far_model(far: str, tmp_path: Path) -> None:
    """And a far model that was exchanged is noticed: the control."""
    artifact = fitted(far, tmp_path)
    assert replay(load(artifact), artifact) == 0
    golden = json.loads((artifact / "golden.json").read_text())
    (artifact / "golden.json").write_text(json.dumps({**golden, "answers": ["another"] * len(golden["answers"])}))
    with pytest.raises(Exception, match="golden rows with a difference"):
        replay(load(artifact), artifact)


def test_the_key_is_named_in_the_artifact_and_never_in_it(
    far: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WINDLASS_FAR_KEY", "sk-secret")
    artifact = fitted(far, tmp_path, key="WINDLASS_FAR_KEY")
    held = b"".join(path.read_bytes() for path in artifact.rglob("*") if path.is_file())
    assert b"WINDLASS_FAR_KEY" in held
    assert b"sk-secret" not in held
    monkeypatch.delenv("WINDLASS_FAR_KEY")
    with pytest.raises(NotReady, match="WINDLASS_FAR_KEY is empty, expected the key of the language model"):
        load(artifact)


def test_nobody_is_asked_who_was_not_named(tmp_path: Path) -> None:
    assert LEARNERS["elsewhere"].on_request
    with pytest.raises(SpecError, match="no URL or no model"):
        fitted("", tmp_path)
    with pytest.raises(SpecError, match="expected a base URL"):
        fitted("windlass.example", tmp_path)


@pytest.mark.parametrize("said", [None, {}, {"url": 5}, {"url": "http://x/v1", "model": "m", "key": "", "shots": [1]}])
def test_damaged_settings_are_refused(far: str, tmp_path: Path, said: Any) -> None:
    artifact = fitted(far, tmp_path)
    manifest = json.loads((artifact / "manifest.json").read_text())
    manifest["settings"]["elsewhere"] = said
    (artifact / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match=r"manifest.json has"):
        load(artifact)


def test_what_has_no_parameter_there_is_refused(far: str) -> None:
    engine = Elsewhere(Remote(far, "teller"), TEXT_COLUMNS, [])
    for how in (Writing(beams=2), Writing(repetition_penalty=1.2), Writing(n_logprobs=1)):
        with pytest.raises(DataError, match="behind a URL"):
            engine.write([{"en": "one"}], how, silent_hear)


def test_it_is_served_and_a_refused_row_fails_alone(
    far: str, writer_server: Callable[..., Any], tmp_path: Path
) -> None:
    """A product in front of a product: requests run side by side, and each hears of its own fault."""
    engine = Elsewhere(Remote(far, "teller", attempts=1), (Column("prompt", "text"),), [])
    with writer_server(engine, tmp_path, TEXT) as near:
        found: dict[str, Any] = {}

        def ask(text: str) -> None:
            found[text] = near.predict({"row": {"prompt": text}})

        texts = [f"text {number}" for number in range(AT_ONCE + 2)] + [REFUSED]
        threads = [threading.Thread(target=ask, args=(text,)) for text in texts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        reply = near.ask("POST", "/v1/completions", {"model": "teller", "prompt": "x", "logprobs": 1})
        assert (reply.status, "behind a URL" in reply.error["message"]) == (422, True), "told at once, before any row"
    assert [found[text].status for text in texts] == [200] * (AT_ONCE + 2) + [503]
    assert found["text 3"].json["answers"][0]["value"] == "You said: text 3"
    assert "does not answer" in found[REFUSED].error["message"]
