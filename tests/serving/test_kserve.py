"""The Open Inference Protocol: what KServe's and Triton's clients ask, and Triton's own client asking it."""

import base64
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from windlass.store.store import Store

INFER = "/v2/models/support-desk/infer"


def texts(*values: Any, **changes: Any) -> dict[str, Any]:
    tensor = {"name": "message", "shape": [len(values)], "datatype": "BYTES", "data": list(values), **changes}
    return {"inputs": [tensor]}


def outputs(reply: Any) -> dict[str, list[Any]]:
    return {output["name"]: output["data"] for output in reply.json["outputs"]}


def test_the_server_and_its_model_say_what_they_are(client: Any) -> None:
    assert client.ask("GET", "/v2").json["name"] == "windlass"
    assert client.ask("GET", "/v2/health/live").json == {"live": True}
    assert client.ask("GET", "/v2/health/ready").json == {"ready": True}
    assert client.ask("GET", "/v2/models/toy-1/ready").json == {"name": "toy-1", "ready": True}
    model = client.ask("GET", "/v2/models/support-desk").json
    assert (model["name"], model["versions"]) == ("support-desk", ["toy-1"])
    assert model["inputs"] == [{"name": "message", "datatype": "BYTES", "shape": [-1]}]
    assert [output["name"] for output in model["outputs"]] == ["label", "confidence", "id"]


def test_a_server_that_proves_its_release_is_alive_and_not_ready(
    text_store: Store, tmp_path: Path, server_for: Callable[..., Any]
) -> None:
    with server_for(text_store, tmp_path, proof="secret") as client:
        assert client.ask("GET", "/v2/health/live").status == 200
        assert client.ask("GET", "/v2/health/ready").status == 503
        assert client.ask("GET", "/v2/models/toy-1/ready").status == 503
        assert client.ask("POST", INFER, texts("card")).status == 503


def test_tensors_are_answered_as_predict_answers_rows(client: Any) -> None:
    messages = ["my card is lost", "new address", ""]
    rows = [{"message": message} for message in messages]
    wanted = client.predict({"rows": rows}).json["answers"]
    reply = client.ask("POST", INFER, {**texts(*messages), "id": "mine"})
    assert (reply.json["model_name"], reply.json["model_version"]) == ("support-desk", "toy-1")
    assert reply.json["id"] == "mine"
    found = outputs(reply)
    assert found["label"] == [answer["value"] for answer in wanted]
    assert found["confidence"] == pytest.approx([answer["confidence"] for answer in wanted], abs=1e-6)
    assert all(output["shape"] == [3] for output in reply.json["outputs"])
    assert client.feedback({"id": found["id"][0], "correct": "card"}).status == 200


def test_a_column_of_values_and_chosen_outputs_are_understood(client: Any) -> None:
    body = {**texts(["card"], ["refund"], shape=[2, 1]), "outputs": [{"name": "label"}]}
    assert outputs(client.ask("POST", INFER, body)) == {"label": ["card", "refund"]}


def test_tensors_may_stand_in_binary_behind_the_json(client: Any) -> None:
    said = b"".join(struct.pack("<I", len(text)) + text for text in ("refund 卡".encode(), b"card"))
    head = b'{"inputs":[{"name":"message","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":%d}}]}'
    head %= len(said)
    sent = {"content_type": "application/octet-stream", "inference_header_content_length": str(len(head))}
    assert outputs(client.ask("POST", INFER, head + said, **sent))["label"] == ["refund", "card"]
    cut = client.ask("POST", INFER, head + said[:-1], **sent)
    assert (cut.status, "fewer bytes" in cut.json["error"]) == (422, True)
    damaged = client.ask("POST", INFER, head + struct.pack("<I", 2**31) + said[4:], **sent)
    assert (damaged.status, "damaged" in damaged.json["error"]) == (422, True)


@pytest.fixture(scope="module")
def table(
    tmp_path_factory: pytest.TempPathFactory, release_maker: Callable[..., Any], server_for: Callable[..., Any]
) -> Iterator[Any]:
    store = Store(tmp_path_factory.mktemp("table"))
    release_maker(store, {"size": "number", "place": "category"}, [{"size": 1.0, "place": "shop"}])
    with server_for(store, tmp_path_factory.mktemp("log")) as client:
        yield client


