"""Continuing token ids with torch and with CTranslate2, on tiny models of random weights."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.learners import writers
from windlass.errors import DataError
from windlass.learners.language import tokens
from windlass.predictors.language import ctranslate, decoding, engine
from windlass.predictors.language.engine import FAST, MODEL, windows
from windlass.predictors.language.writing import Writing

DECODERS, PAIRS = ("llama", "qwen3", "gpt2"), ("t5", "marian", "bart")
LENGTH = 48
ASKED = ["ab cd", "Who are you, user?", "x", "naïve 中文 👾 text", '{"a": [1, 20]}', "cd cd cd"]
HOW = Writing(max_tokens=12)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Artifacts without a manifest, made when a test first asks."""
    root, made = tmp_path_factory.mktemp("models"), {}

    def folder(family: str):
        if family not in made:
            build = writers.pair if family in PAIRS else lambda *args: writers.decoder(*args, length=LENGTH)
            build(root / family / MODEL, family)
            made[family] = root / family
        return made[family]

    return folder


def end_of(folder) -> list[int]:
    return [json.loads((folder / MODEL / "config.json").read_text())["eos_token_id"]]


@pytest.fixture(scope="module")
def torch_decoder(folders):
    opened = {}

    def decoder(family: str) -> decoding.TorchDecoder:
        if family not in opened:
            opened[family] = decoding.open_decoder(folders(family) / MODEL, end_of(folders(family)))
        return opened[family]

    return decoder


@pytest.fixture(scope="module")
def fast_decoder(folders):
    def decoder(family: str) -> ctranslate.FastDecoder:
        from ctranslate2.converters import TransformersConverter

        folder = folders(family)
        if not (folder / FAST).is_dir():
            TransformersConverter(str(folder / MODEL)).convert(str(folder / FAST))
        return ctranslate.open_decoder(folder, end_of(folder))

    return decoder


def asked(family: str, texts=ASKED) -> list[list[int]]:
    """Ids as the model of that family reads them: an encoder's end with an end, BART's begin with a beginning."""
    made = writers.tokenizer()
    made.encode_special_tokens = True
    ids = [made.encode(text, add_special_tokens=False).ids for text in texts]
    begin = [made.token_to_id("<|begin_of_text|>")] if family == "bart" else []
    return [[*begin, *row, made.token_to_id(tokens.END)] if family in PAIRS else row for row in ids]


def written(decoder, prompts, how=HOW, until=None) -> list[list[int]]:
    """The ids of each row; until: row -> so many steps are heard."""
    found = [[] for _ in prompts]

    def step(row, token, logprob, others):
        assert logprob <= 0
        found[row].append(token)
        return len(found[row]) < min(how.max_tokens, (until or {}).get(row, 10**6))

    decoder.write(prompts, how, step)
    return found


# Alone and together ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", [*DECODERS, *PAIRS])
def test_a_row_is_continued_alike_alone_and_in_a_batch(torch_decoder, family):
    decoder, prompts = torch_decoder(family), asked(family)
    together = written(decoder, prompts)
    assert together == [written(decoder, [prompt])[0] for prompt in prompts]
    if family != "bart":  # this random one ends every answer at once
        assert len({tuple(row) for row in together}) > 1


@pytest.mark.parametrize("family", [*DECODERS, "t5", "marian"])
def test_ctranslate2_writes_what_torch_writes(torch_decoder, fast_decoder, family):
    prompts, fast = asked(family), fast_decoder(family)
    assert written(fast, prompts) == written(torch_decoder(family), prompts)
    assert written(fast, prompts) == [written(fast, [prompt])[0] for prompt in prompts]


@pytest.mark.parametrize("family", ["llama", "t5"])
def test_it_is_what_transformers_writes(torch_decoder, family):
    """Greedy, against `generate`, one row at a time without padding."""
    decoder = torch_decoder(family)
    for prompt in asked(family):
        with torch.inference_mode():
            whole = decoder.model.generate(torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt)).long(),
                                           max_new_tokens=HOW.max_tokens, do_sample=False, pad_token_id=0)  # fmt: skip
        first = 1 if decoder.is_pair else len(prompt)
        assert whole[0, first:].tolist() == written(decoder, [prompt])[0]


