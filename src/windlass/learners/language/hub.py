"""Opens a pretrained language model: configuration, safetensors and tokenizer.json, of a folder or from the hub.

No code of the model's own is ever run: its architecture is one that transformers knows, or it is refused.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from windlass.errors import NotReady, SpecError, WindlassError
from windlass.learners.networks import encoders
from windlass.learners.networks.encoders import Source
from windlass.predictors.language.engine import TOKENIZER
from windlass.predictors.language.prompts import Ids
from windlass.store.files import write_text
from windlass.store.json_files import write_json

NAMES = ("bos_token", "eos_token", "unk_token", "pad_token")
CODE = "choose another, or serve it where you trust its code and name the URL: `learners: [{elsewhere: URL}]`"
INSTEAD = {
    ".gguf": "llama.cpp serves GGUF: `learners: [{elsewhere: URL}]`",
    "adapter_config.json": "this is an adapter: add it to its model first, with peft's `merge_and_unload()`",
    ".bin": "pickled weights are never read: where you trust them, transformers' `save_pretrained` writes safetensors",
}
"""What a file of a folder without config.json or safetensors tells of it -> what to do."""


@dataclass(frozen=True)
class Opened:
    """A pretrained model with what reads for it.

    model: of transformers, float32. text: its tokenizer.json. tokenizer: of that, control tokens in a text are ordinary
    characters to it. reader: transformers' own, which knows the chat template and the names of the control tokens.
    """

    model: Any
    text: str
    tokenizer: Any
    reader: Any

    @property
    def n_positions(self) -> int:
        """Tokens that it can read at once; 0 when nothing bounds them."""
        config = self.model.config.get_text_config()
        names = ("max_position_embeddings", "n_positions", "max_sequence_length", "seq_length")
        return next((int(value) for name in names if (value := getattr(config, name, None))), 0)

    @property
    def ends(self) -> Ids:
        """The ids that end an answer, as tokenizer and configurations name them, the tokenizer's own first."""
        found: Ids = []
        generation = getattr(self.model, "generation_config", None)
        for value in (
            self.reader.eos_token_id,
            getattr(generation, "eos_token_id", None),
            getattr(self.model.config, "eos_token_id", None),
        ):
            found += value if isinstance(value, list) else [] if value is None else [value]
        return [number for number in dict.fromkeys(found) if self.tokenizer.id_to_token(number) is not None]


def locate(variant: str, learner: str) -> Source:
    """Where the model that the user named is. Raises: SpecError: none was named, or neither a folder nor a name."""
    if not variant:
        raise SpecError(
            f"learner '{learner}' starts from a model, expected its folder or hub name",
            f"`learners: [{{{learner}: PATH}}]`",
        )
    try:
        return encoders.locate(variant)
    except SpecError:
        raise SpecError(
            f"model of '{learner}' is '{variant}', expected a folder with config.json or a hub name"
        ) from None


def open_model(variant: str, learner: str, is_pair: bool, quantization: Any = None) -> Opened:
    """The model as it is there. is_pair: an encoder-decoder is wanted, else a decoder.

    quantization: how transformers shall round the weights while it reads them; none: not at all.

    Raises: SpecError: another sort of model. NotReady: it cannot be loaded.
    """
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    source = locate(variant, learner)
    _check_files(source)
    where: dict[str, Any] = {"local_files_only": source.offline, "trust_remote_code": False}
    try:
        config = _config(source, is_pair, where)
        opener: Any = AutoModelForSeq2SeqLM if is_pair else AutoModelForCausalLM
        rounded = {} if quantization is None else {"quantization_config": quantization}
        model, read = opener.from_pretrained(
            source.name,
            config=config,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
            **rounded,
            **where,
        )
        text, reader = _tokenizer(source)
    except WindlassError:
        raise
    except Exception as error:  # noqa: BLE001  any value can stand in the files, and any error come of it
        if "custom code" in str(error):
            raise NotReady(
                f"model '{variant}' comes with code of its own, which is never run, expected an "
                "architecture that transformers knows",
                CODE,
            ) from None
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise NotReady(
            f"model '{variant}' cannot be loaded ({reason}), expected config.json, model.safetensors and tokenizer.json"
        ) from None
    if read["missing_keys"]:
        raise NotReady(f"model '{variant}' has no weights for '{min(read['missing_keys'])}', expected all of them")
    tokenizer = ordinary(text)
    n_tokens, n_known = model.get_input_embeddings().weight.shape[0], 1 + max(tokenizer.get_vocab().values())
    if n_known > n_tokens:
        raise NotReady(f"tokenizer of '{variant}' has {n_known:,} tokens, expected at most the model's {n_tokens:,}")
    return Opened(model, text, tokenizer, reader)


