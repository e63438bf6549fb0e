"""What clients of OpenAI's interface ask, read strictly: rows of the product, and how their texts are to be written.

Source: OpenAI's API reference, https://platform.openai.com/docs/api-reference (chat, completions, embeddings).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationError

from windlass.errors import did_you_mean, expected
from windlass.kinds import table as kinds
from windlass.kinds.text import MAX_CHARACTERS, effort
from windlass.predictors.language.writing import MAX_TOKENS, Echoes, Writing
from windlass.predictors.writer import Writer
from windlass.records import Column, Json, Row
from windlass.serving.api.schema_budget import bounded, need
from windlass.serving.contract import codec
from windlass.serving.contract.faults import Fault
from windlass.strict_yaml import Exact

MAX_STOPS, MAX_N, MAX_MESSAGES, MAX_SCHEMA_BYTES = 4, 4, 1_000, 64 * 1024
LEAST_TOP_P, LEAST_TEMPERATURE = 0.01, 0.01
"""Below that temperature the likeliest token is taken: it would be, and at 1e-38 the logits leave what numbers hold."""
NEUTRAL: dict[str, tuple[Any, ...]] = {
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "parallel_tool_calls": (True, False),
    "functions": ([],),
    "function_call": ("none",),
    "modalities": (["text"],),
    "audio": (),
    "prediction": (),
    "verbosity": ("medium",),
    "web_search_options": (),
    "moderation": (),
    "best_of": (1,),
    "echo": (False,),
    "suffix": ("",),
    "dimensions": (),
}
"""Parameter that is not supported -> its values under which nothing would differ; null is always one."""


NOT_USED = "accepted, not used: it changes no text"


class StreamOptions(Exact):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class Part(Exact):
    type: Literal["text"]
    text: str


class Message(Exact):
    """A message; what OpenAI's own answers carry beside role and content may come back empty."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Part] | None = Field(description="null: of the assistant alone, who then said nothing")
    id: str | None = Field(None, max_length=200, description=NOT_USED)
    refusal: None = None
    audio: None = None
    function_call: None = None
    name: str | None = Field(None, max_length=64, description=NOT_USED)
    annotations: list[Any] | None = Field(None, max_length=0)
    tool_calls: list[Any] | None = Field(None, max_length=0)


class SchemaNamed(Exact):
    name: str = Field("", max_length=64)
    schema_: Json | None = Field(None, alias="schema")
    description: str | None = Field(None, max_length=2_000)
    strict: bool | None = None


class ResponseFormat(Exact):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: SchemaNamed | None = None


class CommonRequest(Exact):
    """What both ways of completing share."""

    model: str = Field(max_length=200, description="name of the product, or id of the release")
    temperature: float | None = Field(None, ge=0, le=2, description="0 takes the likeliest token each time")
    top_p: float | None = Field(None, ge=0, le=1)
    max_tokens: int | None = Field(None, ge=1, le=MAX_TOKENS)
    n: int | None = Field(None, ge=1, le=MAX_N)
    stop: str | list[str] | None = Field(None, description=f"at most {MAX_STOPS} texts of 1 to 100 characters")
    seed: int | None = Field(None, ge=-(2**63), lt=2**63)
    repetition_penalty: float | None = Field(
        None, ge=0.5, le=2, description="above 1, what was written becomes less likely; not OpenAI's, but vLLM's name"
    )
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    top_k: int | None = Field(None, ge=-1, description="accepted where the likeliest token is taken, or 0 or -1: off")
    user: str | None = Field(None, max_length=512, description=NOT_USED)
    store: bool | None = Field(None, description=NOT_USED + "; what is kept says `keep_inputs` of the product")
    metadata: dict[str, str] | None = Field(None, max_length=16, description=NOT_USED)
    service_tier: str | None = Field(None, max_length=64, description=NOT_USED)
    safety_identifier: str | None = Field(None, max_length=512, description=NOT_USED)
    prompt_cache_key: str | None = Field(None, max_length=512, description=NOT_USED)
    prompt_cache_options: Json | None = Field(None, description=NOT_USED)
    prompt_cache_retention: str | None = Field(None, max_length=64, description=NOT_USED)


class ChatRequest(CommonRequest):
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = Field(
        None, description=NOT_USED + ", for no model here reasons first"
    )
    messages: list[Message] = Field(min_length=1, max_length=MAX_MESSAGES)
    max_completion_tokens: int | None = Field(None, ge=1, le=MAX_TOKENS)
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=20)
    response_format: ResponseFormat | None = None


