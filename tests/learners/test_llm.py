"""A pretrained decoder of any family is taught, delivered and served: tiny ones of random weights, end to end."""

import json
import shutil
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from tests.learners import writers
from windlass.errors import DataError, NotReady, SpecError, pip_install
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.language import adapters, hub, language, llm, preference
from windlass.learners.language.preference import PreferenceSettings, TrainableModel
from windlass.learners.table import LEARNERS
from windlass.predictors.language import ctranslate, decoding
from windlass.predictors.language.engine import FAST, MODEL
from windlass.predictors.language.language import Language
from windlass.predictors.language.prompts import Prompts, Template
from windlass.predictors.language.writing import Writing, silent_hear
from windlass.predictors.table import load, replay
from windlass.records import Column, Splits, silent
from windlass.spec import Language as Section

STEPS = 12
FAMILIES = {"llama": "llama3", "qwen3": "qwen3", "gpt2": ""}


def train(splits, options: Options, seconds: float = 600) -> language.Trained:
    """In few steps whatever this machine is doing, at a rate that random weights need."""
    return llm.train(splits, options, Budget(seconds, STEPS), silent, {"small": 5e-3, "large": 5e-3, "beside": 2e-2})


def fit(splits, options: Options, seconds: float = 600) -> Fitted:
    return language.deliver(train(splits, options, seconds), splits, options)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root, made = tmp_path_factory.mktemp("models"), {}

    def folder(family: str, template: str = "") -> Path:
        if (family, template) not in made:
            made[family, template] = writers.decoder(root / f"{family}{template}", family, template)
        return made[family, template]

    return folder


def options(tmp_path: Path, variant: Path | str, **section) -> Options:
    folder = tmp_path / "run"
    folder.mkdir(exist_ok=True)
    return Options(folder, "exact_match", variant=str(variant), language=Section(**section))


def ids_of(engine: Language, rows) -> list[list[str]]:
    """What is written for the rows, token by token."""
    return [[token.text for token in written.tokens]
            for written in engine.write(rows, Writing(max_tokens=10, n_logprobs=0), silent_hear)]  # fmt: skip


# Fine-tuning ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("adapt", ["full", "lora"])
@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_trained_is_what_is_delivered_and_served(tmp_path, folders, family, adapt):
    """The tokens of the model in memory, of the artifact with torch, and of its conversion are the same."""
    splits = writers.echoes(tmp_path)
    chosen = options(tmp_path, folders(family, FAMILIES[family]), adapt=adapt, rank=4)
    trained = train(splits, chosen)
    fitted = language.deliver(trained, splits, chosen, lambda *_: True)
    losses = [entry["validation_loss"] for entry in fitted.curve]
    assert losses[-1] < losses[0] - 0.5
    loaded = load(fitted.artifact)
    assert replay(loaded, fitted.artifact) == 0
    rows, template = splits.validation.select("said").to_dicts(), loaded.engine.prompts.template
    memory = Language(trained.prompts, [lambda: decoding.TorchDecoder(trained.model, template.end)])
    slow = decoding.open_decoder(fitted.artifact / MODEL, template.end)
    fast = ctranslate.open_decoder(fitted.artifact, template.end)
    wanted = ids_of(memory, rows)
    assert any(wanted)
    assert ids_of(Language(loaded.engine.prompts, [lambda: slow]), rows) == wanted
    assert ids_of(Language(loaded.engine.prompts, [lambda: fast]), rows) == wanted
    assert {path.name for path in fitted.artifact.iterdir()} == {MODEL, FAST, "manifest.json", "golden.json"}
    assert "adapter_config.json" not in {path.name for path in (fitted.artifact / MODEL).iterdir()}
    assert not (chosen.folder / "plan.json").exists()
    told = json.loads((fitted.artifact / "manifest.json").read_text())["settings"]
    assert (told["adapt"], told["engine"]) == (adapt, "ctranslate2")
    assert bool(told["notes"]) == (family == "gpt2")
    assert told["notes"] == [] or told["notes"][0] in fitted.curve[-1]["note"]


def test_a_conversation_is_asked_by_the_models_own_template(tmp_path, folders):
    splits = writers.echoes(tmp_path, kind="chat")
    fitted = fit(splits, options(tmp_path, folders("qwen3", "qwen3"), max_tokens=7))
    loaded = load(fitted.artifact)
    assert loaded.writing.max_tokens == 7
    reader = hub.open_model(str(folders("qwen3", "qwen3")), "llm", is_pair=False).reader
    talk = [{"role": "system", "content": "ab"}, {"role": "user", "content": "cd"}]
    rendered = reader.apply_chat_template(talk, tokenize=False, add_generation_prompt=True, enable_thinking=False)
    wanted = reader(rendered, add_special_tokens=False)["input_ids"]
    assert loaded.engine.prompts.of({"said": json.dumps(talk)}).ids == wanted


