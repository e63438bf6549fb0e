"""OpenAI's own client talks to a product that writes: chat, completions, streams, models, embeddings, errors."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import openai
import pytest
from toy_writer import BROKEN, ENDLESS, REFUSED, TEXT, Toy, writer_of

from windlass.database.request_log import answer_rows, feedback_rows
from windlass.predictors.contract import Labeller
from windlass.predictors.writer import Writer
from windlass.registry import releases
from windlass.serving.contract.settings import Settings
from windlass.store.store import Store

HELLO = [{"role": "user", "content": "hello there"}]


def client_of(server: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"http://127.0.0.1:{server.port}/v1", api_key="none", max_retries=0, timeout=20)


@pytest.fixture(scope="module")
def ai(teller: Any) -> Iterator[openai.OpenAI]:
    with client_of(teller) as client:
        yield client


@pytest.fixture(scope="module")
def texts_ai(writer_server: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    """A product that reads a single text."""
    with writer_server(Toy(), tmp_path_factory.mktemp("texts"), TEXT) as server, client_of(server) as client:
        yield client


def say(ai: openai.OpenAI, content: Any = "hello there", **options: Any) -> Any:
    messages = content if isinstance(content, list) and content and "role" in content[0] else None
    messages = messages or [{"role": "user", "content": content}]
    return ai.chat.completions.create(model="teller", messages=messages, **options)


def test_a_chat_is_answered_with_its_counts(ai: openai.OpenAI) -> None:
    answer = say(ai)
    (choice,) = answer.choices
    assert (choice.message.role, choice.message.content, choice.finish_reason) == (
        "assistant",
        "You said: hello there",
        "stop",
    )
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (2, 4, 6)
    assert (answer.object, answer.model, answer.system_fingerprint) == ("chat.completion", "teller", "teller-1")
    assert answer.id.startswith("chatcmpl-")


def test_a_stream_gives_the_same_text_piece_by_piece(ai: openai.OpenAI) -> None:
    chunks = list(say(ai, stream=True, stream_options={"include_usage": True}))
    assert [chunk.choices[0].delta.content for chunk in chunks[:-1]] == ["", "You", " said:", " hello", " there", None]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None] * 5 + ["stop"]
    assert {chunk.id for chunk in chunks} == {chunks[0].id}
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * 6
    assert (chunks[-1].choices, chunks[-1].usage.total_tokens) == ([], 6)
    assert all(chunk.usage is None for chunk in say(ai, stream=True))


def test_the_clients_own_reader_of_streams_puts_it_together(ai: openai.OpenAI) -> None:
    with ai.chat.completions.stream(model="teller", messages=HELLO, logprobs=True, top_logprobs=1) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.content == "You said: hello there"
    assert [token.token for token in final.choices[0].logprobs.content] == ["You", " said:", " hello", " there"]


def test_a_stream_is_server_sent_events_on_the_wire(teller: Any) -> None:
    reply = teller.ask("POST", "/v1/chat/completions", {"model": "teller", "messages": HELLO, "stream": True})
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    events = reply.content.decode().split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    assert all(json.loads(event.removeprefix("data: "))["object"] == "chat.completion.chunk" for event in events[:-2])


def test_a_conversation_goes_on_with_what_was_answered(ai: openai.OpenAI, toy: Toy) -> None:
    """The client's own record of an answer is sent back as it is, with its empty fields."""
    first = say(ai).choices[0].message
    system = {"role": "developer", "content": [{"type": "text", "text": "Be"}, {"type": "text", "text": "short."}]}
    say(ai, [system, *HELLO, first, {"role": "user", "content": "again"}])
    assert json.loads(toy.calls[-1][0][0]["messages"]) == [
        {"role": "system", "content": "Be\nshort."},
        *HELLO,
        {"role": "assistant", "content": "You said: hello there"},
        {"role": "user", "content": "again"},
    ]


def test_how_it_is_to_be_written_reaches_the_engine(ai: openai.OpenAI, toy: Toy) -> None:
    say(ai, temperature=0.7, top_p=0.9, max_completion_tokens=9, seed=-5, user="u-1", frequency_penalty=0)
    how = toy.calls[-1][1]
    assert how.repetition_penalty == 1
    say(ai, extra_body={"repetition_penalty": 1.3})
    assert toy.calls[-1][1].repetition_penalty == 1.3
    assert (how.temperature, how.top_p, how.max_tokens, how.seed, how.beams) == (0.7, 0.9, 9, -5 % 2**31, 1)
    say(ai, temperature=0, max_tokens=3, presence_penalty=0.0, tools=[], response_format={"type": "text"})
    assert (toy.calls[-1][1].temperature, toy.calls[-1][1].max_tokens) == (0, 3)
    say(ai)
    assert toy.calls[-1][1].max_tokens == 64