class CompletionRequest(CommonRequest):
    prompt: str | list[str] | list[int] | list[list[int]] = Field(
        description="a text, or several; with `echo` as token ids, too"
    )
    max_tokens: int | None = Field(None, ge=0, le=MAX_TOKENS, description="0 only with `echo`")
    logprobs: int | None = Field(None, ge=0, le=5)
    echo: bool | None = Field(None, description="tell the prompt as well; of causal models, not in a stream")


class EmbeddingRequest(Exact):
    model: str = Field(max_length=200, description="name of the product, or id of the release")
    input: str | list[str] = Field(description="a text, or several")
    encoding_format: Literal["float", "base64"] | None = None
    user: str | None = Field(None, max_length=512, description=NOT_USED)


A = TypeVar("A", bound=Exact)


@dataclass(frozen=True)
class Completion:
    """A request for completions: `n` texts for each row, row by row."""

    rows: Sequence[Row]
    how: Writing
    stop: tuple[str, ...]
    n: int
    is_seeded: bool
    streams: bool
    tells_usage: bool
    tells_logprobs: bool


def read_chat(body: bytes, writer: Writer, names: Sequence[str]) -> Completion:
    """Raises: Fault 400, 404."""
    asked = _parse(ChatRequest, body)
    _check_model(asked.model, names)
    if asked.top_logprobs is not None and not asked.logprobs:
        raise wrong("'top_logprobs' is given without 'logprobs', expected both", "top_logprobs")
    if None not in (asked.max_tokens, asked.max_completion_tokens) and asked.max_tokens != asked.max_completion_tokens:
        raise wrong("'max_tokens' and 'max_completion_tokens' differ, expected one of them", "max_tokens")
    return _wish(
        asked,
        writer,
        [_chat_row(asked.messages, writer.manifest.inputs)],
        max_tokens=asked.max_completion_tokens or asked.max_tokens,
        n_logprobs=(asked.top_logprobs or 0) if asked.logprobs else None,
        schema=_schema(asked.response_format),
    )


def read_question(body: bytes, inputs: Sequence[Column], names: Sequence[str]) -> tuple[Row, list[str], bool]:
    """The row of a product that answers out of documents, what the user asked up to it, and whether the answer is to
    come as events; how a text is written says nothing to it. Raises: Fault 400, 404."""
    asked = _parse(ChatRequest, body, ("verbosity",))
    _check_model(asked.model, names)
    if (asked.n or 1) > 1:
        raise wrong(f"'n' is {asked.n}, expected 1: a question has one answer", "n")
    talk = [message for message in asked.messages if _role(message) != "system"]
    turns = [_content(message) for message in talk if message.role == "user"]
    return _chat_row(talk, inputs), turns, bool(asked.stream)


