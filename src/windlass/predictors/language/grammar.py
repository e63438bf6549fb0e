"""Keeps what is written inside a JSON schema: tokens that would leave it are not allowed.

Source: llguidance (Microsoft, MIT), which computes the mask of allowed tokens from the grammar of the schema.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from windlass.errors import DataError, NotReady, pip_install
from windlass.records import Json

if TYPE_CHECKING:
    import torch


SPACE = r"[ \n]?"
"""Between the parts of JSON, one sign at most: a model that likes spaces writes its budget full of them."""


TRY_CPU_S, TRY_BYTES, MOST_TRIED = 2, 2 * 1024**3, 256
"""What a schema may take to be compiled, of processor and memory; schemas of which that is remembered."""
TRY = """
import os, resource, sys
os.nice(10)
resource.setrlimit(resource.RLIMIT_CPU, ({cpu_s}, {cpu_s}))
resource.setrlimit(resource.RLIMIT_AS, ({most}, {most}))
import llguidance
grammar = llguidance.LLMatcher.grammar_from_json_schema(sys.stdin.read(), overrides={{"whitespace_pattern": {space!r}}})
matcher = llguidance.LLMatcher(llguidance.LLTokenizer("byte"), grammar)
if not matcher.is_error():
    matcher.compute_bitmask()
"""


def check_cost(schema: Json) -> None:
    """Tries the schema in a process of its own: twenty patterns in an `allOf` are compiled for minutes.

    To be called beside an event loop. Raises: DataError: it takes more than a schema may.
    """
    if find_spec("llguidance") is not None and not _is_cheap(json.dumps(schema)):
        raise DataError(
            f"schema takes more than {TRY_CPU_S} s to be compiled, expected less", "use fewer patterns together"
        )


@lru_cache(maxsize=MOST_TRIED)
def _is_cheap(schema: str) -> bool:
    program = TRY.format(cpu_s=TRY_CPU_S, most=TRY_BYTES, space=SPACE)
    command = [sys.executable, "-I", "-c", program]
    try:
        tried = subprocess.run(command, input=schema.encode(), capture_output=True, check=False, timeout=10 * TRY_CPU_S)
    except subprocess.TimeoutExpired:
        return False
    return tried.returncode == 0


class Grammar:
    """Allows every token."""

    is_complete = False

    def allowed(self, logits_V: "torch.Tensor") -> "torch.Tensor":
        """The logits, minus infinity where a token is not allowed."""
        return logits_V

    def take(self, token: int) -> None:
        """Goes on by a token."""

    @staticmethod
    def of(schema: Json | None, tokenizer: Path | None, end: Sequence[int]) -> "Grammar":
        """Args: end: the tokens that may follow what is complete.

        Raises: DataError: a schema that cannot be kept. NotReady: llguidance is not installed.
        """
        if schema is None:
            return Grammar()
        if tokenizer is None:
            raise NotReady("schema needs the tokenizer of the model, expected it beside the model")
        return _Schema(schema, tokenizer, end)


class _Schema(Grammar):
    """Allows what keeps a JSON schema."""

    def __init__(self, schema: Json, tokenizer: Path, end: Sequence[int]) -> None:
        try:
            import llguidance
        except ImportError:
            raise NotReady("answers by a JSON schema need llguidance", pip_install("llm")) from None
        self.reader = _reader(tokenizer, tokenizer.stat().st_mtime_ns, tuple(end))
        grammar = llguidance.LLMatcher.grammar_from_json_schema(
            json.dumps(schema), overrides={"whitespace_pattern": SPACE}
        )
        self.matcher = llguidance.LLMatcher(self.reader, grammar)
        if self.matcher.is_error():
            raise DataError(f"schema cannot be kept ({self.matcher.get_error()[:200]}), expected a JSON schema")
        self.is_complete = False

    def allowed(self, logits_V: "torch.Tensor") -> "torch.Tensor":
        import numpy as np
        import torch

        bits = np.frombuffer(self.matcher.compute_bitmask(), dtype=np.uint8)
        mask = torch.from_numpy(np.unpackbits(bits, bitorder="little")[: len(logits_V)].astype(bool))
        held = torch.full_like(logits_V, float("-inf"))
        held[: len(mask)] = torch.where(mask, logits_V[: len(mask)], float("-inf"))
        return held

    def take(self, token: int) -> None:
        self.matcher.consume_token(token)
        self.is_complete = self.matcher.is_stopped()


@lru_cache(maxsize=4)
def _reader(tokenizer: Path, written_ns: int, end: tuple[int, ...]) -> Any:
    """What llguidance knows of a tokenizer: it would guess the end tokens by their names."""
    import llguidance

    return llguidance.LLTokenizer(tokenizer.read_text(encoding="utf-8"), eos_token=list(end))
