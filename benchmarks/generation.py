"""Generated tokens a second at 1 and 8 clients, same weights: Windlass and the engines that write for others.

Usage: taskset -c 1 python benchmarks/generation.py [--width 512 --layers 8] [--tokens 64] [--rounds 3]
The model is a Llama with random weights, so that every engine writes until the limit; all must write the same text, but
for int8.
Windlass is measured over HTTP and in process; peers are called in their own process without HTTP, which favours them.
transformers and CTranslate2 are given 8 prompts in one batch, the best that they can do; llama.cpp gets 8 calls at once
and batches them itself. Engines take turns within a round, so that a machine that others use, too, slows all alike; the
median of the rounds is told. llama.cpp is measured where `pip install xllamacpp gguf` was done.
On a GPU, `--train` also measures the share of the matrix limit that training reaches.
Writes benchmarks/results/generation.json and .md.
"""

import argparse
import json
import shutil
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import torch

from windlass.learners.language import gpt, tokens
from windlass.learners.language.language import _convert
from windlass.metrics.measures import Estimate
from windlass.predictors.language import decoding
from windlass.predictors.language.engine import FAST, MODEL
from windlass.predictors.language.language import Language
from windlass.predictors.language.prompts import Prompts, Template
from windlass.predictors.language.writing import Writing, silent_hear
from windlass.predictors.writer import Writer
from windlass.records import Column, Manifest, Release
from windlass.serving.api.app import create_app
from windlass.serving.contract.settings import Settings
from windlass.serving.http.server import running
from windlass.stages.evaluate import machine

RESULTS = Path(__file__).resolve().parent / "results"
N_PROMPT, LENGTH = 32, 512
INT8 = "windlass, CTranslate2 int8, in process"


def random_model(folder: Path, width: int, layers: int) -> tuple:
    """A Llama whose end token is never the likeliest, its tokenizer, and a prompt of 32 tokens."""
    text = " ".join(f"word{number} and more of it" for number in range(4_000))
    tokenizer = tokens.train([text], 4_000)
    torch.manual_seed(1)
    shape = replace(gpt.Shape(), width=width, layers=layers, heads=width // 64, length=LENGTH)
    model = gpt.build(shape, tokenizer.get_vocab_size(), 1).eval()
    model.generation_config.eos_token_id = None
    (folder / MODEL).mkdir(parents=True)
    model.save_pretrained(folder / MODEL)
    tokens.save(tokenizer, folder / MODEL)
    prompt = tokenizer.decode(tokenizer.encode(text).ids[:N_PROMPT])
    return model, tokenizer, prompt


Answers = list[tuple[int, str]]
"""Of each client: how many tokens were written, and the text."""
Write = Callable[[int], Answers]
"""Writes for so many clients at once."""


def measured(engines: dict[str, Write], rounds: int) -> dict:
    """Tokens a second of each engine at 1 and 8 clients: the median of the rounds, and the least and most."""
    found: dict[tuple[str, int], list[float]] = {}
    texts: set[str] = set()
    for number in range(rounds + 1):  # the first warms up
        for name, write in engines.items():
            for clients in (1, 8):
                started = time.monotonic()
                answers = write(clients)
                speed = sum(size for size, _ in answers) / (time.monotonic() - started)
                texts |= {text.strip("\n\ufffd") for _, text in answers if name != INT8}
                found.setdefault((name, clients), []).extend([speed] if number else [])
                print(f"round {number} {name} {clients}: {speed:.1f}", flush=True)
    if len(texts) > 1:
        raise SystemExit(f"engines wrote {len(texts)} different texts, expected one: {sorted(texts)}")
    return {
        name: {
            f"clients_{clients}": {
                "median": round(statistics.median(found[name, clients]), 1),
                "least": round(min(found[name, clients]), 1),
                "most": round(max(found[name, clients]), 1),
            }
            for clients in (1, 8)
        }
        for name in engines
    }


@contextmanager
def over_http(engine: Language, prompt: str, n_tokens: int) -> Iterator[Write]:
    manifest = Manifest(
        "language",
        "gpt",
        (Column("prompt", "text"),),
        Column("text", "text"),
        1.0,
        {"writing": {"max_tokens": n_tokens}},
    )
    release = Release("bench", "bench", "gpt", "chrf", Estimate(0, 0, 0), "2026-11-22T00:00:00+00:00", "", {}, 0.0)
    app = create_app(release, Writer(manifest, engine), None, Settings())
    with running(app) as port, ThreadPoolExecutor(8) as pool:

        def ask(client: int) -> tuple[int, str]:
            body = json.dumps({"model": "bench", "prompt": prompt, "max_tokens": n_tokens}).encode()
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/v1/completions", body, {"content-type": "application/json"}
            )
            told = json.load(urllib.request.urlopen(request))
            return told["usage"]["completion_tokens"], told["choices"][0]["text"]

        yield lambda clients: list(pool.map(ask, range(clients)))


def in_process(engine: Language, prompt: str, n_tokens: int) -> Write:
    how = Writing(max_tokens=n_tokens)
    return lambda clients: [
        (written.n_tokens, written.text) for written in engine.write([{"prompt": prompt}] * clients, how, silent_hear)
    ]


def with_transformers(model, tokenizer, ids: list[int], n_tokens: int) -> Write:
    def write(clients: int) -> Answers:
        input_ids = torch.tensor([ids] * clients)
        with torch.inference_mode():
            out = model.generate(
                input_ids=input_ids,
                attention_mask=torch.ones_like(input_ids),
                do_sample=False,
                max_new_tokens=n_tokens,
                min_new_tokens=n_tokens,
                pad_token_id=0,
            )
        return [(len(row), tokenizer.decode(row)) for row in out[:, len(ids) :].tolist()]

    return write


