"""Written texts in the forms of OpenAI's interface: whole, and piece by piece as server-sent events.

Source: OpenAI's API reference, https://platform.openai.com/docs/api-reference (chat, completions, embeddings).
"""

import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from secrets import token_hex
from typing import Any, ClassVar

import numpy as np

from windlass.predictors.language.writing import Echo, Token, Written
from windlass.records import Json
from windlass.serving.api.openai_requests import Completion
from windlass.serving.contract import codec

LAST = b"data: [DONE]\n\n"


def event(content: Json) -> bytes:
    """A server-sent event."""
    return b"data: " + codec.dumps(content) + b"\n\n"


def reason(written: Written) -> str:
    """Why a text ended: OpenAI has no word for a time limit but that of a length limit."""
    return "stop" if written.finish == "stop" else "length"


@dataclass(frozen=True)
class Form:
    """An answer that is about to be given: its id, and what all its parts repeat."""

    model: str
    release: str
    wish: Completion
    id: str = ""
    created: int = field(default_factory=lambda: int(time.time()))
    prefix: ClassVar[str] = ""
    object: ClassVar[str] = ""
    object_in_stream: ClassVar[str] = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", self.id or f"{self.prefix}-{token_hex(12)}")

    def ids(self, n_texts: int) -> list[str]:
        """What names each text in feedback: the answer's id, and for those after the first `<id>-1`, `<id>-2` ..."""
        return [f"{self.id}-{number}" if number else self.id for number in range(n_texts)]

    def whole(self, written: Sequence[Written]) -> bytes:
        """The finished answer."""
        choices = [self._choice(number, each) for number, each in enumerate(written)]
        return codec.dumps({**self._envelope(self.object, choices), "usage": self._usage(written)})

    def start(self, number: int) -> bytes:
        """The event before the first piece of a text; may be nothing."""
        return b""

    def piece(self, number: int, text: str) -> bytes:
        return self._event([self._delta(number, text)])

    def end(self, number: int, written: Written) -> bytes:
        """The event after the last piece of a text: why it ended, and its log-probabilities."""
        return self._event([self._last(number, written)])

    def usage(self, written: Sequence[Written]) -> bytes:
        """The event with the counts, when they are wanted."""
        if not self.wish.tells_usage:
            return b""
        return event({**self._envelope(self.object_in_stream, []), "usage": self._usage(written)})

    def _event(self, choices: list[Json]) -> bytes:
        counts = {"usage": None} if self.wish.tells_usage else {}
        return event({**self._envelope(self.object_in_stream, choices), **counts})

    def _envelope(self, what: str, choices: list[Json]) -> Json:
        return {
            "id": self.id,
            "object": what,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.release,
            "choices": choices,
        }

    def _usage(self, written: Sequence[Written]) -> Json:
        n_prompt = sum(each.n_prompt for each in written[:: self.wish.n])
        n_written = sum(each.n_tokens for each in written)
        return {
            "prompt_tokens": n_prompt,
            "completion_tokens": n_written,
            "total_tokens": n_prompt + n_written,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }

    def _choice(self, number: int, written: Written) -> Json:
        raise NotImplementedError

    def _delta(self, number: int, text: str) -> Json:
        raise NotImplementedError

    def _last(self, number: int, written: Written) -> Json:
        raise NotImplementedError


class ChatForm(Form):
    prefix, object, object_in_stream = "chatcmpl", "chat.completion", "chat.completion.chunk"

    def start(self, number: int) -> bytes:
        return self._event([self._part(number, {"role": "assistant", "content": "", "refusal": None})])

    def _choice(self, number: int, written: Written) -> Json:
        message: Json = {"role": "assistant", "content": written.text, "refusal": None, "annotations": []}
        return {
            "index": number,
            "message": message,
            "logprobs": self._logprobs(written),
            "finish_reason": reason(written),
        }

    def _delta(self, number: int, text: str) -> Json:
        return self._part(number, {"content": text})

    def _last(self, number: int, written: Written) -> Json:
        return {**self._part(number, {}), "logprobs": self._logprobs(written), "finish_reason": reason(written)}

    def _part(self, number: int, delta: Json) -> Json:
        return {"index": number, "delta": delta, "logprobs": None, "finish_reason": None}

    def _logprobs(self, written: Written) -> Json | None:
        if not self.wish.tells_logprobs:
            return None
        return {"content": [_weighed(token) for token in written.tokens], "refusal": None}


class TextForm(Form):
    prefix, object, object_in_stream = "cmpl", "text_completion", "text_completion"

    def _choice(self, number: int, written: Written) -> Json:
        echoed = written.echo.text if written.echo is not None else ""
        return {**self._last(number, written), "text": echoed + written.text}

    def _delta(self, number: int, text: str) -> Json:
        return {"index": number, "text": text, "logprobs": None, "finish_reason": None}

    def _last(self, number: int, written: Written) -> Json:
        logprobs = _listed(written.tokens, written.echo) if self.wish.tells_logprobs else None
        return {**self._delta(number, ""), "logprobs": logprobs, "finish_reason": reason(written)}


def embedding(number: int, vector: np.ndarray, is_base64: bool) -> bytes:
    """A (d,) float as OpenAI lists it; base64 holds little-endian float32."""
    value: Any = np.asarray(vector, np.float32).tolist()
    if is_base64:
        value = base64.b64encode(np.asarray(vector, "<f4").tobytes()).decode("ascii")
    return codec.dumps({"object": "embedding", "index": number, "embedding": value})


def embeddings(told: Sequence[bytes], model: str, n_tokens: int) -> bytes:
    """The list of these: joined, since nobody else runs while 200,000 numbers become text."""
    usage = codec.dumps({"prompt_tokens": n_tokens, "total_tokens": n_tokens})
    head = b'{"object":"list","data":[%s],"model":%s,"usage":%s}'
    return head % (b",".join(told), codec.dumps(model), usage)


def _weighed(token: Token) -> Json:
    """A token with the others: each with its bytes, so that a reader can join the parts of a character."""
    told = [(token.text, token.logprob), *token.others]
    raw = token.raw or [text.encode("utf-8", "replace") for text, _ in told]
    first, *others = [
        {"token": text, "logprob": logprob, "bytes": list(each)}
        for (text, logprob), each in zip(told, raw, strict=True)
    ]
    return {**first, "top_logprobs": others}


def _listed(tokens: Sequence[Token], echo: Echo | None = None) -> Json:
    """Of the text and the prompt before it, where that is told; the first token of a prompt has no log-probability."""
    texts = [token.text for token in tokens]
    first = len(echo.text) if echo is not None else 0
    found: Json = {
        "tokens": texts,
        "token_logprobs": [token.logprob for token in tokens],
        "top_logprobs": [_likeliest(token) for token in tokens],
        "text_offset": list(accumulate((len(text) for text in texts), initial=first))[: len(texts)],
    }
    if echo is None:
        return found
    read = _listed(echo.tokens) | {"text_offset": list(echo.offsets)}
    read["token_logprobs"][0] = read["top_logprobs"][0] = None
    return {name: [*read[name], *values] for name, values in found.items()}


def _likeliest(token: Token) -> dict[str, float]:
    """The others by name; of several with one name, such as parts of a character, the likeliest."""
    return {name: max(share for other, share in token.others if other == name) for name, _ in token.others}