def test_rows_that_ask_nothing_are_continued(tmp_path, folders):
    texts = pl.DataFrame({"said": [""] * 12, "answer": ["ab cd efg " * 12] * 12})
    splits = Splits({"said": "text"}, {"answer": "text"}, texts.head(10), texts.tail(2), texts.tail(2), tmp_path)
    chosen = replace(options(tmp_path, folders("llama")), metric="bits_per_byte")
    fitted = fit(splits, chosen)
    assert fitted.curve[-1]["train_loss"] < fitted.curve[1]["train_loss"]
    assert 0 < fitted.validation < 8
    assert replay(load(fitted.artifact), fitted.artifact) == 0


@pytest.mark.parametrize("family", FAMILIES)
def test_merged_weights_compute_what_the_adapted_model_did(folders, family):
    plain = hub.open_model(str(folders(family, FAMILIES[family])), "llm", is_pair=False).model.eval()
    ids = torch.randint(5, 300, (2, 9))
    with torch.inference_mode():
        before = plain(ids).logits.clone()
    adapted = adapters.lora(plain, rank=4).eval()
    learning = [name for name, value in adapted.named_parameters() if value.requires_grad]
    assert learning
    assert all("lora_" in name for name in learning)
    with torch.no_grad():
        for value in adapted.parameters():
            if value.requires_grad:
                value.normal_(std=0.1)
        wanted = adapted(ids).logits.clone()
        merged = adapters.merged(adapted)
        found = merged(ids).logits
    assert (wanted - before).abs().max() > 1e-2
    assert (found - wanted).abs().max() < 1e-4
    assert all(value.requires_grad for value in merged.parameters())


def test_lora_is_for_large_models_unless_said_otherwise():
    assert adapters.choose("auto", 100_000_000) == "full"
    assert adapters.choose("auto", 500_000_000) == "lora"
    assert adapters.choose("full", 10**10) == "full"
    assert adapters.choose("qlora", 10) == "qlora"


def test_qlora_without_what_it_needs_says_what_to_install(tmp_path, folders, monkeypatch):
    for module in ("bitsandbytes", "torchao"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(NotReady, match="bitsandbytes"):
        llm.fit(writers.echoes(tmp_path), options(tmp_path, folders("llama"), adapt="qlora"), Budget(60), silent)


@pytest.mark.skipif(not (find_spec("bitsandbytes") or find_spec("torchao")), reason="needs bitsandbytes or torchao")
@pytest.mark.parametrize("module", ["bitsandbytes", "torchao"])
def test_qlora_delivers_a_plain_model(tmp_path, folders, monkeypatch, module):
    if find_spec(module) is None:
        pytest.skip(f"needs {module}")
    for other in {"bitsandbytes", "torchao"} - {module}:
        monkeypatch.setitem(sys.modules, other, None)
    splits = writers.echoes(tmp_path)
    chosen = options(tmp_path, folders("llama", "llama3"), adapt="qlora", rank=4)
    fitted = fit(splits, chosen)
    losses = [entry["validation_loss"] for entry in fitted.curve]
    assert losses[-1] < losses[0] - 0.5
    assert replay(load(fitted.artifact), fitted.artifact) == 0
    assert "quantization_config" not in json.loads((fitted.artifact / MODEL / "config.json").read_text())


@pytest.mark.skipif(not find_spec("bitsandbytes"), reason="needs bitsandbytes")
@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_merged_quantized_weights_compute_what_the_adapted_model_did(folders, family):
    """GPT-2's matrices lie the other way round than those that bitsandbytes puts in their place."""
    folder = str(folders(family, FAMILIES[family]))
    opened = hub.open_model(folder, "llm", is_pair=False, quantization=adapters.quantization())
    adapted = adapters.lora(opened.model, rank=4).eval()
    ids = torch.randint(5, 300, (2, 9))
    with torch.no_grad():
        for value in adapted.parameters():
            if value.requires_grad:
                value.normal_(std=0.1)
        wanted = adapted(ids).logits.clone()
        found = adapters.merged(adapted).eval()(ids).logits
    assert (found - wanted).abs().max() < 1e-3


# Preferences ----------------------------------------------------------------------------------------------------------


def pupil_of(folder: Path, adapt: str = "full") -> TrainableModel:
    torch.manual_seed(1)
    opened = hub.open_model(str(folder), "llm", is_pair=False)
    end = opened.ends[:1]
    template = Template(start=end, roles={"user": ([], [])}, answer=end, end=end, most=40)
    model = opened.model if adapt == "full" else adapters.lora(opened.model, 4)
    return TrainableModel(model, Prompts(opened.tokenizer, template, [Column("said", "text")]), opened.text,
                 hub.names_of(opened.reader))  # fmt: skip


def write_pairs(path: Path, n_pairs: int = 24) -> Path:
    """Who answers in small letters is preferred."""
    rows = [{"prompt": word, "chosen": word[0] * 2, "rejected": "XY"} for word in writers.words(n_pairs)]
    rows[1]["prompt"] = [{"role": "user", "content": rows[1]["prompt"]}]
    rows[2]["prompt"] = {"said": rows[2]["prompt"]}
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, {**rows[0], "rejected": rows[0]["chosen"]}]))
    return path