def test_a_row_that_nobody_hears_any_more_stops_and_the_others_go_on(torch_decoder, fast_decoder):
    prompts = asked("llama")
    for decoder in (torch_decoder("llama"), fast_decoder("llama")):
        whole = written(decoder, prompts)
        found = written(decoder, prompts, until={1: 2, 4: 1})
        assert [len(row) for row in found] == [12, 2, 12, 12, 1, 12]
        assert all(row == other[: len(row)] for row, other in zip(found, whole, strict=True))


# Joining --------------------------------------------------------------------------------------------------------------


def joined(decoder, first, later, how=HOW, most=None) -> tuple[list[list[int]], list[int]]:
    """The ids of each row, and the order in which they ended. later: step -> prompts that join before it.

    most: row -> so many tokens are wanted.
    """
    found, ended, n_joined = [[] for _ in first], [], 0
    waiting = {number: list(prompts) for number, prompts in later.items()}

    def step(row, token, logprob, others):
        found[row].append(token)
        goes_on = len(found[row]) < (most or {}).get(row, how.max_tokens) and token not in decoder.end
        if not goes_on:
            ended.append(row)
        return goes_on

    def join():
        nonlocal n_joined
        n_joined += 1
        prompts = waiting.pop(n_joined, [])
        found.extend([] for _ in prompts)
        return prompts

    decoder.write(first, how, step, join)
    assert not waiting
    return found, ended


@pytest.mark.parametrize("family", DECODERS)
def test_a_row_that_joins_is_continued_as_if_it_were_alone(torch_decoder, family):
    """Longer and shorter prompts than those that are being continued, before and after rows have left."""
    decoder, prompts = torch_decoder(family), asked(family)
    alone = [written(decoder, [prompt])[0] for prompt in prompts]
    most = {0: 2, 1: 12, 2: 5, 3: 12, 4: 3, 5: 12}
    found, _ = joined(decoder, prompts[:2], {1: [prompts[2]], 4: prompts[3:5], 9: [prompts[5]]}, most=most)
    assert found == [row[: most[number]] for number, row in enumerate(alone)]