@pytest.mark.parametrize(("asked", "taken"), [(1e-38, 0.0), (5e-324, 0.0), (0.009, 0.0), (0.01, 0.01), (2.0, 2.0)])
def test_a_temperature_too_small_to_be_divided_by_takes_the_likeliest_token(
    ai: openai.OpenAI, toy: Toy, asked: float, taken: float
) -> None:
    """Logits divided by 1e-38 leave what numbers hold: it was an error of ours."""
    messages = [{"role": "user", "content": "a b"}]
    ai.chat.completions.create(model="teller", messages=messages, temperature=asked)
    assert toy.calls[-1][1].temperature == taken


def test_an_answer_ends_at_its_length_or_a_stop_text(ai: openai.OpenAI) -> None:
    for streams in (False, True):
        assert _whole(say(ai, "a b c d", max_tokens=3, stream=streams)) == ("You said: a", "length")
        assert _whole(say(ai, "a b c d", stop="c", stream=streams)) == ("You said: a b ", "stop")
        assert _whole(say(ai, "a b c d", stop=["x", "z", "b c"], stream=streams)) == ("You said: a ", "stop")


def _whole(answer: Any) -> tuple[str, str]:
    if hasattr(answer, "choices"):
        return answer.choices[0].message.content, answer.choices[0].finish_reason
    chunks = list(answer)
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks), chunks[-1].choices[0].finish_reason


def test_several_answers_have_their_own_numbers(ai: openai.OpenAI, toy: Toy) -> None:
    answer = say(ai, n=3, temperature=1.0)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (2, 15)
    assert len(toy.calls[-1][0]) == 3
    pieces: dict[int, str] = {}
    for chunk in say(ai, n=2, stream=True):
        (choice,) = chunk.choices
        pieces[choice.index] = pieces.get(choice.index, "") + (choice.delta.content or "")
    assert pieces == {0: "You said: hello there", 1: "You said: hello there"}


def test_log_probabilities_are_told_of_each_token(ai: openai.OpenAI) -> None:
    (token, *_) = say(ai, logprobs=True, top_logprobs=2).choices[0].logprobs.content
    assert (token.token, token.logprob, token.bytes) == ("You", -0.5, list(b"You"))
    assert [(other.token, other.logprob) for other in token.top_logprobs] == [("other 0", -2.0), ("other 1", -3.0)]
    cut = say(ai, "a b c", logprobs=True, stop="b").choices[0].logprobs.content
    assert [token.token for token in cut] == ["You", " said:", " a", " b"]
    assert say(ai).choices[0].logprobs is None


