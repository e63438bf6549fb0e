"""A pretrained writer of each family, from folder to HTTP: what was trained, released, reloaded and served is one."""

import json
import urllib.request
from dataclasses import replace

import pytest

from tests.learners import writers
from tests.tables import with_line
from windlass.learners.contract import Budget
from windlass.learners.language import language, llm, seq2seq
from windlass.learners.table import LEARNERS
from windlass.lifecycle import release, run
from windlass.predictors import table as predictors
from windlass.predictors.language import decoding
from windlass.predictors.language.language import Language
from windlass.predictors.language.writing import Writing, silent_hear
from windlass.records import silent
from windlass.registry import releases
from windlass.serving.api.app import create_app
from windlass.serving.contract.settings import Settings
from windlass.serving.http.server import running

STEPS, HOW = 12, Writing(max_tokens=8, n_logprobs=0)
DECODERS, PAIRS = {"llama": "llama3", "qwen3": "qwen3", "gpt2": ""}, ("t5", "marian")
CASES = [*[("llm", family, adapt) for family in DECODERS for adapt in ("full", "lora")],
         *[("seq2seq", family, "full") for family in PAIRS]]  # fmt: skip


def train(learner, splits, options, progress):
    """In few steps whatever this machine is doing, at a rate that random weights need."""
    budget = Budget(600, STEPS)
    if learner == "llm":
        return llm.train(splits, options, budget, progress, {"small": 5e-3, "large": 5e-3, "beside": 2e-2})
    return seq2seq.train(splits, options, budget, progress)


def tokens_of(engine, rows, how) -> list[list[str]]:
    return [[token.text for token in written.tokens] for written in engine.write(rows, how, silent_hear)]


def served_tokens(port: int, rows) -> list[list[str]]:
    """What the server writes, token by token, as OpenAI's completions tell it."""
    body = {"model": "parrot", "prompt": [row["said"] for row in rows], "max_tokens": 8, "logprobs": 0}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        choices = json.loads(response.read())["choices"]
    return [choice["logprobs"]["tokens"] for choice in sorted(choices, key=lambda choice: choice["index"])]


@pytest.mark.slow
@pytest.mark.parametrize(("learner", "family", "adapt"), CASES, ids=lambda value: str(value))
def test_every_family_writes_the_same_tokens_when_trained_released_reloaded_and_served(product, learner, family, adapt):
    kept = []

    def fit(splits, options, budget, progress):
        kept.append(train(learner, splits, options, progress))
        return language.deliver(kept[0], splits, options)

    folder = product.folder / "model"
    writers.decoder(folder, family, DECODERS[family]) if learner == "llm" else writers.pair(folder, family)
    said = writers.words(80)
    lines = [json.dumps({"said": word, "answer": word}) + "\n" for word in dict.fromkeys(said)]
    (product.folder / "rows.jsonl").write_text("".join(lines), encoding="utf-8")
    spec = product.spec(
        name="parrot",
        data="rows.jsonl",
        inputs={"said": "text"},
        output={"answer": "text"},
        learners=[{learner: str(folder)}],
        language={"adapt": adapt, "rank": 4, "max_tokens": 8},
    )
    with with_line(LEARNERS, learner, replace(LEARNERS[learner], fit=fit)):
        run(spec, product.store, silent, lambda word, skipped: None, until="explain")
    release(spec, product.store, silent, anyway=True)  # what tiny models say is right by chance alone

    (trained,), rows = kept, [{"said": word} for word in said[:8]]
    template = trained.prompts.template
    memory = Language(trained.prompts, [lambda: decoding.TorchDecoder(trained.model, template.end)])
    (made,) = product.store.read_record("train")["runs"]
    artifact = predictors.load(product.store.run_folder(made["name"]) / "artifact")
    how = replace(HOW, beams=artifact.writing.beams)
    wanted = tokens_of(memory, rows, how)
    assert any(wanted)
    assert tokens_of(artifact.engine, rows, how) == wanted
    record, reloaded = releases.open_release(product.store, releases.champion_id(product.store))
    assert tokens_of(reloaded.engine, rows, how) == wanted
    with running(create_app(record, reloaded, None, Settings())) as port:
        assert served_tokens(port, rows) == wanted
