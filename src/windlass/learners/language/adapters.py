"""What of a pretrained language model is trained: all of it, or small matrices beside its weights.

Source: LoRA, Hu et al. 2021, arXiv:2106.09685; QLoRA, Dettmers et al. 2023, arXiv:2305.14314 (peft, bitsandbytes,
        torchao).
"""

import warnings
from importlib.util import find_spec
from typing import Any

import torch
from torch import nn

from windlass.errors import NotReady, pip_install

LARGE = 300_000_000
"""Parameters from which LoRA is the recommendation: all of them with what AdamW keeps would take 5 GB."""
SCALE, DROPOUT = 2, 0.05


def choose(adapt: str, n_parameters: int) -> str:
    """'full', 'lora' or 'qlora': as asked, `auto` by size."""
    return adapt if adapt != "auto" else "lora" if n_parameters > LARGE else "full"


def quantization() -> Any:
    """How transformers shall load the weights for QLoRA. Raises: NotReady: nothing that can is installed."""
    if find_spec("bitsandbytes") is not None:
        from transformers import BitsAndBytesConfig

        exact = torch.bfloat16 if torch.cuda.is_available() else torch.float32
        return BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=exact
        )
    if find_spec("torchao") is not None:
        from torchao.quantization import Int8WeightOnlyConfig
        from transformers import TorchAoConfig

        return TorchAoConfig(Int8WeightOnlyConfig())
    raise NotReady(
        "adapt is 'qlora', expected bitsandbytes (4 bits) or torchao (8 bits) to be installed",
        f"{pip_install('qlora')}, or `language: {{adapt: lora}}`",
    )


def lora(model: Any, rank: int) -> Any:
    """The model with LoRA beside each of its matrices but the last; nothing else of it learns any more."""
    from peft import LoraConfig, get_peft_model
    from transformers.pytorch_utils import Conv1D

    config = LoraConfig(
        r=rank,
        lora_alpha=SCALE * rank,
        lora_dropout=DROPOUT,
        target_modules="all-linear",
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in model.modules()),
        task_type="CAUSAL_LM",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers by a name that is going out of use
        return get_peft_model(model, config)


def is_adapted(model: Any) -> bool:
    return hasattr(model, "peft_config")


def merged(model: Any) -> Any:
    """One plain model of float32 that computes what the trained one does: LoRA is added to the weights.

    Quantized weights become those numbers that they stand for, so that nothing is rounded a second time.
    """
    if not is_adapted(model):
        return model
    base = model.get_base_model()
    if getattr(base, "hf_quantizer", None) is None:
        return _thawed(model.merge_and_unload(adapter_names=["default"]))
    return _thawed(_dequantized(base))


def _thawed(model: Any) -> Any:
    return model.requires_grad_(True)


def _dequantized(base: Any) -> Any:
    """A fresh model of the architecture, with the weights of the quantized one and LoRA added."""
    from peft.tuners.tuners_utils import BaseTunerLayer
    from peft.utils.integrations import dequantize_module_weight
    from transformers import AutoModelForCausalLM
    from transformers.pytorch_utils import Conv1D

    config = type(base.config).from_dict(
        {name: value for name, value in base.config.to_dict().items() if name != "quantization_config"}
    )
    plain: nn.Module = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    found: dict[str, torch.Tensor] = {}
    layers: dict[str, Any] = {
        name: module for name, module in base.named_modules() if isinstance(module, BaseTunerLayer)
    }
    with torch.no_grad():
        for name, layer in layers.items():
            inner = layer.get_base_layer()
            weight = dequantize_module_weight(inner).float() + layer.get_delta_weight("default")
            is_turned = isinstance(plain.get_submodule(name), Conv1D) and not isinstance(inner, Conv1D)
            found[f"{name}.weight"] = weight.T if is_turned else weight  # bitsandbytes has linear layers in its place
            if inner.bias is not None:
                found[f"{name}.bias"] = inner.bias
        inside = tuple(f"{name}." for name in layers)
        state = {name: value for name, value in base.state_dict().items() if not name.startswith(inside)}
        found |= {name: value.float() for name, value in state.items()}
    plain.load_state_dict({name: value.cpu() for name, value in found.items()}, strict=True)
    return plain