def test_a_json_schema_reaches_the_engine(ai: openai.OpenAI, toy: Toy) -> None:
    schema = {"type": "object", "properties": {"said": {"type": "boolean"}}, "required": ["said"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}
    answer = say(ai, response_format=wanted)
    assert toy.calls[-1][1].schema == schema
    jsonschema.validate(json.loads(answer.choices[0].message.content), schema)
    say(ai, response_format={"type": "json_object"})
    assert toy.calls[-1][1].schema == {"type": "object"}


@pytest.mark.parametrize(
    ("options", "param", "words"),
    [
        ({"temperature": 2.5}, "temperature", "less than or equal to 2"),
        ({"temperature": "warm"}, "temperature", "valid number"),
        ({"n": 5}, "n", "less than or equal to 4"),
        ({"n": True}, "n", "valid integer"),
        ({"max_tokens": 0}, "max_tokens", "greater than or equal to 1"),
        ({"max_tokens": 10**9}, "max_tokens", "less than or equal to 4096"),
        ({"max_tokens": 3, "max_completion_tokens": 4}, "max_tokens", "differ"),
        ({"top_p": 2}, "top_p", "less than or equal to 1"),
        ({"stop": ["a"] * 5}, "stop", "at most 4"),
        ({"stop": [""]}, "stop", "1 to 100 characters"),
        ({"stop": "x" * 101}, "stop", "1 to 100 characters"),
        ({"seed": 2**63 - 1, "top_logprobs": 3}, "top_logprobs", "without 'logprobs'"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs", "less than or equal to 20"),
        ({"stream_options": {"include_usage": True}}, "stream_options", "without 'stream'"),
        ({"presence_penalty": 0.5}, "presence_penalty", "expected 0 or nothing"),
        ({"frequency_penalty": -1}, "frequency_penalty", "expected 0 or nothing"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools", "not supported"),
        ({"logit_bias": {"5": 1}}, "logit_bias", "not supported"),
        ({"response_format": {"type": "json_schema"}}, "response_format", "no 'json_schema'"),
        ({"response_format": {"type": "xml"}}, "response_format.type", "json_object"),
        ({"extra_body": {"temprature": 1}}, "temprature", "unknown"),
        ({"extra_body": {"repetition_penalty": 3}}, "repetition_penalty", "less than or equal to 2"),
        ({"messages": []}, "messages", "at least 1 item"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role", "assistant"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages.0.content", "valid string"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages.0.content.0.type", "'text'"),
        ({"messages": [{"role": "user", "content": "x", "extra": 1}]}, "messages.0.extra", "unknown"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_parameter(
    ai: openai.OpenAI, options: dict[str, Any], param: str, words: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ai.chat.completions.create(**{"model": "teller", "messages": HELLO, **options})
    assert (caught.value.param, caught.value.type) == (param, "invalid_request_error")
    assert words in caught.value.message


def test_an_error_has_the_form_of_openai_and_only_here(teller: Any) -> None:
    reply = teller.ask("POST", "/v1/chat/completions", {"model": "teller"})
    assert (reply.status, set(reply.json["error"])) == (400, {"message", "type", "param", "code"})
    assert reply.error["code"] == "missing_required_parameter"
    assert set(teller.predict({}).error) == {"kind", "message", "hint", "id"}
    for method, path, status in (("GET", "/v1/completions", 405), ("POST", "/v1/models", 405), ("GET", "/v1/x", 404)):
        assert teller.ask(method, path, {} if method == "POST" else None).status == status
    assert teller.ask("POST", "/v1/completions", b"{}", content_type="text/plain").error["code"] == "wrong_type"


def test_the_models_are_the_product_and_its_release(ai: openai.OpenAI) -> None:
    assert [(model.id, model.owned_by) for model in ai.models.list()] == [("teller", "windlass")]
    assert ai.models.retrieve("teller-1").id == "teller-1"
    assert ai.chat.completions.create(model="teller-1", messages=HELLO).model == "teller"
    for ask in (lambda: ai.models.retrieve("gpt-5"), lambda: ai.chat.completions.create(model="gpt-5", messages=HELLO)):
        with pytest.raises(openai.NotFoundError, match="expected one of 'teller', 'teller-1'") as caught:
            ask()
        assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


def test_prompts_are_completed_by_a_product_that_reads_a_text(texts_ai: openai.OpenAI) -> None:
    answer = texts_ai.completions.create(model="teller", prompt=["one two", "three"], n=2, logprobs=1, max_tokens=3)
    assert [(choice.index, choice.text, choice.finish_reason) for choice in answer.choices] == [
        (0, "You said: one", "length"),
        (1, "You said: one", "length"),
        (2, "You said: three", "length"),
        (3, "You said: three", "length"),
    ]
    assert (answer.object, answer.usage.prompt_tokens, answer.usage.completion_tokens) == ("text_completion", 3, 12)
    logprobs = answer.choices[0].logprobs
    assert (logprobs.tokens, logprobs.text_offset) == (["You", " said:", " one"], [0, 3, 9])
    assert (logprobs.token_logprobs, logprobs.top_logprobs[0]) == ([-0.5] * 3, {"other 0": -2.0})


def test_completions_stream_as_well(texts_ai: openai.OpenAI) -> None:
    stream = texts_ai.completions.create(
        model="teller", prompt="one", stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert [chunk.choices[0].text for chunk in chunks[:-1]] == ["You", " said:", " one", ""]
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage.completion_tokens == 3


def test_a_product_that_reads_a_text_answers_the_last_question_and_follows_no_system(texts_ai: openai.OpenAI) -> None:
    talk = [*HELLO, {"role": "assistant", "content": "yes?"}, {"role": "user", "content": "and now"}]
    assert say(texts_ai, talk).choices[0].message.content == "You said: and now"
    for messages in ([{"role": "system", "content": "Be short."}, *HELLO], [{"role": "assistant", "content": "x"}]):
        with pytest.raises(openai.BadRequestError, match=r"no system message|no message of the user"):
            say(texts_ai, messages)


def test_a_product_that_reads_a_chat_completes_no_prompt(ai: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="`/v1/chat/completions`"):
        ai.completions.create(model="teller", prompt="one")


def test_a_product_of_several_columns_is_asked_by_its_rows(writer_server: Callable[..., Any], tmp_path: Path) -> None:
    columns = {"passage": "text", "question": "text"}
    with writer_server(Toy(), tmp_path, columns) as server, client_of(server) as ai:
        with pytest.raises(openai.BadRequestError, match="`/v1/predict`"):
            say(ai)
        with pytest.raises(openai.BadRequestError, match="`/v1/predict`"):
            ai.completions.create(model="teller", prompt="one")
        reply = server.predict({"row": {"passage": "a b", "question": "c"}})
        assert (reply.status, reply.json["answers"][0]["value"]) == (200, "You said: a b")
        assert server.ask("GET", "/chat").status == 404


def test_a_model_that_does_not_write_token_by_token_keeps_no_schema(
    writer_server: Callable[..., Any], tmp_path: Path
) -> None:
    with writer_server(Toy(is_generating=False), tmp_path) as server, client_of(server) as ai:
        assert _whole(say(ai, max_tokens=1, stream=True)) == ("You", "length")
        for options in ({"response_format": {"type": "json_object"}}, {"logprobs": True}):
            with pytest.raises(openai.BadRequestError, match="does not write token by token"):
                say(ai, **options)


def test_a_row_that_the_model_refuses_is_the_clients_fault(ai: openai.OpenAI) -> None:
    for streams in (False, True):
        with pytest.raises(openai.UnprocessableEntityError, match="too long for this model"):
            say(ai, REFUSED, stream=streams)


def test_a_fault_of_ours_shows_only_an_id(ai: openai.OpenAI, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(openai.InternalServerError) as caught:
        say(ai, f"{BROKEN} my secret")
    printed = capfd.readouterr().err
    assert caught.value.code == "internal"
    assert caught.value.message.split()[-1] in printed
    assert "secret" not in printed + str(caught.value)


class Breaking(Toy):
    """Fails in the middle of a text."""

    def write(self, rows: Any, how: Any, hear: Any) -> Any:
        hear(0, "You")
        raise RuntimeError(f"lost {rows}")


def test_a_fault_in_the_middle_of_a_stream_ends_it_as_an_error(
    writer_server: Callable[..., Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with writer_server(Breaking(), tmp_path) as server, client_of(server) as ai:
        stream = say(ai, "a secret", stream=True)
        with pytest.raises(openai.APIError, match="server failed"):
            list(stream)
    assert "RuntimeError" in (printed := capfd.readouterr().err)
    assert "secret" not in printed


def test_answers_are_logged_with_ids_that_feedback_takes(teller: Any, ai: openai.OpenAI) -> None:
    whole, two, streamed = say(ai, "log me"), say(ai, "log two", n=2), list(say(ai, "log stream", stream=True))
    ids = [whole.id, two.id, f"{two.id}-1", streamed[0].id]
    for id, body in zip(ids, ({"right": True}, {"right": False}, {"correct": "better"}, {"right": True}), strict=True):
        assert teller.feedback({"id": id, **body}).status == 200
    found = {row["id"]: row for row in feedback_rows(teller.log.path)}
    assert [found[id]["correct"] for id in ids] == ["You said: log me", "", "better", "You said: log stream"]
    assert found[ids[0]]["inputs"] == {"messages": [{"role": "user", "content": "log me"}]}
    assert found[ids[0]]["confidence"] == pytest.approx(np.exp(-0.5), abs=1e-6)
    assert teller.feedback({"id": whole.id}).status == 422
    assert teller.feedback({"id": whole.id, "right": True, "correct": "x"}).status == 422
    assert teller.feedback({"id": whole.id, "right": 1}).status == 422


def test_predictions_and_completions_share_one_line_and_give_the_same(teller: Any, ai: openai.OpenAI) -> None:
    rows = [{"messages": [{"role": "user", "content": f"row {number}"}]} for number in range(20)]
    answers = teller.predict({"rows": rows}).json["answers"]
    assert [answer["value"] for answer in answers] == [f"You said: row {number}" for number in range(20)]
    assert answers[3]["value"] == say(ai, "row 3").choices[0].message.content
    metrics = teller.ask("GET", "/metrics").content.decode()
    assert 'windlass_requests_total{route="/v1/chat/completions",status="200"}' in metrics
    assert "# TYPE windlass_tokens_written_total counter" in metrics


def test_nothing_is_answered_before_the_release_is_proven(writer_server: Callable[..., Any], tmp_path: Path) -> None:
    with writer_server(Toy(), tmp_path) as server, client_of(server) as ai:
        server.app.state.service.proof = "secret"
        with pytest.raises(openai.InternalServerError, match="proving"):
            say(ai)
        row = {"row": {"messages": HELLO}}
        assert server.predict(row).status == 503
        assert server.predict(row, X_Windlass_Proof="secret").status == 200
        assert list(answer_rows(server.log.path)) == []


def test_a_product_without_embeddings_says_so(ai: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="gives no embeddings") as caught:
        ai.embeddings.create(model="teller", input="one")
    assert caught.value.code == "no_embeddings"


class Embedding(Writer):
    """Gives the lengths of a text's words as its vector."""

    def embed(self, texts: Any) -> np.ndarray:
        return np.array([[len(text), text.count(" ") + 0.25] for text in texts])


def test_embeddings_come_as_numbers_or_base64(writer_server: Callable[..., Any], tmp_path: Path) -> None:
    plain = writer_of(Toy(), TEXT)
    with (
        writer_server(None, tmp_path, predictor=Embedding(plain.manifest, plain.engine)) as server,
        client_of(server) as ai,
    ):
        found = ai.embeddings.create(model="teller", input=["one two", "three"])  # asks for base64 by itself
        assert [each.embedding for each in found.data] == [[7, 1.25], [5, 0.25]]
        assert found.usage.prompt_tokens == 3
        raw = server.ask("POST", "/v1/embeddings", {"model": "teller", "input": "a", "encoding_format": "base64"}).json
        assert np.frombuffer(base64.b64decode(raw["data"][0]["embedding"]), "<f4").tolist() == [1, 0.25]
        one = ai.embeddings.create(model="teller", input="one", encoding_format="float")
        assert one.data[0].embedding == [3, 0.25]
        for options in ({"dimensions": 1}, {"input": []}, {"input": [1]}):
            with pytest.raises(openai.BadRequestError) as caught:
                ai.embeddings.create(**{"model": "teller", "input": "a", **options})
            assert [caught.value.param.split(".")[0]] == list(options)


class EmbeddingLabeller(Labeller):
    """Names labels, and gives the length of a text as its vector."""

    def embed(self, texts: Any) -> np.ndarray:
        return np.array([[float(len(text))] for text in texts])


def test_a_product_that_names_labels_may_embed_and_completes_nothing(
    writer_server: Callable[..., Any], text_store: Store, tmp_path: Path
) -> None:
    _, labeller = releases.open_release(text_store, "toy-1")
    assert isinstance(labeller, Labeller)
    with writer_server(None, tmp_path, predictor=EmbeddingLabeller(labeller.manifest, labeller.engine)) as server:
        body = {"model": "teller", "input": "four"}
        assert server.ask("POST", "/v1/embeddings", body).json["data"][0]["embedding"] == [4]
        assert server.ask("GET", "/v1/models").json["data"][0]["id"] == "teller"
        assert server.ask("POST", "/v1/completions", {"model": "teller", "prompt": "x"}).status == 404


def test_a_product_that_names_labels_has_none_of_these_routes(client: Any) -> None:
    for method, path in (("POST", "/v1/chat/completions"), ("GET", "/v1/models"), ("GET", "/chat")):
        assert client.ask(method, path, {} if method == "POST" else None).error["kind"] == "unknown_route"


def test_the_description_fits_what_is_sent_and_what_is_refused(teller: Any) -> None:
    described = teller.ask("GET", "/openapi.json").json
    operation = described["paths"]["/v1/chat/completions"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    body = {"model": "teller", "messages": HELLO, "stop": ["a"], "response_format": {"type": "json_object"}}
    jsonschema.validate(body, schema)
    for change in ({"n": 5}, {"messages": []}, {"tempreature": 1}, {"messages": [{"role": "x", "content": ""}]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**body, **change}, schema)
        refused = teller.ask("POST", "/v1/chat/completions", {**body, **change})
        answer = operation["responses"]["400"]["content"]["application/json"]["schema"]
        jsonschema.validate(refused.json, {**answer, "components": described["components"]})
    assert "$ref" not in json.dumps(schema)


def test_an_endless_answer_holds_its_length(ai: openai.OpenAI) -> None:
    assert say(ai, ENDLESS, max_tokens=4_096).usage.completion_tokens == 4_096


def test_the_time_limit_of_an_answer_is_told_as_its_length(writer_server: Callable[..., Any], tmp_path: Path) -> None:
    with writer_server(Toy(wait_s=0.01), tmp_path, settings=Settings(answer_s=0.3)) as server, client_of(server) as ai:
        text, finish = _whole(say(ai, ENDLESS, max_tokens=4_096, stream=True))
        assert finish == "length"
        assert text.startswith("You said: go on for ever more")
        reply = server.predict({"row": {"messages": [{"role": "user", "content": ENDLESS}]}})
        assert (reply.status, reply.error["kind"], reply.headers["retry-after"]) == (503, "too_slow", "1")
