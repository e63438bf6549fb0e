"""Writes with a language model behind an OpenAI-compatible URL that the user named: vLLM, llama.cpp, Ollama ...

Source: https://platform.openai.com/docs/api-reference/chat. The key is in the environment, never in the artifact.
"""

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError, WindlassError
from windlass.predictors.language.prompts import messages
from windlass.predictors.language.writing import Intake, OnText, Writing, Written
from windlass.records import Column, Json, Manifest, Row
from windlass.remote import consent
from windlass.remote.requests import Remote

AT_ONCE = 8
"""Requests on their way; the server at the other end writes them together."""
LOOK_S = 0.05
"""While requests are on their way, so often is looked for others that may go with them."""


class RemoteModel(Remote):
    role = "language model"


def load(folder: Path, manifest: Manifest) -> "Elsewhere":
    """Asks nobody yet. Raises: DataError: settings are damaged. SpecError, NotReady: as `remote_model`."""
    said = manifest.settings.get("elsewhere")
    names = ("url", "model", "key")
    if not isinstance(said, dict) or not all(isinstance(said.get(name), str) for name in names):
        raise DataError(f"{folder / 'manifest.json'} has no 'elsewhere' with url, model and key, expected one")
    shots = said.get("shots", [])
    if not isinstance(shots, list) or not all(_is_message(shot) for shot in shots):
        raise DataError(f"{folder / 'manifest.json'} has damaged 'shots', expected messages")
    return Elsewhere(remote_model(*(said[name] for name in names)), manifest.inputs, shots)


def remote_model(url: str, model: str, key: str) -> RemoteModel:
    """The model behind a URL that a specification or an artifact names. Raises: as `Remote`, and `consent.require`."""
    found = RemoteModel(url, model, key)
    consent.require(url, key, "rows of this product")
    return found


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(name), str) for name in ("role", "content"))


class Elsewhere:
    """Answers rows with what a remote model says. shots: messages before each question, as examples."""

    is_generating = True

    def __init__(self, remote: Remote, columns: Sequence[Column], shots: Sequence[Json]) -> None:
        self.remote, self.columns, self.shots = remote, columns, list(shots)

    def write(self, rows: Sequence[Row], how: Writing, hear: OnText) -> list[Written]:
        """One text a row, in order. Raises: DataError: `how` asks for what it cannot do. NotReady: no answer."""
        options = _options(how)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = list(pool.map(lambda row: self._one(row, options), rows))
        return [
            written if hear(number, written.text) else replace(written, finish="cancelled")
            for number, written in enumerate(found)
        ]

    def nats(self, rows: Sequence[Row], texts: Sequence[str]) -> np.ndarray | None:
        """Not known: it tells no likelihood of a text that it did not write."""
        return None

    def serve(self, intake: Intake, how: Writing) -> None:
        """As `writing.Serves`."""
        options, waiting, n_taken = _options(how), dict[Future[Written], int](), 0
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while True:
                for row, most in intake.take():
                    waiting[pool.submit(self._one, row, {**options, "max_tokens": most})] = n_taken
                    n_taken += 1
                if not waiting:
                    return
                for done in wait(waiting, LOOK_S, FIRST_COMPLETED).done:
                    _tell(intake, waiting.pop(done), done)

    def _one(self, row: Row, options: Json) -> Written:
        said = messages(row, self.columns)
        first = next((number for number, message in enumerate(said) if message["role"] != "system"), len(said))
        reply = self.remote.chat([*said[:first], *self.shots, *said[first:]], options)
        return Written(reply.text, "length" if reply.is_cut else "stop", reply.n_prompt, reply.n_tokens)


def _tell(intake: Intake, number: int, done: "Future[Written]") -> None:
    try:
        written = done.result()
    except WindlassError as error:
        intake.refuse(number, error)
        return
    intake.hear(number, written.text)
    intake.end(number, written)


def _options(how: Writing) -> Json:
    """The parameters of a request. Raises: DataError: what such a server has no parameter for."""
    if how.beams > 1 or how.repetition_penalty != 1 or how.n_logprobs is not None:
        raise DataError("model behind a URL writes without beams, 'repetition_penalty' and 'logprobs', expected none")
    options: Json = {"max_tokens": how.max_tokens, "temperature": how.temperature}
    if how.temperature:
        options |= {"top_p": how.top_p, "seed": how.seed}
    if how.stop:
        options["stop"] = list(how.stop[:4])
    if how.schema is not None:
        options["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": how.schema}}
    return options