def read_completion(body: bytes, writer: Writer, names: Sequence[str], max_rows: int) -> Completion:
    """Raises: Fault 400, 404."""
    asked = _parse(CompletionRequest, body)
    _check_model(asked.model, names)
    inputs = writer.manifest.inputs
    if len(inputs) != 1 or not _takes_prompts(inputs[0], bool(asked.echo)):
        raise wrong(
            f"product reads {_named(inputs)}, expected a single text for completions", "prompt", _elsewhere(inputs)
        )
    _check_echo(asked, writer)
    prompts = _prompts(asked, max_rows // (asked.n or 1))
    rows = [{inputs[0].name: prompt} for prompt in prompts]
    wish = _wish(asked, writer, rows, max_tokens=asked.max_tokens or None, n_logprobs=asked.logprobs, schema=None)
    if not asked.echo:
        return wish
    how = replace(wish.how, echo=True, beams=1)
    return replace(wish, how=replace(how, max_tokens=0) if asked.max_tokens == 0 else how)


def read_embedding(body: bytes, names: Sequence[str], max_rows: int) -> tuple[list[str], bool]:
    """The texts, and whether base64 is wanted. Raises: Fault 400, 404, 422."""
    asked = _parse(EmbeddingRequest, body)
    _check_model(asked.model, names)
    texts = _texts(asked.input, "input", max_rows)
    for text in texts:
        if not 0 < len(text) <= MAX_CHARACTERS or effort(text) > MAX_CHARACTERS:
            raise wrong(f"'input' has a text of {len(text):,} characters, expected 1 to {MAX_CHARACTERS:,}", "input")
    return texts, asked.encoding_format == "base64"


def wrong(message: str, param: str, hint: str = "", kind: str = "invalid_value") -> Fault:
    return Fault(HTTPStatus.BAD_REQUEST, kind, message, hint, param)


def unknown_model(names: Sequence[str]) -> Fault:
    message = f"model is unknown, expected {expected(names)}"
    return Fault(HTTPStatus.NOT_FOUND, "model_not_found", message, param="model")


def inlined(schema: Json) -> Json:
    """The JSON schema without references, so that it can stand inside another document."""
    parts = schema.pop("$defs", {})

    def walk(value: Any) -> Any:
        if isinstance(value, list):
            return [walk(each) for each in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            return walk(parts[value["$ref"].rpartition("/")[2]])
        return {name: walk(each) for name, each in value.items()}

    return walk(schema)


def _wish(
    asked: ChatRequest | CompletionRequest,
    writer: Writer,
    rows: Sequence[Row],
    max_tokens: int | None,
    n_logprobs: int | None,
    schema: Json | None,
) -> Completion:
    if asked.stream_options is not None and not asked.stream:
        raise wrong("'stream_options' is given without 'stream', expected both", "stream_options")
    for name, value in (("response_format", schema), ("logprobs", n_logprobs)):
        if value is not None and not writer.engine.is_generating:
            raise wrong(f"'{name}' is given to a model that does not write token by token, expected none", name)
    how = replace(writer.writing, schema=schema, n_logprobs=n_logprobs)
    temperature = asked.temperature
    if temperature is not None and temperature < LEAST_TEMPERATURE:
        temperature = 0.0
    if schema is not None or temperature:
        how = replace(how, beams=1)
    if max_tokens is not None:
        how = replace(how, max_tokens=max_tokens)
    if temperature is not None:
        how = replace(how, temperature=temperature)
    if (asked.top_k or 0) > 0 and how.temperature:
        raise wrong(f"'top_k' is {asked.top_k} with a temperature, expected nothing, or 'temperature': 0", "top_k")
    if schema is not None and max_tokens is None:
        how = replace(how, max_tokens=max(how.max_tokens, min(need(schema), MAX_TOKENS)))
    if asked.top_p is not None:
        how = replace(how, top_p=max(LEAST_TOP_P, asked.top_p))
    if asked.repetition_penalty is not None:
        how = replace(how, repetition_penalty=asked.repetition_penalty)
    if asked.seed is not None:
        how = replace(how, seed=asked.seed % 2**31)
    options = asked.stream_options
    return Completion(
        rows=rows,
        how=how,
        stop=_stops(asked.stop),
        n=asked.n or 1,
        is_seeded=asked.seed is not None,
        streams=bool(asked.stream),
        tells_usage=options is not None and bool(options.include_usage),
        tells_logprobs=n_logprobs is not None,
    )


def _check_echo(asked: CompletionRequest, writer: Writer) -> None:
    """Raises: Fault 400, 422."""
    if not asked.echo and asked.max_tokens == 0:
        raise wrong("'max_tokens' is 0 without 'echo', expected at least 1", "max_tokens")
    if asked.echo and asked.stream:
        raise wrong("'echo' is given with 'stream', expected one of them", "echo")
    if asked.echo and not isinstance(writer.engine, Echoes):
        message = "'echo' is true for a model that tells nothing of its prompts, expected false"
        hint = "causal language models (`gpt`, `llm`) support it"
        raise Fault(HTTPStatus.UNPROCESSABLE_ENTITY, "unsupported_parameter", message, hint, "echo")


def _parse(form: type[A], body: bytes, ignored: Sequence[str] = ()) -> A:
    """ignored: parameters that change nothing here, whatever they say. Raises: Fault 400 about the first wrong one."""
    values = codec.loads(body)
    if not isinstance(values, dict):
        raise wrong("body is not an object, expected one with 'model'", "")
    given = {}
    for name, value in values.items():
        if name in form.model_fields or name not in NEUTRAL:
            given[name] = value
        elif value is not None and value not in NEUTRAL[name] and name not in ignored:
            raise _unsupported(name)
    try:
        return form.model_validate(given)
    except ValidationError as error:
        raise _fault(error, list(form.model_fields)) from None


def _unsupported(name: str) -> Fault:
    values = " or ".join(codec.dumps(value).decode() for value in NEUTRAL[name])
    return wrong(
        f"'{name}' is not supported by this server, expected {values + ' or ' if values else ''}nothing",
        name,
        kind="unsupported_parameter",
    )


def _fault(error: ValidationError, known: Sequence[str]) -> Fault:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    first, place_of = faults[0], faults[0]["loc"][:-1]
    if first["loc"][-1] == "str":  # a text or a list was wanted: the fault that is furthest inside says most
        inside = [fault for fault in faults if fault["loc"][: len(place_of)] == place_of]
        first = max(inside, key=lambda fault: len(fault["loc"]))
    place = [part for part in map(str, first["loc"]) if part != "str" and not part.startswith("list[")]
    param = ".".join(place)[:80]
    if first["type"] == "extra_forbidden":
        hint = did_you_mean(param, known)
        return wrong(f"parameter '{param}' is unknown, expected another", param, hint, "unknown_parameter")
    if first["type"] == "missing":
        return wrong(f"parameter '{param}' is missing, expected it", param, kind="missing_required_parameter")
    what = first["msg"].replace("Input should", "should").replace("Value should", "should")
    return wrong(f"parameter '{param}' {what}", param)


def _check_model(model: str, names: Sequence[str]) -> None:
    if model not in names:
        raise unknown_model(names)


def _stops(stop: str | list[str] | None) -> tuple[str, ...]:
    stops = (stop,) if isinstance(stop, str) else tuple(stop or ())
    if len(stops) > MAX_STOPS or not all(0 < len(text) <= 100 for text in stops):
        raise wrong(f"'stop' is not at most {MAX_STOPS} texts of 1 to 100 characters, expected such texts", "stop")
    return stops


def _texts(value: str | list[Any], name: str, most: int) -> list[Any]:
    texts = [value] if isinstance(value, str) else value
    if not 0 < len(texts) <= most:
        raise wrong(f"'{name}' has {len(texts):,} texts, expected 1 to {most:,}", name)
    return texts


def _prompts(asked: CompletionRequest, most: int) -> list[str] | list[list[int]]:
    """Raises: Fault 400."""
    value = asked.prompt
    several: list[Any] = [value] if isinstance(value, str) or isinstance(value[0] if value else "", int) else [*value]
    if not asked.echo and any(isinstance(each, list) for each in several):
        raise wrong("'prompt' is token ids without 'echo', expected a text", "prompt")
    return _texts(several, "prompt", most)


def _schema(wanted: ResponseFormat | None) -> Json | None:
    if wanted is None or wanted.type not in ("json_object", "json_schema"):
        return None
    if wanted.type == "json_object":
        return {"type": "object"}
    schema = wanted.json_schema.schema_ if wanted.json_schema is not None else None
    if schema is None:
        raise wrong("'response_format' has no 'json_schema' with a 'schema', expected one", "response_format")
    if len(codec.dumps(schema)) > MAX_SCHEMA_BYTES:
        raise wrong(f"'response_format' is larger than {MAX_SCHEMA_BYTES:,} bytes, expected less", "response_format")
    return bounded(schema)


def _chat_row(messages: Sequence[Message], inputs: Sequence[Column]) -> Row:
    """The conversation as a row of a product that reads a chat, or its last question for one that reads a text."""
    for place, message in enumerate(messages):
        if message.content is None and message.role != "assistant":
            raise wrong("'content' is null, expected text: only the assistant may say nothing", f"messages.{place}")
    said = [{"role": _role(each), "content": _content(each)} for each in messages if each.content is not None]
    if _is_talk(inputs):
        return {inputs[0].name: said}
    if len(inputs) != 1 or not kinds.get(inputs[0].kind).is_prose:
        raise wrong(f"product reads {_named(inputs)}, expected a chat or a single text", "messages", _elsewhere(inputs))
    if any(message["role"] == "system" for message in said):
        raise wrong(
            f"product reads the text '{inputs[0].name}', expected no system message: only a product whose input is "
            "'chat' can follow one",
            "messages",
        )
    asked = [message["content"] for message in said if message["role"] == "user"]
    if not asked:
        raise wrong("'messages' has no message of the user, expected at least one", "messages")
    return {inputs[0].name: asked[-1]}


def _role(message: Message) -> str:
    return "system" if message.role == "developer" else message.role


def _content(message: Message) -> str:
    content = message.content or ""
    return content if isinstance(content, str) else "\n".join(part.text for part in content)


def _named(inputs: Sequence[Column]) -> str:
    return ", ".join(f"the {column.kind} '{column.name}'" for column in inputs)


def _elsewhere(inputs: Sequence[Column]) -> str:
    return f"send it to `{'/v1/chat/completions' if _is_talk(inputs) else '/v1/predict'}`"


def _is_talk(inputs: Sequence[Column]) -> bool:
    """True for a product that reads a conversation and nothing else."""
    return len(inputs) == 1 and kinds.get(inputs[0].kind).turns is not None


def _takes_prompts(column: Column, has_echo: bool) -> bool:
    """True for running text; a conversation can be weighed as it is, and not continued."""
    kind = kinds.get(column.kind)
    return kind.is_prose or (has_echo and kind.turns is not None)
