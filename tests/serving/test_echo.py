"""Completions with `echo`: what each token of a prompt is worth to a causal model, held against transformers."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from test_openai import client_of
from tests.learners import writers
from toy_writer import CHAT, TEXT, Toy, writer_of
from transformers import AutoModelForCausalLM, AutoTokenizer

from windlass.database.request_log import Feedback, answer_rows
from windlass.learners.language import tokens
from windlass.learners.language.ngram import count
from windlass.predictors.language import decoding
from windlass.predictors.language.language import Language
from windlass.predictors.language.ngram import Ngram
from windlass.predictors.language.prompts import Template
from windlass.predictors.language.writing import Writing, Written, silent_hear
from windlass.predictors.writer import confidence

END = writers.tokenizer().token_to_id(tokens.END)
PROMPT = "Who are you, naïve 中文 user?"
MOST = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return writers.decoder(tmp_path_factory.mktemp("models") / "llama")


def language_of(folder: Path, start: tuple[int, ...] = (), end: int = END, most_echoed: int = 2**25) -> Language:
    template = Template(start=list(start), roles={"user": ([], [])}, answer=[END], end=[end], most=MOST)
    prompts = writers.prompts(folder, template, prompt="text")

    def opened() -> decoding.TorchDecoder:
        decoder = decoding.open_decoder(folder, [end])
        decoder.most_echoed = most_echoed
        return decoder

    return Language(prompts, [opened])


@pytest.fixture(scope="module")
def server(folder: Path, writer_server: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with writer_server(language_of(folder), tmp_path_factory.mktemp("log"), TEXT) as server:
        yield server


def complete(server: Any, prompt: Any = PROMPT, **options: Any) -> Any:
    with client_of(server) as ai:
        return ai.completions.create(**{"model": "teller", "prompt": prompt, "echo": True, "logprobs": 2, **options})


def error(server: Any, **options: Any) -> tuple[int, str, str]:
    body = {"model": "teller", "prompt": PROMPT, "echo": True, "max_tokens": 1, **options}
    reply = server.ask("POST", "/v1/completions", body)
    return reply.status, reply.error["code"], reply.error["message"]


class Reference:
    """What transformers itself says of some ids."""

    def __init__(self, folder: Path) -> None:
        self.model = AutoModelForCausalLM.from_pretrained(folder)
        self.tokenizer = AutoTokenizer.from_pretrained(folder)

    def ids(self, text: str) -> list[int]:
        return self.tokenizer(text, add_special_tokens=False).input_ids

    def logprobs(self, ids: list[int]) -> torch.Tensor:
        """(T - 1, V): of what follows each token but the last."""
        with torch.inference_mode():
            return torch.log_softmax(self.model(torch.tensor([ids])).logits[0].double(), dim=-1)[:-1]

    def of_each(self, ids: list[int]) -> list[float]:
        """Of each token but the first."""
        return self.logprobs(ids)[torch.arange(len(ids) - 1), torch.tensor(ids[1:])].tolist()

    def likeliest(self, ids: list[int]) -> list[dict[str, float]]:
        """The two likeliest at the place of each token but the first; of two parts of characters, the likelier."""
        found = self.logprobs(ids).topk(2).indices.flip(1)
        shares = zip(found.tolist(), self.logprobs(ids).tolist(), strict=True)
        return [{self.tokenizer.decode([token]): values[token] for token in row} for row, values in shares]

    def continued(self, ids: list[int], n_tokens: int) -> list[int]:
        options = {"max_new_tokens": n_tokens, "do_sample": False, "pad_token_id": 0}
        return self.model.generate(torch.tensor([ids]), **options)[0].tolist()


@pytest.fixture(scope="module")
def reference(folder: Path) -> Reference:
    return Reference(folder)


def check(logprobs: Any, reference: Reference, ids: list[int]) -> None:
    """Asserts that these are the log-probabilities of all of these ids."""
    assert logprobs.tokens == [reference.tokenizer.decode([token]) for token in ids]
    assert logprobs.token_logprobs[0] is logprobs.top_logprobs[0] is None
    assert logprobs.token_logprobs[1:] == pytest.approx(reference.of_each(ids), abs=1e-4)
    for found, wanted in zip(logprobs.top_logprobs[1:], reference.likeliest(ids), strict=True):
        assert found == pytest.approx(wanted, abs=1e-4)


def test_the_tokens_of_a_prompt_are_told_as_transformers_values_them(server: Any, reference: Reference) -> None:
    answer = complete(server, max_tokens=0)
    (choice,), ids = answer.choices, reference.ids(PROMPT)
    assert (choice.text, choice.finish_reason) == (PROMPT, "length")
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (len(ids), 0)
    check(choice.logprobs, reference, ids)
    mapped = reference.tokenizer(PROMPT, add_special_tokens=False, return_offsets_mapping=True).offset_mapping
    assert choice.logprobs.text_offset == [begin for begin, _ in mapped]


def test_what_is_written_follows_the_prompt(server: Any, reference: Reference) -> None:
    choice, ids = complete(server, max_tokens=3).choices[0], reference.ids(PROMPT)
    whole = reference.continued(ids, 3)
    assert choice.text == reference.tokenizer.decode(whole).rstrip("\ufffd")  # of a character that is not whole
    check(choice.logprobs, reference, whole)
    first = len(ids)
    names = choice.logprobs.tokens[first:]
    lengths = [len(PROMPT), len(PROMPT) + len(names[0]), len(PROMPT) + len(names[0]) + len(names[1])]
    assert choice.logprobs.text_offset[first:] == lengths


def test_a_measured_prompt_is_no_answer_that_could_be_watched(server: Any) -> None:
    """Control: what is asked without `echo` is in the log."""
    before = {row["id"] for row in answer_rows(server.log.path)}
    complete(server, max_tokens=0)
    complete(server, max_tokens=2)
    written = complete(server, echo=False, logprobs=None, max_tokens=2)
    server.log.feedback(Feedback("", "", None, "")).exception(20)  # what was logged before is written now
    assert {row["id"] for row in answer_rows(server.log.path)} - before == {written.id}


def test_each_prompt_is_told_as_if_it_were_alone_to_the_last_space(server: Any, reference: Reference) -> None:
    """More than are written at once, and each character of them counts."""
    prompts = [f" ab {'cd ' * number}\n" for number in range(9)]
    choices = complete(server, prompts, max_tokens=1, n=1).choices
    assert [choice.index for choice in choices] == list(range(9))
    for prompt, choice in zip(prompts, choices, strict=True):
        assert choice.text.startswith(prompt)
        check(choice.logprobs, reference, reference.continued(reference.ids(prompt), 1))


def test_token_ids_are_told_as_they_stand(server: Any, reference: Reference) -> None:
    """Control tokens among them: so a client puts the one that begins a text before what has no context."""
    several = [[END, *reference.ids(PROMPT)], [END, 5, 6]]
    for prompt in (several[0], several):
        choices = complete(server, prompt, max_tokens=1).choices
        for choice, ids in zip(choices, several, strict=False):
            check(choice.logprobs, reference, reference.continued(ids, 1))
            assert choice.text.startswith(reference.tokenizer.decode(ids))
    assert choices[1].logprobs.text_offset[:2] == [0, len(reference.tokenizer.decode([END]))]


def test_what_a_model_of_conversations_makes_of_a_text_is_told_too(
    folder: Path, reference: Reference, writer_server: Callable[..., Any], tmp_path: Path
) -> None:
    with writer_server(language_of(folder), tmp_path, CHAT) as server:
        check(complete(server, max_tokens=0).choices[0].logprobs, reference, reference.ids(PROMPT))
        assert error(server, echo=False)[0] == 400
        assert error(server, prompt="x" * 100_001)[0] == 422


def test_the_bytes_of_tokens_join_to_what_was_written(server: Any) -> None:
    """A Chinese character may be three tokens, none of which is text."""
    said = [{"role": "user", "content": PROMPT}]
    options: dict[str, Any] = {"logprobs": True, "top_logprobs": 2, "max_tokens": 30, "temperature": 1.5, "seed": 3}
    with client_of(server) as ai:
        choice = ai.chat.completions.create(model="teller", messages=said, **options).choices[0]
    tokens = choice.logprobs.content
    joined = b"".join(bytes(token.bytes) for token in tokens if token.token not in writers.CONTROL)
    assert joined.decode("utf-8", "replace").strip("\n\ufffd") == choice.message.content.strip("\n\ufffd")
    assert any("\ufffd" in token.token and bytes(token.bytes) != token.token.encode() for token in tokens)
    assert all(len(token.top_logprobs) == 2 for token in tokens)


def test_what_begins_any_text_is_read_and_not_told(folder: Path, reference: Reference) -> None:
    how = Writing(max_tokens=0, n_logprobs=0, echo=True)
    (written,) = language_of(folder, start=(END,)).write([{"prompt": PROMPT}], how, silent_hear)
    ids = reference.ids(PROMPT)
    assert written.echo is not None
    assert [token.logprob for token in written.echo.tokens] == pytest.approx(reference.of_each([END, *ids]), abs=1e-4)
    assert (len(written.echo.offsets), written.n_prompt) == (len(ids), len(ids) + 1)


def test_a_token_that_ends_the_text_is_told_as_well(
    folder: Path, reference: Reference, writer_server: Callable[..., Any], tmp_path: Path
) -> None:
    """A client that asks for one token counts on one."""
    whole = reference.continued(reference.ids(PROMPT), 1)
    with writer_server(language_of(folder, end=whole[-1]), tmp_path, TEXT) as server:
        choice = complete(server, max_tokens=1).choices[0]
    assert (choice.text, choice.finish_reason) == (PROMPT, "stop")
    check(choice.logprobs, reference, whole)


def test_a_prompt_that_is_read_in_parts_is_told_alike(
    folder: Path, reference: Reference, writer_server: Callable[..., Any], tmp_path: Path
) -> None:
    """Three tokens at a time."""
    language = language_of(folder, most_echoed=3 * reference.model.config.vocab_size)
    with writer_server(language, tmp_path, TEXT) as server:
        told = complete(server, max_tokens=2).choices[0].logprobs
    check(told, reference, reference.continued(reference.ids(PROMPT), 2))


def test_a_prompt_is_told_without_log_probabilities_too(server: Any) -> None:
    choice = complete(server, max_tokens=0, logprobs=None).choices[0]
    assert (choice.text, choice.logprobs) == (PROMPT, None)


def test_what_an_echo_cannot_do_is_refused(server: Any) -> None:
    assert error(server, stream=True)[:2] == (400, "invalid_value")
    assert error(server, echo=False, max_tokens=0)[:2] == (400, "invalid_value")
    assert error(server, prompt=[1, 2], echo=False)[:2] == (400, "invalid_value")
    assert error(server, prompt=[])[0] == error(server, prompt=[1, "a"])[0] == 400
    for ids in ([-1], [10**6], [1] * (MOST + 1), [[]]):
        assert error(server, prompt=ids)[0] == 422
    status, _, message = error(server, prompt="x" * 1_000)
    assert (status, f"expected 1 to {MOST}" in message) == (422, True)
    assert error(server, prompt="")[0] == 422
    assert len(complete(server, "x" * MOST, max_tokens=1).choices[0].logprobs.tokens) == MOST + 1


def test_models_that_tell_nothing_of_a_prompt_say_so(writer_server: Callable[..., Any], tmp_path: Path) -> None:
    writers.pair(tmp_path / "t5")
    for number, engine in enumerate((Toy(), Ngram(count(["ab"] * 4, 2)), language_of(tmp_path / "t5"))):
        (tmp_path / str(number)).mkdir()
        with writer_server(engine, tmp_path / str(number), TEXT) as server:
            status, _, message = error(server)
            assert (status, "causal" in message) == (422, True)
            assert server.ask("POST", "/v1/completions", {"model": "teller", "prompt": "x"}).status == 200


class Table:
    """Gives three rows at once and has time for two of them."""

    def __init__(self) -> None:
        self.rows = [({"prompt": text}, 1) for text in ("ab cd", "ab " * MOST, "ab")]
        self.ended: dict[int, Written] = {}
        self.refused: list[int] = []

    def take(self) -> Any:
        taken, self.rows = self.rows, []
        return taken

    def hear(self, number: int, piece: str) -> bool:
        return number < 2

    def end(self, number: int, written: Written) -> None:
        self.ended[number] = written

    def refuse(self, number: int, error: Exception) -> None:
        self.refused.append(number)


def test_a_row_whose_time_is_over_or_that_does_not_fit_holds_up_no_other(folder: Path) -> None:
    table = Table()
    language_of(folder).serve(table, Writing(max_tokens=1, n_logprobs=1, echo=True))
    assert table.refused == [1]
    assert {number: (each.finish, each.echo is None) for number, each in table.ended.items()} == {
        0: ("length", False),
        2: ("cancelled", True),
    }


class Late(Toy):
    """Comes to no prompt in time."""

    echo = Toy.write


def test_an_echo_that_comes_too_late_is_no_answer(writer_server: Callable[..., Any], tmp_path: Path) -> None:
    with writer_server(Late(), tmp_path, TEXT) as server:
        assert error(server)[:2] == (503, "too_slow")


def test_an_echo_without_an_answer_has_no_confidence(folder: Path) -> None:
    writer = writer_of(language_of(folder), TEXT, {"max_tokens": 1})
    (written,) = writer.write([{"prompt": PROMPT}], Writing(max_tokens=0, echo=True))
    assert (written.text, written.n_tokens) == ("", 0)
    assert confidence(written) is None
