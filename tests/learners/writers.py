"""Tiny language models of random weights, as folders in Hugging Face's form, and rows that any of them can learn."""

import json
import random
from pathlib import Path

import polars as pl
import torch
from tokenizers import AddedToken

from windlass.learners.language import tokens
from windlass.predictors.language.prompts import Prompts, open_tokenizer
from windlass.records import Column, Splits

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA3 = (
    "{% for message in messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'"
    " + message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}"
    "{% endif %}{{ content }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
QWEN3 = (
    "{%- set at = namespace(last=0) %}{%- for m in messages %}{%- if m.role == 'user' %}"
    "{%- set at.last = loop.index0 %}{%- endif %}{%- endfor %}"
    "{%- for m in messages %}{%- if m.role == 'assistant' %}"
    "{%- set content = m.content.split('</think>')[-1].lstrip('\n') %}"
    "{%- if loop.index0 > at.last %}{{- '<|im_start|>assistant\n<think>\n\n</think>\n\n' + content }}"
    "{%- else %}{{- '<|im_start|>assistant\n' + content }}{%- endif %}{{- '<|im_end|>\n' }}"
    "{%- else %}{{- '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}"
    "{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\n\n</think>\n\n' }}{%- endif %}"
    "{%- endif %}"
)
CONTROL = ("<|im_start|>", "<|im_end|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|begin_of_text|>")
TEMPLATES = {"chatml": (CHATML, "<|im_end|>"), "llama3": (LLAMA3, "<|eot_id|>"), "qwen3": (QWEN3, "<|im_end|>")}
SAID = ["ab cd efg", "Who are you, user? assistant system", '{"a": [1, 20, true]} null false', "naïve 中文 👾 text"]
LENGTH = 96


def tokenizer(n_tokens: int = 400):
    """Byte-level BPE with the control tokens of the templates; `<think>` is an added token that is none."""
    made = tokens.train(SAID * 4, n_tokens)
    made.add_special_tokens(list(CONTROL))
    made.add_tokens([AddedToken(word, special=False, normalized=False) for word in ("<think>", "</think>")])
    return made


def save_tokenizer(made, folder: Path, **names: str) -> None:
    (folder / "tokenizer.json").write_text(made.to_str(), encoding="utf-8")
    known = dict.fromkeys(("eos_token", "bos_token", "unk_token"), tokens.END)
    values = {"tokenizer_class": "PreTrainedTokenizerFast", **known, **names}
    (folder / "tokenizer_config.json").write_text(json.dumps(values), encoding="utf-8")


def decoder(folder: Path, family: str = "llama", template: str = "", length: int = LENGTH) -> Path:
    """A folder with a random decoder of two layers."""
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, Qwen3Config, Qwen3ForCausalLM

    folder.mkdir(parents=True, exist_ok=True)
    made = tokenizer()
    text, end = TEMPLATES.get(template, ("", tokens.END))
    names = {"chat_template": text, "bos_token": "<|begin_of_text|>"} if text else {}
    save_tokenizer(made, folder, **{**names, "eos_token": end})
    ends = {"eos_token_id": made.token_to_id(end), "bos_token_id": None, "pad_token_id": None}
    torch.manual_seed(3)
    if family == "gpt2":
        model = GPT2LMHeadModel(
            GPT2Config(
                vocab_size=made.get_vocab_size(),
                n_positions=length,
                n_embd=32,
                n_layer=2,
                n_head=4,
                initializer_range=0.1,
                **ends,
            )
        )
    else:
        shape = {
            "vocab_size": made.get_vocab_size(),
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": length,
            "initializer_range": 0.2,
            **ends,
        }
        model = (
            Qwen3ForCausalLM(Qwen3Config(head_dim=8, tie_word_embeddings=True, **shape))
            if family == "qwen3"
            else LlamaForCausalLM(LlamaConfig(**shape))
        )
    model.save_pretrained(folder)
    return folder


def pair(folder: Path, family: str = "t5") -> Path:
    """A folder with a random encoder-decoder of two layers; its tokenizer ends each text by itself."""
    from tokenizers import processors
    from transformers import (
        BartConfig,
        BartForConditionalGeneration,
        MarianConfig,
        MarianMTModel,
        T5Config,
        T5ForConditionalGeneration,
    )

    folder.mkdir(parents=True, exist_ok=True)
    made = tokenizer()
    made.add_special_tokens(["<pad>"])  # Marian's is the last, and CTranslate2 counts on it
    end, pad = made.token_to_id(tokens.END), made.token_to_id("<pad>" if family == "marian" else tokens.PAD)
    bos = made.token_to_id("<|begin_of_text|>")
    before = "<|begin_of_text|> " if family == "bart" else ""
    made.post_processor = processors.TemplateProcessing(
        single=f"{before}$A {tokens.END}", special_tokens=[(tokens.END, end), ("<|begin_of_text|>", bos)]
    )
    names = {"pad_token": made.id_to_token(pad), "unk_token": tokens.ANSWER}
    torch.manual_seed(3)
    n_tokens = made.get_vocab_size()
    if family == "t5":
        model = T5ForConditionalGeneration(
            T5Config(
                vocab_size=n_tokens,
                d_model=32,
                d_kv=8,
                d_ff=64,
                num_layers=2,
                num_heads=4,
                pad_token_id=pad,
                eos_token_id=end,
                decoder_start_token_id=pad,
                feed_forward_proj="gated-gelu",
            )
        )
    else:
        shape = {
            "vocab_size": n_tokens,
            "d_model": 32,
            "encoder_layers": 2,
            "decoder_layers": 2,
            "encoder_attention_heads": 4,
            "decoder_attention_heads": 4,
            "encoder_ffn_dim": 64,
            "decoder_ffn_dim": 64,
            "max_position_embeddings": 64,
            "init_std": 0.1,
            "pad_token_id": pad,
            "eos_token_id": end,
            "bos_token_id": bos,
        }
        if family == "marian":
            model = MarianMTModel(MarianConfig(decoder_start_token_id=pad, **shape))
            model.generation_config.bad_words_ids = [[pad]]
        else:
            model = BartForConditionalGeneration(BartConfig(decoder_start_token_id=end, **shape))
            model.generation_config.forced_bos_token_id = bos
            names["bos_token"] = "<|begin_of_text|>"
    save_tokenizer(made, folder, **names)
    model.generation_config.forced_eos_token_id = None
    model.save_pretrained(folder)
    return folder


def prompts(folder: Path, template, **inputs: str) -> Prompts:
    columns = [Column(name, kind) for name, kind in (inputs or {"said": "text"}).items()]
    return Prompts(open_tokenizer(folder / "tokenizer.json"), template, columns)


def words(n_rows: int, seed: int = 1, letters: str = "abcd") -> list[str]:
    chance = random.Random(seed)
    return ["".join(chance.choice(letters) for _ in range(chance.randint(2, 4))) for _ in range(n_rows)]


def echoes(root: Path, n_rows: int = 64, n_validation: int = 16, kind: str = "text") -> Splits:
    """Short words that are to be said again."""
    said = words(n_rows + n_validation)
    asked = said if kind == "text" else [json.dumps([{"role": "user", "content": word}]) for word in said]
    rows = pl.DataFrame({"said": asked, "answer": said})
    return Splits({"said": kind}, {"answer": "text"}, rows.head(n_rows), rows.tail(n_validation), rows.tail(8), root)
