"""Byte-level BPE tokenizers made from the training texts: every text can be written, none is unknown.

Source: Sennrich et al. 2016, arXiv:1508.07909; over bytes, Radford et al. 2019 (GPT-2).
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from windlass.kinds.chat import ROLES
from windlass.predictors.language.prompts import Template
from windlass.store.files import write_text
from windlass.store.json_files import write_json

PAD, END, ANSWER = "<|pad|>", "<|end|>", "<|answer|>"
CONTROL = (PAD, END, ANSWER, *(f"<|{role}|>" for role in ROLES))
SMALLEST, LARGEST = 300, 16_000


def vocabulary(n_characters: int, factor: float) -> int:
    """How many tokens suit texts of this length: its root, times the factor, within bounds."""
    return max(SMALLEST, min(LARGEST, round(factor * n_characters**0.5)))


def train(texts: Iterable[str], n_tokens: int) -> Any:
    """A tokenizer of at most `n_tokens` tokens, the control tokens first."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=n_tokens,
        min_frequency=2,
        show_progress=False,
        special_tokens=list(CONTROL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.encode_special_tokens = True
    return tokenizer


def save(tokenizer: Any, folder: Path) -> None:
    """tokenizer.json, and what transformers wants beside it; CTranslate2 reads no GPT-2 without each of the names."""
    names = {"eos_token": END, "bos_token": END, "unk_token": END, "pad_token": PAD}
    write_text(folder / "tokenizer.json", tokenizer.to_str())
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", **names})


def template(tokenizer: Any, most: int, is_chat: bool, is_pair: bool) -> Template:
    """The control tokens of a model from scratch. is_pair: an encoder reads the prompt, which needs none but an end."""
    end = tokenizer.token_to_id(END)
    if is_pair and not is_chat:
        return Template(roles={"user": ([], [])}, answer=[end], end=[end], most=most)
    answer = [end] if is_pair else [tokenizer.token_to_id(ANSWER)]
    roles: dict[str, tuple[list[int], list[int]]] = {
        role: ([tokenizer.token_to_id(f"<|{role}|>")], []) for role in (ROLES if is_chat else ())
    }
    return Template(
        start=[] if is_pair else [end], roles=roles or {"user": ([], [])}, answer=answer, end=[end], most=most
    )


def n_characters(texts: Sequence[str]) -> int:
    return sum(map(len, texts))
