"""Text of tokens while they come: at each token what decoding all of them gives, at a cost that does not grow."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from tests.learners import writers
from windlass.predictors.language.detokenizer import BYTE_OF, Detokenizer, bytes_of

PIECES = ["▁", "▁▁", "▁a", "b", "▁word", "ing", "中", "▁文", "👾", "\n", ".", "\ufffd"]
SPACES = decoders.Replace("▁", " ")


def falls_back(decoder) -> Tokenizer:
    """A vocabulary of SentencePiece's kind: what it has no piece for is spelled in bytes."""
    names = ["<unk>", "<s>", *(f"<0x{byte:02X}>" for byte in range(256)), *PIECES]
    model = models.BPE(vocab={name: place for place, name in enumerate(names)}, merges=[], unk_token="<unk>",
                       byte_fallback=True)  # fmt: skip
    made = Tokenizer(model)
    made.add_special_tokens(["<s>"])
    made.decoder = decoder
    return made


def words(model, decoder) -> Tokenizer:
    made = Tokenizer(model)
    made.decoder = decoder
    return made


TOKENIZERS = {
    "byte-level BPE": writers.tokenizer(),
    "Llama 2": falls_back(
        decoders.Sequence([SPACES, decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    ),
    "Gemma": falls_back(decoders.Sequence([SPACES, decoders.ByteFallback(), decoders.Fuse()])),
    "T5": falls_back(decoders.Metaspace()),
    "WordPiece": words(
        models.WordPiece(
            {word: place for place, word in enumerate(["[UNK]", "do", "##n", "n't", "not", ".", "中", "##文", "'s"])},
            unk_token="[UNK]",
        ),
        decoders.WordPiece(),
    ),
    "BPE of words": words(
        models.BPE({word: place for place, word in enumerate(["a</w>", "b", "c</w>", "中", "文</w>"])}, []),
        decoders.BPEDecoder("</w>"),
    ),
}


def whole(made: Tokenizer, ids: list[int]) -> str:
    return made.decode(ids, skip_special_tokens=True).rstrip("\ufffd")


def differs(made: Tokenizer, ids: list[int], kind: type = Detokenizer) -> int | None:
    """The number of tokens after which the text is not that of all of them; None when it always is."""
    detokenizer = kind(made)
    return next((n + 1 for n, token in enumerate(ids) if detokenizer.add(token) != whole(made, ids[: n + 1])), None)


@pytest.mark.parametrize("name", TOKENIZERS)
@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_any_tokens_give_at_each_step_the_text_of_all_of_them(name, data):
    """Also bytes that never become a character, control tokens in between, and spaces that only a first token loses."""
    made = TOKENIZERS[name]
    assert differs(made, data.draw(st.lists(st.integers(0, made.get_vocab_size() - 1), max_size=30))) is None


@pytest.mark.parametrize("name", ["byte-level BPE", "Llama 2", "Gemma"])
@settings(deadline=None, max_examples=100)
@given(text=st.text(st.sampled_from("ab 中文字，。👾👩\u200d👧é\n\ufffd"), max_size=20))
def test_chinese_and_emoji_are_told_when_their_last_byte_has_come(name, text):
    made = TOKENIZERS[name]
    made.encode_special_tokens = True
    ids = made.encode(text, add_special_tokens=False).ids
    assert differs(made, ids) is None
    texts = list(map(Detokenizer(made).add, ids))
    assert not any(text.endswith("\ufffd") for text in texts)


def test_a_boundary_in_the_middle_of_a_run_of_bytes_would_be_seen():
    """Control: 中 and one byte too many is four broken characters of a run, not one after 中."""
    made = TOKENIZERS["Llama 2"]
    ids = [made.token_to_id(name) for name in ("<0xE4>", "<0xB8>", "<0xAD>", "<0xFF>", "b")]
    assert differs(made, ids) is None

    class Hasty(Detokenizer):
        def _may_go_on(self, token):
            return False

    assert differs(made, ids, Hasty) == 4


class Counted:
    """A tokenizer that counts the tokens it decodes."""

    def __init__(self, made: Tokenizer) -> None:
        self.made, self.n_decoded = made, 0
        self.id_to_token, self.get_added_tokens_decoder = made.id_to_token, made.get_added_tokens_decoder

    def decode(self, ids: list[int], skip_special_tokens: bool) -> str:
        self.n_decoded += len(ids)
        return self.made.decode(ids, skip_special_tokens=skip_special_tokens)


def test_a_long_text_costs_a_few_tokens_at_each_token():
    made = TOKENIZERS["byte-level BPE"]
    ids = made.encode("naïve 中文 👾 text " * 200).ids
    counted = Counted(made)
    detokenizer = Detokenizer(counted)
    assert [detokenizer.add(token) for token in ids][-1] == "naïve 中文 👾 text " * 200
    assert len(ids) >= 1_000
    assert counted.n_decoded < 8 * len(ids)


@pytest.mark.parametrize("name", ["byte-level BPE", "Gemma"])
def test_the_bytes_of_tokens_join_to_the_bytes_of_the_text(name):
    """Though no single one of them is the text of a character."""
    made, text = TOKENIZERS[name], "龘𝄞é\x00"
    ids = made.encode(text, add_special_tokens=False).ids
    texts = [made.decode([token], skip_special_tokens=False) for token in ids]
    assert "\ufffd" in "".join(texts)
    assert b"".join(bytes_of(made, *each) for each in zip(ids, texts, strict=True)) == text.encode()


def test_letters_stand_for_the_bytes_of_gpt_2():
    assert set(BYTE_OF) == set(pre_tokenizers.ByteLevel.alphabet())
    assert sorted(BYTE_OF.values()) == list(range(256))
    assert (BYTE_OF["Ġ"], BYTE_OF["Ċ"], BYTE_OF["a"]) == (32, 10, 97)