def test_numbers_come_in_any_numeric_datatype(table: Any) -> None:
    rows = [{"size": -9, "place": "web"}, {"size": 40, "place": "shop"}]
    wanted = [answer["value"] for answer in table.predict({"rows": rows}).json["answers"]]
    for datatype in ("FP64", "FP32", "INT64", "INT8"):
        size = {"name": "size", "shape": [2], "datatype": datatype, "data": [-9, 40]}
        place = {"name": "place", "shape": [2], "datatype": "BYTES", "data": ["web", "shop"]}
        assert outputs(table.ask("POST", INFER, {"inputs": [place, size]}))["label"] == wanted, datatype
    model = table.ask("GET", "/v2/models/support-desk").json
    assert [each["datatype"] for each in model["inputs"]] == ["FP64", "BYTES"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "no list of tensors"),
        ({"inputs": []}, "no list of tensors"),
        ({"inputs": ["text"]}, "tensor is text"),
        ({"input": []}, "did you mean 'inputs'"),
        (texts(), "0 rows"),
        (texts(*["a"] * 257), "257 rows"),
        (texts("a", name="mesage"), "did you mean 'message'"),
        (texts("a", name=[]), "tensor is"),
        (texts("a", datatype="STRING"), "datatype"),
        (texts("a", datatype=[]), "datatype"),
        (texts("a", shape=[2]), "2 values"),
        (texts("a", shape=[1, 2]), "shape"),
        (texts("a", shape="1"), "shape"),
        (texts("a", shape=[True]), "shape"),
        (texts("a", data="a"), "1 values"),
        (texts("a", data=None), "1 values"),
        (texts("a", parameters=[1]), "parameters"),
        (texts(7), "message"),
        ({**texts("a"), "outputs": [{"name": "loudness"}]}, "expected one of 'label'"),
        ({**texts("a"), "outputs": 3}, "outputs"),
        ({**texts("a"), "id": 3}, "'id'"),
        ({"inputs": texts("a")["inputs"] * 2}, "twice"),
    ],
)
def test_another_request_is_refused_with_a_text(client: Any, body: Any, words: str) -> None:
    reply = client.ask("POST", INFER, body)
    assert reply.status == 422
    assert words in reply.json["error"]


def test_another_model_is_unknown_and_the_table_of_routes_still_guards(client: Any) -> None:
    for method, path, body in (("POST", INFER, texts("a")), ("GET", "/v2/models/support-desk", None)):
        reply = client.ask(method, path.replace("support-desk", "bert"), body)
        assert (reply.status, reply.json["error"]) == (404, "model is unknown, expected one of 'support-desk', 'toy-1'")
    for path in ("/v2/models//infer", "/v2/models/a/b/infer", "/v2/models/support-desk/infer/", "/x/models/a/infer"):
        assert client.ask("POST", path, texts("a")).json["error"]["kind"] == "unknown_route", path
    assert client.ask("GET", INFER).status == 405
    metrics = client.ask("GET", "/metrics").content.decode()
    assert 'windlass_requests_total{route="/v2/models/{id}/infer",status="404"}' in metrics


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tritons_client_asks_and_reads_the_answers(table: Any, client: Any) -> None:
    triton = pytest.importorskip(
        "tritonclient.http", reason="`pip install tritonclient[http]` (with gevent 20 MB, so not a part of [dev])"
    )
    with triton.InferenceServerClient(f"127.0.0.1:{client.port}") as asking:
        assert asking.is_server_live()
        assert asking.is_server_ready()
        assert asking.is_model_ready("support-desk")
        assert asking.get_model_metadata("support-desk")["versions"] == ["toy-1"]
        messages = np.array(["my card is lost", "退款 refund"], object)
        for is_binary in (True, False):
            tensor = triton.InferInput("message", [2], "BYTES")
            tensor.set_data_from_numpy(messages, binary_data=is_binary)
            found = asking.infer("support-desk", [tensor], request_id="1")
            assert found.as_numpy("label").tolist() == ["card", "refund"]
            assert found.as_numpy("confidence").dtype == np.float64
        tensor = triton.InferInput("mesage", [2], "BYTES")
        tensor.set_data_from_numpy(messages)
        with pytest.raises(triton.InferenceServerException, match="did you mean 'message'"):
            asking.infer("support-desk", [tensor])
    with triton.InferenceServerClient(f"127.0.0.1:{table.port}") as asking:
        size, place = triton.InferInput("size", [2, 1], "FP64"), triton.InferInput("place", [2, 1], "BYTES")
        size.set_data_from_numpy(np.array([[1.5], [np.nan]]))
        place.set_data_from_numpy(np.array([[b"shop"], [b"web"]], object))
        rows = [{"size": 1.5, "place": "shop"}, {"size": None, "place": "web"}]
        wanted = [answer["value"] for answer in table.predict({"rows": rows}).json["answers"]]
        assert asking.infer("support-desk", [size, place]).as_numpy("label").tolist() == wanted


def test_a_picture_comes_as_text_in_base64(
    tmp_path: Path, release_maker: Callable[..., Any], server_for: Callable[..., Any]
) -> None:
    pixel = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw==")
    picture = base64.b64encode(pixel).decode()
    store = Store(tmp_path)
    release_maker(store, {"picture": "image"}, [{"picture": picture}])
    with server_for(store, tmp_path / "log") as client:
        wanted = client.predict({"row": {"picture": picture}}).json["answers"][0]["value"]
        assert outputs(client.ask("POST", INFER, texts(picture, name="picture")))["label"] == [wanted]
