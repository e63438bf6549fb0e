"""Generated tokens a second at 1 and 8 clients, same weights: Windlass over HTTP, transformers.generate, CTranslate2.

Usage: python benchmarks/generation.py [--width 512 --layers 8] [--tokens 64]
The model is a Llama with random weights, so that every engine writes until the limit. Peers are called in their own
process without HTTP, which favours them. llama.cpp is measured when `llama_cpp` is installed and a GGUF file of the
same weights is given (--gguf). On a GPU, `--train` also measures the share of the matrix limit that training reaches.
Writes benchmarks/results/generation.json.
"""

import argparse
import json
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import torch

from windlass.learners import gpt, tokens
from windlass.learners.language import _convert
from windlass.metrics import Estimate
from windlass.predictors import decoding
from windlass.predictors.language import MODEL, Language
from windlass.predictors.prompts import Prompts, Template
from windlass.predictors.writer import Writer
from windlass.records import Column, Manifest, Release
from windlass.serving.app import create_app
from windlass.serving.server import running
from windlass.serving.settings import Settings
from windlass.stages.evaluate import machine

RESULTS = Path(__file__).resolve().parent / "results"
N_PROMPT, ROUNDS = 32, 3


def random_model(folder: Path, width: int, layers: int) -> tuple:
    """A Llama whose end token is never the likeliest, its tokenizer, and a prompt of 32 tokens."""
    text = " ".join(f"word{number} and more of it" for number in range(4_000))
    tokenizer = tokens.train([text], 4_000)
    torch.manual_seed(1)
    shape = replace(gpt.Shape(), width=width, layers=layers, heads=width // 64, length=512)
    model = gpt.build(shape, tokenizer.get_vocab_size(), 1).eval()
    model.generation_config.eos_token_id = None
    (folder / MODEL).mkdir(parents=True)
    model.save_pretrained(folder / MODEL)
    tokens.save(tokenizer, folder / MODEL)
    prompt = tokenizer.decode(tokenizer.encode(text).ids[:N_PROMPT])
    return model, tokenizer, prompt


def rate(ask: Callable[[int], int], clients: int) -> float:
    """Tokens a second of so many clients that ask at the same time; the best of three rounds, after one to warm up."""
    found = []
    with ThreadPoolExecutor(clients) as pool:
        for _ in range(ROUNDS + 1):
            started = time.monotonic()
            written = sum(pool.map(ask, range(clients)))
            found.append(written / (time.monotonic() - started))
    return round(max(found[1:]), 1)


def over_http(engine: Language, prompts: Prompts, prompt: str, n_tokens: int) -> dict:
    manifest = Manifest("language", "gpt", (Column("prompt", "text"),), Column("text", "text"), 1.0,
                        {"writing": {"max_tokens": n_tokens}})
    release = Release("bench", "bench", "gpt", "chrf", Estimate(0, 0, 0), "2026-11-22T00:00:00+00:00", "", {}, 0.0)
    app = create_app(release, Writer(manifest, engine), None, Settings())
    with running(app) as port:

        def ask(client: int) -> int:
            body = json.dumps({"model": "bench", "prompt": prompt, "max_tokens": n_tokens}).encode()
            request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/completions", body,
                                             {"content-type": "application/json"})
            return json.load(urllib.request.urlopen(request))["usage"]["completion_tokens"]

        return {f"clients_{clients}": rate(ask, clients) for clients in (1, 8)}


def with_transformers(model, ids: list[int], n_tokens: int) -> dict:
    """One call of `generate` a client behind a lock, and one call for a batch of all of them."""
    lock = threading.Lock()

    def batch(size: int) -> int:
        input_ids = torch.tensor([ids] * size)
        with torch.inference_mode():
            out = model.generate(input_ids=input_ids, attention_mask=torch.ones_like(input_ids), do_sample=False,
                                 max_new_tokens=n_tokens, min_new_tokens=n_tokens, pad_token_id=0)
        return out[:, len(ids):].numel()

    def alone(client: int) -> int:
        with lock:
            return batch(1)

    return {"clients_1": rate(alone, 1), "clients_8": rate(alone, 8), "batch_of_8": rate(lambda client: batch(8), 1)}


def with_ctranslate(folder: Path, names: list[str], n_tokens: int) -> dict:
    import ctranslate2

    engine = ctranslate2.Generator(str(folder / "fast"), device="cpu", intra_threads=torch.get_num_threads())

    def batch(size: int) -> int:
        found = engine.generate_batch([names] * size, max_length=n_tokens, min_length=n_tokens,
                                      include_prompt_in_result=False)
        return sum(len(item.sequences_ids[0]) for item in found)

    return {"clients_1": rate(lambda client: batch(1), 1), "clients_8": rate(lambda client: batch(1), 8),
            "batch_of_8": rate(lambda client: batch(8), 1)}


def training_share(seconds: float = 60.0) -> dict:
    """The 124 M preset on a GPU: tokens a second and the share of 790 TFLOP/s bfloat16."""
    model = gpt.build(gpt.PRESETS["gpt2"], 50_304, 1).cuda()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    torch.set_float32_matmul_precision("high")
    compiled = torch.compile(model)
    batch, length = 32, 1_024
    ids = torch.randint(0, 50_000, (batch, length + 1)).cuda()

    def step() -> None:
        with torch.autocast("cuda", dtype=torch.bfloat16):
            logits = compiled(input_ids=ids[:, :-1]).logits
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    for _ in range(5):
        step()
    torch.cuda.synchronize()
    started, n_steps = time.monotonic(), 0
    while time.monotonic() - started < seconds:
        step()
        torch.cuda.synchronize()
        n_steps += 1
    spent = time.monotonic() - started
    n_tokens = n_steps * batch * length
    n_weights = sum(value.numel() for value in model.parameters())
    flops = n_tokens * (6 * n_weights + 12 * 12 * 768 * length)
    return {"tokens_per_second": round(n_tokens / spent), "share_of_790_tflops": round(flops / spent / 790e12, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--train", action="store_true")
    options = parser.parse_args()
    path = RESULTS / "generation.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if options.train:
        found["training"] = training_share()
    else:
        with tempfile.TemporaryDirectory() as place:
            found |= compared(Path(place), options)
    found |= {"machine": machine(), "date": datetime.now(UTC).date().isoformat()}
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


def compared(folder: Path, options: argparse.Namespace) -> dict:
    model, tokenizer, prompt = random_model(folder, options.width, options.layers)
    ids = tokenizer.encode(prompt).ids
    template = Template(roles={"user": ([], [])}, end=[tokenizer.get_vocab_size() + 1])
    prompts = Prompts(tokenizer, template, (Column("prompt", "text"),))
    found = {"parameters": sum(value.numel() for value in model.parameters()), "prompt": len(ids),
             "tokens": options.tokens, "threads": torch.get_num_threads()}
    found["windlass_torch"] = over_http(
        Language(prompts, [lambda: decoding.open_decoder(folder / MODEL, template.end)]), prompts, prompt,
        options.tokens)
    fast = _convert(folder, Prompts(tokenizer, Template(roles={"user": ([], [])}, end=[1]), prompts.columns))
    found["windlass_ctranslate2"] = over_http(fast, prompts, prompt, options.tokens) if fast else None
    found["transformers_generate"] = with_transformers(model, ids, options.tokens)
    if fast:
        found["ctranslate2"] = with_ctranslate(folder, [tokenizer.id_to_token(number) for number in ids],
                                               options.tokens)
    return found


if __name__ == "__main__":
    main()
