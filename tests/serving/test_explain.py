"""`POST /v1/explain`: says why, within its bounds, and never in the way of a prediction."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from toy_writer import Toy


def ask(client, body):
    return client.ask("POST", "/v1/explain", body)


def test_an_explanation_is_about_the_answer_that_predict_gives(client):
    row = {"message": "my card is lost"}
    answer = client.predict({"row": row}).json["answers"][0]
    reply = ask(client, {"row": row})
    assert reply.status == 200, reply.content
    found = reply.json["explanations"][0]
    assert (found["label"], found["confidence"]) == (answer["value"], pytest.approx(answer["confidence"], abs=1e-6))
    assert reply.json["release"] == client.predict({"row": row}).json["release"]
    assert found["texts"] == {"message": "my card is lost"}
    strongest = max(found["parts"], key=lambda part: part["weight"])
    assert strongest["words"] in ("card", "lost")
    start, end = strongest["span"]
    assert found["texts"]["message"][start:end] == strongest["words"]
    assert found["base"] + sum(part["weight"] for part in found["parts"]) == pytest.approx(found["total"], abs=1e-4)


def test_another_label_can_be_asked_for(client):
    found = ask(client, {"rows": [{"message": "my card is lost"}], "label": "refund"}).json["explanations"][0]
    assert found["label"] == "refund"
    assert found["total"] < 0


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"rows": [{"message": "a"}] * 9}, 422, "at most 8"),
        ({"rows": []}, 422, "at least one row"),
        ({}, 422, "body is empty"),
        ({"row": {"message": "a"}, "label": 3}, 422, "'label' is not text"),
        ({"row": {"message": "a"}, "label": "cart"}, 422, "label is 'cart'"),
        ({"row": {"massage": "a"}}, 422, "unknown field 'massage'"),
        ({"row": {"message": 3}}, 422, "row 0, column 'message'"),
        ({"row": {"message": "a"}, "lable": "card"}, 422, "unknown field 'lable'"),
        (b"[1", 400, "not JSON"),
        (b'{"row": {"message": "\\ud800"}}', 400, "half of a surrogate"),
    ],
)
def test_what_cannot_be_explained_is_refused_in_words(client, body, status, words):
    reply = ask(client, body)
    assert (reply.status, words in reply.error["message"]) == (status, True), reply.content


def test_time_that_is_over_is_shed(client):
    """Occlusion alone takes time: the engine is shown as one that says nothing of its sums."""
    service = client.app.state.service
    whole, settings = service.predictor, service.settings
    service.settings = replace(settings, explain_s=-1.0)
    service.replica.predictor = type(whole)(whole.manifest, lambda batches: whole.engine(batches))
    try:
        reply = ask(client, {"row": {"message": "a b c"}})
    finally:
        service.replica.predictor, service.settings = whole, settings
    assert (reply.status, reply.error["kind"], reply.headers["retry-after"]) == (503, "too_slow", "1")


def test_predictions_are_answered_while_explanations_wait_and_too_many_of_these_are_shed(client):
    """One explanation is held up inside the engine; eight wait, the rest are shed, and predictions go on."""
    service = client.app.state.service
    whole, held, go_on = service.predictor, threading.Event(), threading.Event()

    def slow(batches):
        if threading.current_thread() is not threading.main_thread() and "asyncio" in threading.current_thread().name:
            held.set()
            assert go_on.wait(60)
        return whole.engine(batches)

    service.replica.predictor = type(whole)(whole.manifest, slow)
    row = {"message": "where is my refund"}
    try:
        with ThreadPoolExecutor(16) as clients:
            waiting = [clients.submit(ask, client, {"row": row}) for _ in range(12)]
            assert held.wait(60)
            assert all(client.predict({"row": row}).status == 200 for _ in range(5))
            while sum(each.done() for each in waiting) < 3:
                assert client.predict({"row": row}).status == 200
            go_on.set()
            replies = [each.result() for each in waiting]
    finally:
        service.replica.predictor = whole
    assert sorted(reply.status for reply in replies) == [200] * 9 + [503] * 3
    assert {reply.error["kind"] for reply in replies if reply.status == 503} == {"overloaded"}


def test_texts_are_not_explained_over_http(writer_server, tmp_path):
    with writer_server(Toy(), tmp_path, {"message": "text"}) as client:
        reply = ask(client, {"row": {"message": "a"}})
    assert (reply.status, "are texts" in reply.error["message"]) == (422, True)


def test_an_explanation_is_not_logged_and_the_route_is_described(client):
    before = len(client.log)
    ask(client, {"row": {"message": "secret words"}})
    assert len(client.log) == before
    described = client.ask("GET", "/openapi.json").json["paths"]["/v1/explain"]["post"]
    assert "label" in json.dumps(described["requestBody"])
