"""Whether an encoder knows a script is seen before anything heavy is loaded."""

import subprocess
import sys

import polars as pl
import pytest

from windlass.learners.networks import encoders
from windlass.learners.table import LEARNERS
from windlass.records import Splits

PROGRAM = """
import sys, json
from pathlib import Path
import polars as pl
from windlass.learners.table import LEARNERS
from windlass.records import Splits
rows = pl.DataFrame({"text": ["我的订单还没有收到货，请尽快退款"] * 50, "label": ["a", "b"] * 25})
splits = Splits({"text": "text"}, {"label": "category"}, rows, rows, rows, Path())
said = [LEARNERS[name].refuse(splits, sys.argv[1]) for name in ("frozen", "pretrained")]
print(json.dumps([said, [name for name in ("torch", "transformers") if name in sys.modules]]))
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with the tokenizer of an encoder that knows a few English words."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = ["[UNK]", "[PAD]", "my", "card", "is", "lost"]
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def splits(text, folder):
    rows = pl.DataFrame({"text": [text] * 20, "label": ["a", "b"] * 10})
    return Splits({"text": "text"}, {"label": "category"}, rows, rows, rows, folder)


def test_texts_in_another_script_are_refused_without_torch(folder):
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)], capture_output=True, text=True, timeout=120, check=True
    )
    assert ran.stdout.count("encoder does not know 100 % of the pieces of these texts") == 2
    assert ran.stdout.rstrip().endswith(", []]")


def test_texts_that_it_knows_are_let_through(folder):
    assert encoders.unknown_script(splits("my card is lost", folder), str(folder)) == ""
    assert "100 %" in encoders.unknown_script(splits("卡丢了", folder), str(folder))


@pytest.mark.parametrize("content", ["", "{}", "no json"])
def test_a_damaged_tokenizer_is_left_to_the_training_which_says_what_is_wrong(folder, content):
    (folder / "tokenizer.json").write_text(content)
    assert LEARNERS["frozen"].refuse(splits("my card", folder), str(folder)) == ""


def test_a_name_of_the_hub_is_not_asked_for_beforehand(folder):
    assert encoders.unknown_script(splits("卡丢了", folder), "some/model") == ""