def margin(pupil: TrainableModel, pairs) -> float:
    """How much likelier the chosen answers are, in nats a pair."""
    decoder = decoding.TorchDecoder(pupil.model, pupil.prompts.template.end)
    asked = [pair.asked for pair in pairs]
    chosen, rejected = (decoder.nats(asked, [getattr(pair, name) for pair in pairs]) for name in ("chosen", "rejected"))
    return float((rejected - chosen).mean())


@pytest.mark.parametrize("adapt", ["full", "lora"])
def test_preferences_lower_their_loss_and_make_the_chosen_likelier(tmp_path, folders, monkeypatch, adapt):
    monkeypatch.setattr("trl.trainer.base_trainer.send_telemetry", lambda *_, **__: pytest.fail("sent"))
    pupil = pupil_of(folders("llama"), adapt)
    pairs = preference.read_pairs(write_pairs(tmp_path / "pairs.jsonl"), pupil.prompts, 8)
    assert len(pairs) == 24
    before, forward = margin(pupil, pairs), vars(pupil.model).get("forward")
    course = PreferenceSettings(lr=2e-3 if adapt == "full" else 1e-2, epochs=6.0)
    curve = preference.prefer(pupil, pairs, course, options(tmp_path, ""), Budget(60), silent)
    assert curve[0]["loss"] == pytest.approx(np.log(2), abs=1e-3)
    assert curve[-1]["loss"] < 0.5 * curve[0]["loss"]
    assert "preferences (DPO), 24 pairs" in curve[-1]["note"]
    assert margin(pupil, pairs) > before + 1
    assert vars(pupil.model).get("forward") is forward
    assert list((tmp_path / "run").iterdir()) == []
    if adapt == "lora":
        assert list(pupil.model.peft_config) == ["default"]
    json.dumps(curve, allow_nan=False)


def test_the_time_ends_it(tmp_path, folders):
    pupil = pupil_of(folders("llama"))
    pairs = preference.read_pairs(write_pairs(tmp_path / "pairs.jsonl"), pupil.prompts, 8)
    curve = preference.prefer(pupil, pairs, PreferenceSettings(epochs=50.0), options(tmp_path, ""), Budget(0), silent)
    assert [entry["step"] for entry in curve] == [1]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("no json", "line 2 is no preference"),
        ('{"prompt": "a", "chosen": "b"}', "line 2 is no preference"),
        ('{"prompt": "a", "chosen": "b", "rejected": 3}', "an answer is no text"),
        ('{"prompt": [{"role": "robot", "content": "a"}], "chosen": "b", "rejected": "c"}', "has the role 'robot'"),
        ('{"prompt": {"other": "a"}, "chosen": "b", "rejected": "c"}', "'said'"),
        ("[]", "line 2 is no preference"),
    ],
)
def test_a_line_that_is_no_preference_is_named(tmp_path, folders, line, words):
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"prompt": "a", "chosen": "b", "rejected": "c"}\n' + line + "\n")
    with pytest.raises(DataError, match=words):
        preference.read_pairs(path, pupil_of(folders("llama")).prompts, 8)


def test_preferences_that_are_missing_or_all_alike_are_refused(tmp_path, folders):
    prompts = pupil_of(folders("llama")).prompts
    with pytest.raises(NotReady, match="expected a JSONL file"):
        preference.read_pairs(tmp_path / "none.jsonl", prompts, 8)
    (tmp_path / "alike.jsonl").write_text('{"prompt": "a", "chosen": "b", "rejected": "b"}\n')
    with pytest.raises(DataError, match="no two different answers"):
        preference.read_pairs(tmp_path / "alike.jsonl", prompts, 8)


