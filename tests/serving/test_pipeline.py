"""Hugging Face's own client talks to a product: labels with scores, pictures, tables, texts, conversations."""

import base64
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from toy_writer import Toy

from windlass.store.store import Store

hub = pytest.importorskip("huggingface_hub", reason="needs huggingface_hub, which comes with windlass[train]")


@pytest.fixture(autouse=True)
def online(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The whole suite keeps the hub offline; here its client speaks to a loopback port."""
    hub.close_session()
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", False)
    yield
    hub.close_session()


def speaking_to(client: Any, model: str = "support-desk") -> Any:
    return hub.InferenceClient(model=f"http://127.0.0.1:{client.port}/models/{model}", token="-")


def png() -> bytes:
    content = io.BytesIO()
    Image.new("L", (16, 16), 200).save(content, "PNG")
    return content.getvalue()


def test_a_text_is_classified_as_predict_classifies_it(client: Any) -> None:
    wanted = client.predict({"row": {"message": "my card is lost"}}).json["answers"][0]
    found = speaking_to(client).text_classification("my card is lost")
    assert [(each.label, each.score) for each in found] == [
        (each["value"], pytest.approx(each["confidence"], abs=1e-6)) for each in (wanted, *wanted["alternatives"])
    ]
    (best,) = speaking_to(client, "toy-1").text_classification("my card is lost", top_k=1)
    assert best.label == "card"


def test_several_texts_are_classified_in_one_request(client: Any) -> None:
    reply = client.ask("POST", "/", {"inputs": ["new address", "stolen card"], "options": {"use_cache": False}})
    assert [row[0]["label"] for row in reply.json] == ["address", "card"]
    assert [set(each) for row in reply.json for each in row] == [{"label", "score"}] * 6


def test_feedback_can_be_given_to_such_an_answer(client: Any) -> None:
    reply = client.ask("POST", "/models/support-desk", {"inputs": "new address"})
    (id,) = reply.headers["x-windlass-answer"].split(",")
    assert client.feedback({"id": id, "correct": "card"}).json["right"] is False


@pytest.fixture(scope="module")
def painter(
    tmp_path_factory: pytest.TempPathFactory, release_maker: Callable[..., Any], server_for: Callable[..., Any]
) -> Iterator[Any]:
    store = Store(tmp_path_factory.mktemp("picture"))
    release_maker(store, {"picture": "image"}, [{"picture": base64.b64encode(png()).decode()}])
    with server_for(store, tmp_path_factory.mktemp("log")) as client:
        yield client


def test_a_picture_is_classified_as_bytes_and_in_base64(painter: Any) -> None:
    row = {"row": {"picture": base64.b64encode(png()).decode()}}
    wanted = painter.predict(row).json["answers"][0]["value"]
    whole = speaking_to(painter).image_classification(png())
    assert (whole[0].label, len(whole)) == (wanted, 3)
    assert [each.label for each in speaking_to(painter).image_classification(png(), top_k=2)] == [
        each.label for each in whole[:2]
    ]
    assert painter.ask("POST", "/", png(), content_type="image/png").json[0]["label"] == wanted


def test_bytes_that_are_no_picture_are_refused_and_elsewhere_only_json_is_taken(painter: Any) -> None:
    with pytest.raises(hub.errors.HfHubHTTPError, match="not a picture that can be read"):
        speaking_to(painter).image_classification(b"\x89PNG not at all")
    assert painter.ask("POST", "/v1/predict", png(), content_type="image/png").status == 415
    assert painter.ask("POST", "/", b'{"inputs": ""}', content_type="text/plain").status == 415


def test_a_table_is_answered_row_by_row(
    tmp_path: Path, release_maker: Callable[..., Any], server_for: Callable[..., Any]
) -> None:
    rows = [{"size": 1.0, "place": "shop"}, {"size": -9.0, "place": "web"}]
    store = Store(tmp_path)
    release_maker(store, {"size": "number", "place": "category"}, rows)
    with server_for(store, tmp_path / "log") as client:
        wanted = [answer["value"] for answer in client.predict({"rows": rows}).json["answers"]]
        table = {"size": [1.0, -9.0], "place": ["shop", "web"]}
        assert speaking_to(client).tabular_classification(table) == wanted
        assert client.ask("POST", "/", {"inputs": {"data": table}}).json == wanted
        assert client.ask("POST", "/", {"inputs": rows}).json[1][0]["label"] == wanted[1]
        ragged = client.ask("POST", "/", {"table": {"size": [1.0, 2.0], "place": ["shop"]}})
        assert (ragged.status, "different lengths" in ragged.json["error"]) == (422, True)


@pytest.fixture(scope="module")
def completer(toy: Toy, tmp_path_factory: pytest.TempPathFactory, writer_server: Callable[..., Any]) -> Iterator[Any]:
    with writer_server(toy, tmp_path_factory.mktemp("completer"), {"text": "text"}) as client:
        yield client


def test_a_text_is_written_with_what_the_client_asks(completer: Any, toy: Toy) -> None:
    ai = speaking_to(completer, "teller")
    assert ai.text_generation("hello there") == "You said: hello there"
    assert ai.text_generation("hello there", max_new_tokens=3, return_full_text=True) == "hello thereYou said: hello"
    ai.text_generation("hello", temperature=0.5, top_p=0.9, seed=7, stop=["b"], do_sample=True, details=False)
    how = toy.calls[-1][1]
    assert (how.temperature, how.top_p, how.seed) == (0.5, 0.9, 7)
    reply = completer.ask("POST", "/", {"inputs": ["a", "b"]})
    assert reply.json == [[{"generated_text": "You said: a"}], [{"generated_text": "You said: b"}]]


def test_a_conversation_goes_to_the_route_of_openai(teller: Any) -> None:
    ai = hub.InferenceClient(base_url=f"http://127.0.0.1:{teller.port}/v1", api_key="-")
    answer = ai.chat.completions.create(model="teller", messages=[{"role": "user", "content": "hello there"}])
    assert answer.choices[0].message.content == "You said: hello there"


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 422, "neither a text nor a row"),
        ({"inputs": []}, 422, "0 rows"),
        ({"inputs": 7}, 422, "neither"),
        ({"inputs": [["a"]]}, 422, "neither"),
        ({"inputs": "a" * 100_001}, 422, "100,001"),
        ({"inputs": ["a"] * 257}, 422, "257 rows"),
        ({"inputs": {"mesage": "a"}}, 422, "did you mean 'message'"),
        ({"inputs": "a", "parameters": {"top_k": 0}}, 422, "top_k"),
        ({"inputs": "a", "parameters": {"topk": 1}}, 422, "did you mean 'top_k'"),
        ({"inputs": "a", "parameters": {"function_to_apply": "none"}}, 422, "not supported"),
        ({"inputs": "a", "parameters": 3}, 422, "no object"),
        ({"inputs": "a", "stream": True}, 422, "stream"),
        ({"input": "a"}, 422, "did you mean 'inputs'"),
        ({"table": {"message": "a"}}, 422, "lists"),
        (b'{"inputs": NaN}', 400, "NaN"),
        (b"[" * 100, 400, "deeper"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_text(client: Any, body: Any, status: int, words: str) -> None:
    reply = client.ask("POST", "/models/support-desk", body)
    assert reply.status == status
    assert words in reply.json["error"]


def test_another_model_is_unknown(client: Any) -> None:
    with pytest.raises(hub.errors.HfHubHTTPError, match="expected one of 'support-desk', 'toy-1'"):
        speaking_to(client, "bert").text_classification("hello")