def _check_files(source: Source) -> None:
    """Raises: NotReady: a folder lacks a file without which there is no model."""
    folder = Path(source.name)
    if not folder.is_dir():
        return
    names = sorted(path.name for path in folder.iterdir())
    lacks = ["config.json"] if "config.json" not in names else []
    lacks += [] if any(name.endswith(".safetensors") for name in names) else ["weights as safetensors"]
    if lacks:
        hint = next((words for end, words in INSTEAD.items() if any(name.endswith(end) for name in names)), "")
        raise NotReady(
            f"folder '{source.name}' has no {lacks[0]}, expected config.json, model.safetensors and tokenizer.json",
            hint,
        )


def _config(source: Source, is_pair: bool, where: dict[str, Any]) -> Any:
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_MASKED_LM_MAPPING, AutoConfig

    config = AutoConfig.from_pretrained(source.name, **where)
    kind = type(config)
    is_decoder = kind in MODEL_FOR_CAUSAL_LM_MAPPING and kind not in MODEL_FOR_MASKED_LM_MAPPING
    wanted = "an encoder-decoder such as T5, Marian or BART" if is_pair else "a decoder such as Llama, Qwen or GPT-2"
    if bool(config.is_encoder_decoder) != is_pair or not (is_pair or is_decoder):
        raise SpecError(f"'{source.name}' is a '{config.model_type}' model, expected {wanted}")
    return config


def _tokenizer(source: Source) -> tuple[str, Any]:
    """The text of tokenizer.json, and transformers' reader of it. Raises: NotReady: there is none, nor can be made."""
    from transformers import AutoTokenizer, PreTrainedTokenizerFast
    from transformers.utils import cached_file

    where: dict[str, Any] = {"local_files_only": source.offline}
    try:
        path = cached_file(source.name, TOKENIZER, **where)
    except OSError:
        path = None
    if path is not None:
        reader = PreTrainedTokenizerFast.from_pretrained(source.name, trust_remote_code=False, **where)
        return Path(str(path)).read_text(encoding="utf-8"), reader
    try:
        reader = AutoTokenizer.from_pretrained(source.name, trust_remote_code=False, **where)
        return reader.backend_tokenizer.to_str(), reader
    except Exception as error:  # noqa: BLE001  each tokenizer fails in its own way when a part is not installed
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:150]
        raise NotReady(
            f"model '{source.name}' has no tokenizer.json, and transformers cannot make one of its files "
            f"({reason}), expected that file"
        ) from None


def ordinary(text: str) -> Any:
    """The tokenizer of a tokenizer.json to which control tokens in a text are ordinary characters."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(text)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.encode_special_tokens = True
    return tokenizer


def with_control(text: str, ids: Ids) -> str:
    """The tokenizer.json in which those of its added tokens are control tokens: nobody can type them."""
    values = json.loads(text)
    for token in values.get("added_tokens", ()):
        token["special"] = token["special"] or token["id"] in ids
    return json.dumps(values, ensure_ascii=False)


def save_tokenizer(text: str, names: dict[str, str], folder: Path) -> None:
    """tokenizer.json, and what transformers and CTranslate2 want beside it."""
    write_text(folder / TOKENIZER, text)
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", **names})


def names_of(reader: Any) -> dict[str, str]:
    """The control tokens by their names, as text; one that is missing is the end, since CTranslate2 asks for all."""
    found = {name: str(value) for name in NAMES if (value := getattr(reader, name, None)) is not None}
    end = found.get("eos_token")
    return {**({} if end is None else dict.fromkeys(("bos_token", "unk_token"), end)), **found}