def test_rows_join_and_leave_for_longer_than_the_model_has_positions(torch_decoder):
    """What only rows that have left had used is forgotten, so that no row counts another's positions."""
    decoder, prompts = torch_decoder("llama"), asked("llama")
    later = {place: [prompts[place // 6 % len(prompts)]] for place in range(6, 3 * LENGTH, 6)}
    found, _ = joined(decoder, prompts[:1], later, Writing(max_tokens=8))
    alone = [written(decoder, [prompt], Writing(max_tokens=8))[0] for prompt in prompts]
    assert found == [alone[0], *(alone[place // 6 % len(prompts)] for place in later)]


def test_a_row_that_joins_ends_before_one_that_was_there(torch_decoder):
    decoder, prompts = torch_decoder("llama"), asked("llama")
    _, ended = joined(decoder, prompts[:1], {3: prompts[1:2]}, most={0: 12, 1: 1})
    assert ended == [1, 0]


def test_nothing_joins_an_encoder_decoder_or_a_memory_that_forgets(torch_decoder):
    """T5 counts positions by its cache; a sliding window forgets what stands at another row's beginning."""
    from transformers.cache_utils import DynamicCache, DynamicSlidingWindowLayer

    joined(torch_decoder("t5"), asked("t5")[:1], {})
    with pytest.raises(AssertionError):  # it never asked who joins
        joined(torch_decoder("t5"), asked("t5")[:1], {1: asked("t5")[:1]})
    with torch.inference_mode():
        batch = torch_decoder("llama")._begun(asked("llama")[:1], 0, HOW, lambda *told: True)
    assert batch.can_grow
    batch.cache = DynamicCache()
    batch.cache.layers = [DynamicSlidingWindowLayer(sliding_window=4)]
    assert not batch.can_grow


# Positions ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_a_prompt_without_room_for_an_answer_is_refused(torch_decoder, fast_decoder, family):
    prompts = asked(family, ["x", "ab cd " * 40])
    for decoder in (torch_decoder(family), fast_decoder(family)):
        with pytest.raises(DataError, match=f"expected fewer than {LENGTH}"):
            written(decoder, prompts)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_an_answer_ends_where_the_positions_do_each_row_by_itself(torch_decoder, fast_decoder, family):
    """One token more than there are positions: the last is written and never read."""
    prompts = [row[:40] for row in asked(family, ["ab cd " * 40])] + asked(family, ["x", "cd cd"])
    how = Writing(max_tokens=200)
    for decoder in (torch_decoder(family), fast_decoder(family)):
        assert [len(row) for row in written(decoder, prompts, how)] == [LENGTH - len(row) + 1 for row in prompts]


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_beams_end_where_the_positions_do(torch_decoder, fast_decoder, family):
    prompts = [row[:40] for row in asked(family, ["ab cd " * 40])]
    for decoder in (torch_decoder(family), fast_decoder(family)):
        assert 0 < len(written(decoder, prompts, Writing(max_tokens=200, beams=2))[0]) <= LENGTH - 40 + 1


# Likelihood -----------------------------------------------------------------------------------------------------------


def transformers_nats(model, prompt, answer) -> float:
    """The loss that transformers itself computes, times the tokens that it is the mean of.

    Marian's padding, which cannot be written, is taken out of the sum of chances by hand.
    """
    with torch.inference_mode():
        if model.config.model_type == "marian":
            logits = model(torch.tensor([prompt]), labels=torch.tensor([answer])).logits[0]
            logits[:, model.config.pad_token_id] = float("-inf")
            return float(torch.nn.functional.cross_entropy(logits, torch.tensor(answer), reduction="sum"))
        if model.config.is_encoder_decoder:
            return float(model(torch.tensor([prompt]), labels=torch.tensor([answer])).loss) * len(answer)
        whole = torch.tensor([[*prompt, *answer]])
        labels = torch.tensor([[-100] * len(prompt) + answer])
        return float(model(whole, labels=labels).loss) * len(answer)


@pytest.mark.parametrize("family", [*DECODERS, *PAIRS])
def test_nats_are_the_loss_of_transformers(torch_decoder, fast_decoder, family):
    prompts, end = asked(family), writers.tokenizer().token_to_id(tokens.END)
    answers = [[*row[:6], end] for row in reversed(asked(family if family == "bart" else "llama"))]
    model = torch_decoder(family).model
    wanted = [transformers_nats(model, *pair) for pair in zip(prompts, answers, strict=True)]
    assert torch_decoder(family).nats(prompts, answers) == pytest.approx(wanted, rel=1e-4)
    if family != "bart":
        assert fast_decoder(family).nats(prompts, answers) == pytest.approx(wanted, rel=1e-3)


def test_a_text_longer_than_the_positions_is_read_in_windows(torch_decoder, fast_decoder):
    """Every token once; after the first window each has at least half of the positions before it."""
    text = [number for row in asked("gpt2", ["ab cd Who are you? " * 20]) for number in row]
    prompt, answer = text[:5], text[5:]
    assert len(answer) > 2 * LENGTH
    wanted, first = 0.0, len(prompt)
    while first < len(text):
        begin = 0 if first == len(prompt) else first - LENGTH // 2
        last = min(len(text), begin + LENGTH)
        wanted += transformers_nats(torch_decoder("gpt2").model, text[begin:first], text[first:last])
        first = last
    for decoder in (torch_decoder("gpt2"), fast_decoder("gpt2")):
        assert decoder.nats([prompt, []], [answer, []]) == pytest.approx([wanted, 0.0], rel=1e-3)


@pytest.mark.parametrize("n_prompt", [0, 3, 10, 25])
def test_windows_hold_each_token_of_the_answer_once(n_prompt):
    prompt, answer = list(range(n_prompt)), list(range(n_prompt, n_prompt + 37))
    found = windows(prompt, answer, longest=10)
    assert [token for _, part in found for token in part] == answer
    assert all(len(before) + len(part) <= 10 for before, part in found if n_prompt < 10)
    assert all(len(part) > 0 for _, part in found)
    assert windows(prompt, answer, longest=100) == [(prompt, answer)]


def test_the_log_probabilities_told_while_writing_are_the_likelihood(torch_decoder, fast_decoder):
    for decoder in (torch_decoder("llama"), fast_decoder("llama")):
        told, said = [], []

        def step(row, token, logprob, others, told=told, said=said):
            told.append(logprob)
            said.append(token)
            return len(said) < 8

        prompt = asked("llama")[1]
        decoder.write([prompt], HOW, step)
        assert -sum(told) == pytest.approx(decoder.nats([prompt], [said])[0], rel=1e-3)


def test_the_likeliest_others_are_told_with_their_log_probabilities(torch_decoder):
    decoder, found = torch_decoder("llama"), []
    decoder.write(asked("llama")[:1], replace(HOW, max_tokens=1, n_logprobs=5),
                  lambda row, token, logprob, others: bool(found.append((token, logprob, others))))  # fmt: skip
    with torch.inference_mode():
        shares = torch.log_softmax(decoder.model(torch.tensor(asked("llama")[:1])).logits[0, -1], dim=-1)
    values, ids = shares.topk(5)
    token, logprob, others = found[0]
    assert (token, [number for number, _ in others]) == (int(ids[0]), ids.tolist())
    assert [logprob, *(share for _, share in others)] == pytest.approx([float(values[0]), *values.tolist()], abs=1e-5)


@pytest.mark.parametrize("family", [*DECODERS, "t5"])
def test_an_embedding_is_the_mean_of_the_last_layer(torch_decoder, family):
    """As transformers gives it for each text alone, without padding; what is beyond the positions is left out."""
    decoder, texts = torch_decoder(family), asked(family)
    long = [number for row in asked(family, ["ab cd " * 40]) for number in row]
    wanted = []
    with torch.inference_mode():
        for text in [*texts, long[: decoder.longest]]:
            if decoder.is_pair:
                wanted.append(decoder.model.encoder(torch.tensor([text])).last_hidden_state[0].mean(0).numpy())
            else:
                out = decoder.model(torch.tensor([text]), output_hidden_states=True)
                wanted.append(out.hidden_states[-1][0].mean(0).numpy())
    assert decoder.embed([*texts, long]) == pytest.approx(np.array(wanted), abs=1e-5)
    assert decoder.embed([]).shape[0] == 0


# Ways to write --------------------------------------------------------------------------------------------------------


def test_chance_repeats_with_its_seed(torch_decoder):
    decoder, prompts = torch_decoder("llama"), asked("llama")[:3]
    how = replace(HOW, temperature=1.0, seed=5)
    first = written(decoder, prompts, how)
    assert written(decoder, prompts, how) == first
    assert written(decoder, prompts, replace(how, seed=6)) != first
    assert written(decoder, prompts) != first


def test_a_nucleus_of_one_token_is_the_likeliest(torch_decoder):
    decoder, prompts = torch_decoder("llama"), asked("llama")[:3]
    assert written(decoder, prompts, replace(HOW, temperature=1.0, top_p=0.01)) == written(decoder, prompts)


def test_chance_takes_tokens_as_often_as_they_are_likely(torch_decoder):
    """The first token of 300 rows of one prompt: the likeliest comes as often as the model says, within 4 sigma."""
    decoder, prompt = torch_decoder("llama"), asked("llama")[0]
    with torch.inference_mode():
        shares = torch.softmax(decoder.model(torch.tensor([prompt])).logits[0, -1] / 0.5, dim=-1)
    likeliest, share = int(shares.argmax()), float(shares.max())
    found = written(decoder, [prompt] * 300, Writing(max_tokens=1, temperature=0.5))
    n_right = sum(row == [likeliest] for row in found)
    assert abs(n_right - 300 * share) < 4 * np.sqrt(300 * share * (1 - share))


@pytest.mark.parametrize("family", ["llama", "t5"])
def test_what_was_said_becomes_less_likely(torch_decoder, fast_decoder, family):
    """A random model repeats itself; with a penalty it does so less."""
    for decoder in (torch_decoder(family), fast_decoder(family)):
        plain = written(decoder, asked(family), Writing(max_tokens=20))
        varied = written(decoder, asked(family), Writing(max_tokens=20, repetition_penalty=1.8))
        assert sum(len(set(row)) for row in varied) > sum(len(set(row)) for row in plain)


@pytest.mark.parametrize("family", ["llama", "t5", "marian"])
def test_beams_find_what_is_at_least_as_likely(torch_decoder, fast_decoder, family):
    """And the same alone as in a batch."""
    prompts = asked(family)
    for decoder in (torch_decoder(family), fast_decoder(family)):
        greedy, beams = (written(decoder, prompts, Writing(max_tokens=6, beams=beams)) for beams in (1, 4))
        assert beams == [written(decoder, [prompt], Writing(max_tokens=6, beams=4))[0] for prompt in prompts]
        gained = torch_decoder(family).nats(prompts, greedy) - torch_decoder(family).nats(prompts, beams)
        assert gained.sum() > -1e-3


def test_marian_never_writes_its_padding(torch_decoder):
    """Its logit was never trained: here it is the highest."""
    decoder = torch_decoder("marian")
    pad = decoder.model.config.pad_token_id
    held = decoder.model.final_logits_bias.clone()
    try:
        decoder.model.final_logits_bias[0, pad] = 99.0
        assert all(pad not in row for row in written(decoder, asked("marian")))
        decoder.banned, kept = [], decoder.banned
        assert all(pad in row for row in written(decoder, asked("marian")))
        decoder.banned = kept
    finally:
        decoder.model.final_logits_bias.copy_(held)


def test_what_ctranslate2_cannot_do_is_left_to_torch(fast_decoder):
    fast = fast_decoder("llama")
    assert fast.can(Writing())
    assert fast.can(Writing(beams=4, repetition_penalty=1.2))
    for how in (Writing(temperature=1), Writing(schema={"type": "object"}), Writing(n_logprobs=2)):
        assert not fast.can(how)


# Damage ---------------------------------------------------------------------------------------------------------------


def change_config(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


DAMAGE = {
    "no config": lambda folder: (folder / "config.json").unlink(),
    "config is no JSON": lambda folder: (folder / "config.json").write_text("{"),
    "config is a list": lambda folder: (folder / "config.json").write_text("[]"),
    "unknown model": lambda folder: change_config(folder, model_type="lama"),
    "another width": lambda folder: change_config(folder, hidden_size=64),
    "a layer more": lambda folder: change_config(folder, num_hidden_layers=3),
    "a layer less": lambda folder: change_config(folder, num_hidden_layers=1),
    "no heads": lambda folder: change_config(folder, num_attention_heads=0),
    "a text for a number": lambda folder: change_config(folder, hidden_size="wide"),
    "weights cut": lambda folder: (folder / "model.safetensors").write_bytes(
        (folder / "model.safetensors").read_bytes()[:999]
    ),
    "weights empty": lambda folder: (folder / "model.safetensors").write_bytes(b""),
    "no weights": lambda folder: (folder / "model.safetensors").unlink(),
    "code of its own": lambda folder: change_config(
        folder, model_type="mine", auto_map={"AutoConfig": "mine.C", "AutoModelForCausalLM": "mine.M"}
    ),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_model_is_refused(folders, tmp_path, monkeypatch, damage):
    """And never a question asked on the terminal, whether its code may be run."""
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("asked"))
    shutil.copytree(folders("llama") / MODEL, tmp_path / MODEL)
    damage(tmp_path / MODEL)
    with pytest.raises(DataError):
        decoding.open_decoder(tmp_path / MODEL, [1])


@pytest.mark.parametrize("damage", ["cut", "empty", "no vocabulary"])
def test_a_damaged_conversion_is_refused(folders, fast_decoder, tmp_path, damage):
    fast_decoder("llama")
    shutil.copytree(folders("llama"), tmp_path / "artifact")
    path = tmp_path / "artifact" / FAST / ("vocabulary.json" if damage == "no vocabulary" else "model.bin")
    if damage == "no vocabulary":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: 500 if damage == "cut" else 0])
    with pytest.raises(DataError, match="expected a CTranslate2 model"):
        ctranslate.open_decoder(tmp_path / "artifact", [1])


def test_the_tokenizer_beside_the_model_is_what_a_schema_needs(torch_decoder):
    assert torch_decoder("llama").tokenizer.name == engine.TOKENIZER
