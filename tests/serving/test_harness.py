"""lm-evaluation-harness scores a product over `/v1/completions`, and finds what transformers itself says."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_echo import END, MOST, Reference, language_of
from tests.learners import writers
from toy_writer import TEXT

pytest.importorskip("lm_eval", reason="pip install '.[evaluation]'")
CHOICES = [
    ("Who are you,", [" user?", " assistant", " 中文"]),
    ("ab cd", [" efg", " ab cd", "x"]),
    ("", ["ab cd", "null", "中文 text"]),
]
TEXTS = ["ab cd efg naïve 中文", "Who are you, user?"]
TASKS = """\
- {task: tiny_choice, dataset_path: json, dataset_kwargs: {data_files: {test: FOLDER/choices.jsonl}}, test_split: test,
   output_type: multiple_choice, doc_to_text: "{{q}}", doc_to_choice: "{{choices}}", doc_to_target: label,
   target_delimiter: "", metric_list: [{metric: acc, aggregation: mean, higher_is_better: true}]}
- {task: tiny_text, dataset_path: json, dataset_kwargs: {data_files: {test: FOLDER/texts.jsonl}}, test_split: test,
   output_type: loglikelihood_rolling, doc_to_text: "", doc_to_target: "{{text}}",
   metric_list: [{metric: byte_perplexity, aggregation: weighted_perplexity, higher_is_better: false}]}
"""


def likelihood(reference: Reference, asked: str, said: str) -> float:
    """Of what is said after what is asked; after the token that begins a text where nothing is."""
    before = reference.ids(asked) or [END]
    whole = reference.ids(asked + said) if asked else [END, *reference.ids(said)]
    return sum(reference.of_each(whole)[len(before) - 1 :])


@pytest.mark.soak
def test_the_harness_finds_what_transformers_says(
    writer_server: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of texts without a context, as in perplexity."""
    folder = writers.decoder(tmp_path / "llama")
    reference = Reference(folder)
    sums = [[likelihood(reference, asked, said) for said in choices] for asked, choices in CHOICES]
    best = [max(range(3), key=each.__getitem__) for each in sums]
    labels = [best[0], best[1], (best[2] + 1) % 3]
    rows = [{"q": asked, "choices": said, "label": label}
            for (asked, said), label in zip(CHOICES, labels, strict=True)]  # fmt: skip
    for name, values in (("choices", rows), ("texts", [{"text": text} for text in TEXTS])):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(value) + "\n" for value in values))
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    for number, text in enumerate(TASKS.replace("FOLDER", str(tmp_path)).split("\n- ")):
        (tasks / f"{number}.yaml").write_text(text.removeprefix("- ").replace("\n   ", "\n "))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    with writer_server(language_of(folder), tmp_path, TEXT) as server:
        url = f"http://127.0.0.1:{server.port}/v1/completions"
        given = f"base_url={url},model=teller,tokenizer={folder},tokenizer_backend=huggingface,max_length={MOST}"
        run = subprocess.run(
            [sys.executable, "-m", "lm_eval", "--model", "local-completions", "--model_args", given, "--tasks",
             "tiny_choice,tiny_text", "--include_path", str(tasks), "--output_path", str(tmp_path / "out")],
            capture_output=True, text=True, timeout=300, check=False, env={**os.environ, "HF_DATASETS_OFFLINE": "1"},
        )  # fmt: skip
    assert run.returncode == 0, run.stderr[-2_000:]
    (found,) = (json.loads(path.read_text())["results"] for path in (tmp_path / "out").rglob("results_*.json"))
    assert found["tiny_choice"]["acc,none"] == pytest.approx(2 / 3)
    nats = sum(likelihood(reference, "", text) for text in TEXTS)
    n_bytes = sum(len(text.encode()) for text in TEXTS)
    assert found["tiny_text"]["byte_perplexity,none"] == pytest.approx(math.exp(-nats / n_bytes), rel=1e-4)