def with_ctranslate(folder: Path, tokenizer, ids: list[int], n_tokens: int) -> Write:
    import ctranslate2

    engine = ctranslate2.Generator(str(folder / FAST), device="cpu", intra_threads=torch.get_num_threads())

    names = [tokenizer.id_to_token(number) for number in ids]

    def write(clients: int) -> Answers:
        found = engine.generate_batch(
            [names] * clients, max_length=n_tokens, min_length=n_tokens, include_prompt_in_result=False
        )
        return [(len(item.sequences_ids[0]), tokenizer.decode(item.sequences_ids[0])) for item in found]

    return write


@contextmanager
def with_llama_cpp(path: Path, ids: list[int], n_tokens: int) -> Iterator[Write]:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path, params.n_ctx, params.n_parallel = str(path), 8 * LENGTH, 8
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = torch.get_num_threads()
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.fit_params, params.verbosity = False, 0
    server = xllamacpp.Server(params)
    asked = {"prompt": ids, "max_tokens": n_tokens, "temperature": 0.0, "ignore_eos": True, "cache_prompt": False}

    def ask(client: int) -> tuple[int, str]:
        told = server.handle_completions(asked)
        return told["usage"]["completion_tokens"], told["choices"][0]["text"]

    with ThreadPoolExecutor(8) as pool:
        yield lambda clients: list(pool.map(ask, range(clients)))


def write_gguf(model, tokenizer, path: Path) -> Path:
    """The model as float32 for llama.cpp, which turns neighbours where transformers turns halves.

    Source: `permute` of llama.cpp's convert_hf_to_gguf.py.
    """
    import gguf

    config, writer = model.config, gguf.GGUFWriter(path, "llama")
    writer.add_context_length(LENGTH)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([tokenizer.id_to_token(number) for number in range(tokenizer.get_vocab_size())])
    writer.add_token_merges([" ".join(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]])
    writer.add_eos_token_id(1)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    for name, weight in model.named_parameters():
        values = weight.detach().numpy()
        if "q_proj" in name or "k_proj" in name:
            n_heads = config.num_attention_heads if "q_proj" in name else config.num_key_value_heads
            values = values.reshape(n_heads, 2, -1, values.shape[1]).swapaxes(1, 2).reshape(values.shape)
        writer.add_tensor(names.get_name(name, (".weight",)), values.copy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


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
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--train", action="store_true")
    options = parser.parse_args()
    path = RESULTS / "generation.json"
    told = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    found = {name: told[name] for name in ("training",) if name in told}
    if options.train:
        found["training"] = training_share()
    else:
        with tempfile.TemporaryDirectory() as place:
            found |= compared(Path(place), options)
    found |= {"machine": machine(), "date": datetime.now(UTC).date().isoformat()}
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(table(found), encoding="utf-8")
    print(table(found))


def compared(folder: Path, options: argparse.Namespace) -> dict:
    model, tokenizer, prompt = random_model(folder, options.width, options.layers)
    ids = tokenizer.encode(prompt).ids
    template = Template(roles={"user": ([], [])}, end=[tokenizer.get_vocab_size() + 1])
    prompts = Prompts(tokenizer, template, (Column("prompt", "text"),))
    plain = Language(prompts, [lambda: decoding.open_decoder(folder / MODEL, template.end)])
    fast = _convert(folder, Prompts(tokenizer, Template(roles={"user": ([], [])}, end=[1]), prompts.columns))
    with ExitStack() as stack:
        engines = {
            "windlass, torch, HTTP": stack.enter_context(over_http(plain, prompt, options.tokens)),
            "windlass, torch, in process": in_process(plain, prompt, options.tokens),
            "transformers.generate": with_transformers(model, tokenizer, ids, options.tokens),
        }
        if fast:
            engines |= {
                "windlass, CTranslate2, HTTP": stack.enter_context(over_http(fast, prompt, options.tokens)),
                "windlass, CTranslate2, in process": in_process(fast, prompt, options.tokens),
                "CTranslate2": with_ctranslate(folder, tokenizer, ids, options.tokens),
            }
            shutil.copytree(folder / MODEL, folder / "int8" / MODEL)
            engines[INT8] = in_process(_convert(folder / "int8", fast.prompts, "int8"), prompt, options.tokens)
        if find_spec("xllamacpp") and find_spec("gguf"):
            path = write_gguf(model, tokenizer, folder / "model.gguf")
            engines["llama.cpp"] = stack.enter_context(with_llama_cpp(path, ids, options.tokens))
        speeds = measured(engines, options.rounds)
    return {
        "parameters": sum(value.numel() for value in model.parameters()),
        "prompt": len(ids),
        "tokens": options.tokens,
        "rounds": options.rounds,
        "threads": torch.get_num_threads(),
        "engines": speeds,
    }


def table(found: dict) -> str:
    """The figures as Markdown."""
    lines = [
        f"# Generated tokens a second\n\n{found.get('parameters', 0) / 1e6:.0f} million random weights, "
        f"{found.get('prompt')} tokens of prompt and {found.get('tokens')} of answer, greedy; {found['machine']}, "
        f"{found.get('threads')} threads, {found['date']}. Median of {found.get('rounds')} rounds in turn (least "
        "to most).\n",
        "| engine | 1 client | 8 clients |",
        "|---|---|---|",
    ]
    for name, speeds in found.get("engines", {}).items():
        cells = [f"{speed['median']:g} ({speed['least']:g} to {speed['most']:g})" for speed in speeds.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