# Rewards --------------------------------------------------------------------------------------------------------------


def adder() -> tuple[TrainableModel, preference.Task, preference.Task]:
    """A model that was taught sums of single digits, most of them one too high; and the sums, some of them held out."""
    from tokenizers import Tokenizer, decoders, models
    from transformers import LlamaConfig, LlamaForCausalLM

    names = ["<end>", "<pad>", *"0123456789+="]
    made = Tokenizer(models.BPE(vocab={name: place for place, name in enumerate(names)}, merges=[]))
    made.decoder = decoders.Fuse()
    made.add_special_tokens(names[:2])
    text = made.to_str()
    made.encode_special_tokens = True
    prompts = Prompts(made, Template(start=[0], roles={"user": ([], [])}, end=[0], most=16), [Column("sum", "text")])
    chance = np.random.default_rng(5)
    sums = [(a, b) for a in range(9) for b in range(9) if a + b <= 8]
    chance.shuffle(sums)
    rows, rights = [{"sum": f"{a}+{b}="} for a, b in sums], [[str(a + b)] for a, b in sums]
    told = [str(a + b + (chance.random() < 0.7)) for _ in range(8) for a, b in sums]
    torch.manual_seed(1)
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=len(names), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=32, eos_token_id=0, bos_token_id=0, pad_token_id=1))  # fmt: skip
    taught = language.AnswerTask(language.encode(prompts, rows * 8, told, 4), language.Pairs([], []), is_pair=False)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(200):
        loss = taught.loss(model, chance.integers(0, len(told), 64), 0.0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    train, held = (preference.Task(rows[part], rights[part], llm.REWARDS["arithmetic"], 4)
                   for part in (slice(None, 32), slice(32, None)))  # fmt: skip
    return TrainableModel(model, prompts, text, {"pad_token": "<pad>", "eos_token": "<end>"}), train, held


def test_rewards_raise_the_share_of_right_sums_on_prompts_that_were_not_rewarded(tmp_path):
    pupil, train, held = adder()
    before = [preference.mean_reward(pupil, task) for task in (train, held)]
    course = PreferenceSettings(lr=3e-3, batch=64, epochs=24.0)
    tasks = preference.Tasks(train, held)
    curve = preference.reinforce(pupil, tasks, course, options(tmp_path, ""), Budget(120), silent)
    after = [preference.mean_reward(pupil, task) for task in (train, held)]
    assert after[0] >= before[0] + 0.4
    assert after[1] >= before[1] + 0.25
    rewards = [entry["reward"] for entry in curve if "reward" in entry]
    assert np.mean(rewards[-8:]) > np.mean(rewards[:8]) + 0.2
    assert f"{before[1]:.3f} -> {after[1]:.3f} on 13 rows" in curve[-1]["note"]
    assert list((tmp_path / "run").iterdir()) == []


def test_a_model_that_was_better_before_stays_as_it_was(tmp_path):
    """Here worthless answers are rewarded, and right ones are what it is judged by."""
    pupil, train, held = adder()
    before = {name: value.clone() for name, value in pupil.model.state_dict().items()}
    wrong = replace(train, reward=lambda answer, row, rights: float(answer not in rights))
    course = PreferenceSettings(lr=3e-3, batch=64, epochs=12.0)
    tasks = preference.Tasks(wrong, held)
    curve = preference.reinforce(pupil, tasks, course, options(tmp_path, ""), Budget(120), silent)
    assert "stays as it was" in curve[-1]["note"]
    assert all(torch.equal(value, before[name]) for name, value in pupil.model.state_dict().items())


def test_preferences_and_rewards_follow_fine_tuning(tmp_path, folders):
    splits = writers.echoes(tmp_path)
    pairs = write_pairs(tmp_path / "pairs.jsonl", 8)
    section = {"adapt": "lora", "rank": 4, "preferences": str(pairs), "reward": "exact", "max_tokens": 3}
    chosen = options(tmp_path, folders("llama", "llama3"), **section)
    fitted = fit(replace(splits, train=splits.train.head(8)), chosen, 40)
    notes = "; ".join(entry.get("note", "") for entry in fitted.curve)
    assert "preferences (DPO), 8 pairs" in notes
    assert "rewards (GRPO), exact" in notes
    told = load(fitted.artifact).manifest.settings["notes"]
    assert [note.split(",")[0] for note in told] == ["preferences (DPO)", "rewards (GRPO)"]
    assert replay(load(fitted.artifact), fitted.artifact) == 0
    assert [path.name for path in chosen.folder.iterdir()] == ["artifact"]


def test_a_reward_by_tests_needs_their_column(tmp_path, folders):
    with pytest.raises(SpecError, match="expected `checks:` to name the column"):
        llm.fit(writers.echoes(tmp_path), options(tmp_path, folders("llama"), reward="tests"), Budget(60), silent)


def test_preferences_that_are_not_there_are_said_before_anything_is_trained(tmp_path):
    chosen = options(tmp_path, tmp_path / "no model", preferences=str(tmp_path / "none.jsonl"))
    with pytest.raises(NotReady, match="preferences are"):
        llm.fit(writers.echoes(tmp_path), chosen, Budget(60), silent)


# Refusals -------------------------------------------------------------------------------------------------------------


def copied(tmp_path: Path, folder: Path) -> Path:
    shutil.copytree(folder, tmp_path / "copy")
    return tmp_path / "copy"


def change(path: Path, **values) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_a_learner_without_a_model_says_how_to_name_one(tmp_path):
    with pytest.raises(SpecError, match="starts from a model") as caught:
        llm.fit(writers.echoes(tmp_path), options(tmp_path, ""), Budget(60), silent)
    assert "learners: [{llm: PATH}]" in caught.value.hint


@pytest.mark.parametrize("variant", ["./not/there", "a/b/c"])
def test_what_is_neither_folder_nor_hub_name_is_refused(tmp_path, variant):
    with pytest.raises(SpecError, match="expected a folder"):
        llm.fit(writers.echoes(tmp_path), options(tmp_path, variant), Budget(60), silent)


def test_other_models_than_decoders_are_refused(tmp_path):
    from transformers import BertConfig

    BertConfig(num_hidden_layers=1).save_pretrained(tmp_path / "bert")
    (tmp_path / "bert" / "model.safetensors").touch()
    writers.pair(tmp_path / "t5")
    for name in ("bert", "t5"):
        with pytest.raises(SpecError, match=f"is a '{name}' model, expected a decoder"):
            hub.open_model(str(tmp_path / name), "llm", is_pair=False)


DAMAGE = {
    "no weights": lambda folder: (folder / "model.safetensors").unlink(),
    "weights cut": lambda folder: (folder / "model.safetensors").write_bytes(b"\0" * 20),
    "a layer more": lambda folder: change(folder / "config.json", num_hidden_layers=3),
    "no tokenizer": lambda folder: (folder / "tokenizer.json").unlink(),
    "tokenizer damaged": lambda folder: (folder / "tokenizer.json").write_text("{}"),
    "fewer tokens than the tokenizer": lambda folder: writers.save_tokenizer(_larger(), folder),
    "code of its own": lambda folder: change(
        folder / "config.json", model_type="mine", auto_map={"AutoConfig": "mine.C", "AutoModelForCausalLM": "mine.M"}
    ),
}


def _larger():
    made = writers.tokenizer()
    made.add_tokens([f"more{number}" for number in range(9)])
    return made


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_model_that_cannot_be_read_is_not_ready(tmp_path, folders, monkeypatch, damage):
    """And nobody is asked on the terminal whether its code may be run."""
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("asked"))
    folder = copied(tmp_path, folders("llama"))
    damage(folder)
    with pytest.raises(NotReady):
        hub.open_model(str(folder), "llm", is_pair=False)


def test_pickled_weights_are_never_read(tmp_path, folders):
    folder = copied(tmp_path, folders("llama"))
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(NotReady, match="no weights as safetensors") as refused:
        hub.open_model(str(folder), "llm", is_pair=False)
    assert "pickled weights are never read" in refused.value.hint


def test_a_model_that_names_no_end_is_not_ready(tmp_path, folders):
    folder = copied(tmp_path, folders("llama"))
    for name in ("config.json", "generation_config.json"):
        change(folder / name, eos_token_id=None)
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    with pytest.raises(NotReady, match="no token that ends a text"):
        llm.fit(writers.echoes(tmp_path), options(tmp_path, folder), Budget(60), silent)


def test_the_table_lists_it_for_texts_and_conversations_when_it_is_named():
    learner = LEARNERS["llm"]
    assert learner.on_request
    assert learner.reads({"said": "text"}, "text")
    assert learner.reads({"talk": "chat", "year": "number"}, "text")
    assert not learner.reads({"said": "text"}, "category")
    assert pip_install("llm") in replace(learner, needs=("peft", "no_such_module")).missing()
