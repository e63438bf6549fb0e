"""The networks that point at an answer, and their task: loss and score by hand, padding that changes nothing."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from windlass.learners.retrieval.reader import BidirectionalGRU, Pages, Reader, SpanTask, SummedLogits
from windlass.predictors.language.reading import N_TRAITS, Vocabulary, read
from windlass.predictors.retrieval.span import SpanEncoder

VOCABULARY = Vocabulary(("bob", "lives", "in"), (1.0, 1.0, 1.0), 2.0)
LENGTHS = (9, 4, 1, 6)


def rows_of(lengths=LENGTHS, asked=(5, 2, 3, 1)):
    """Words, traits and question of rows of these lengths, by chance."""
    chance = np.random.default_rng(1)
    words, question = (chance.integers(1, 5, (len(lengths), max(sizes))) for sizes in (lengths, asked))
    for row, (n_words, n_asked) in enumerate(zip(lengths, asked, strict=True)):
        words[row, n_words:], question[row, n_asked:] = 0, 0
    traits = chance.integers(0, 256, (*words.shape, N_TRAITS)) * (words > 0)[..., None]
    return [torch.from_numpy(array) for array in (words, traits, question)]


def padded(tensor, more=5):
    """More padding along the second axis."""
    return torch.cat([tensor, torch.zeros_like(tensor[:, :1]).expand(-1, more, *tensor.shape[2:])], dim=1)


def gap(network, tensors):
    """Largest difference that more padding, or being alone, makes to the logits of real words."""
    network.eval()
    with torch.inference_mode():
        wanted, wide = network(*tensors), network(*map(padded, tensors))
        worst = 0.0
        for row, length in enumerate(LENGTHS):
            alone = network(*(tensor[row : row + 1] for tensor in tensors))
            for other in (wide[row, :, :length], alone[0, :, :length]):
                worst = max(worst, float((wanted[row, :, :length] - other).abs().max()))
    return worst


def test_padding_changes_nothing_for_a_reader():
    torch.manual_seed(1)
    assert gap(Reader(3), rows_of()) < 1e-5


class Backbone(nn.Module):
    """As much of an encoder as is asked of it: states that see their neighbours, where the mask lets them."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(9, 8)

    def forward(self, input_ids, attention_mask):
        states = self.embedding(input_ids) * attention_mask.unsqueeze(-1)
        mean = states.sum(dim=1, keepdim=True) / attention_mask.sum(dim=1)[:, None, None]
        return type("Output", (), {"last_hidden_state": states + mean})


def beside():
    torch.manual_seed(1)
    pieces, places = rows_of()[0], rows_of()[0].clamp(max=1).cumsum(dim=1) - 1
    return SummedLogits(Reader(3), Backbone(), 8, 0), [*rows_of(), pieces, places.clamp(min=0)]


def test_padding_changes_nothing_with_an_encoder_beside():
    network, tensors = beside()
    nn.init.normal_(network.head.point.weight)
    assert gap(network, tensors) < 1e-5


def test_with_an_encoder_it_starts_as_the_reader_alone():
    network, tensors = beside()
    network.eval()
    with torch.inference_mode():
        assert torch.equal(network(*tensors), network.reader(*tensors[:3]))


def test_both_ways_is_what_a_gated_network_gives_for_each_row():
    """Against torch's own bidirectional GRU on rows without padding."""
    torch.manual_seed(1)
    ours = BidirectionalGRU(3, 4)
    theirs = nn.GRU(3, 4, batch_first=True, bidirectional=True)
    for name, value in ours.forwards.named_parameters():
        getattr(theirs, name).data.copy_(value.data)
    for name, value in ours.backwards.named_parameters():
        getattr(theirs, f"{name}_reverse").data.copy_(value.data)
    words = torch.randn(2, 7, 3)
    real = torch.ones(2, 7, dtype=torch.bool)
    assert torch.allclose(ours(words, real), theirs(words)[0], atol=1e-6)


class Fixed(nn.Module):
    """Logits that are given."""

    def __init__(self, logits) -> None:
        super().__init__()
        self.given = torch.tensor(logits)

    def forward(self, words, traits, question):
        return self.given[: len(words), :, : words.shape[1]]


def pointing(text="Bob lives in Oslo", answers=("Oslo",), metric="exact_match"):
    reading = read(text, "where?", VOCABULARY)
    places = [place for answer in answers for place in reading.places(answer)]
    pages = Pages([reading], [places], [list(answers)])
    return SpanTask(pages, pages, SpanEncoder(VOCABULARY), 2, metric)


def test_the_loss_is_that_of_start_and_end():
    """Start 0.7 right, end 0.4 right."""
    network = Fixed(np.log([[[0.1, 0.1, 0.1, 0.7], [0.2, 0.2, 0.2, 0.4]]]))
    loss = pointing().loss(network, np.array([0]), 0.0)
    assert loss.item() == pytest.approx(-math.log(0.7) - math.log(0.4), abs=1e-5)


def test_all_right_places_count_together():
    network = Fixed(np.log([[[0.3, 0.2, 0.1, 0.4], [0.25, 0.25, 0.25, 0.25]]]))
    loss = pointing("Oslo is not Oslo").loss(network, np.array([0]), 0.0)
    assert loss.item() == pytest.approx(-math.log(0.7) - math.log(0.5), abs=1e-5)


def test_the_score_is_the_metric_of_the_likeliest_span():
    right = Fixed(np.log([[[0.1, 0.1, 0.1, 0.7], [0.1, 0.1, 0.1, 0.7]]]))
    wide = Fixed(np.log([[[0.1, 0.1, 0.7, 0.1], [0.1, 0.1, 0.1, 0.7]]]))
    assert pointing().judge(right, 8, "float32").score == 1
    assert pointing().judge(wide, 8, "float32").score == 0
    assert pointing(metric="token_f1").judge(wide, 8, "float32").score == pytest.approx(2 / 3)


def test_what_is_learned_from_is_told_apart():
    assert pointing().identity() == pointing().identity()
    assert pointing().identity() != pointing("Bob lives in Rome, not Oslo").identity()
    assert pointing().identity() != pointing(answers=("lives",)).identity()


def test_the_check_of_padding_sees_a_network_that_reads_it():
    """Control: a plain network both ways begins backwards at the padding."""

    class Reads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding, self.cell = nn.Embedding(9, 8), nn.GRU(8, 2, batch_first=True, bidirectional=True)

        def forward(self, words, traits, question):
            return self.cell(self.embedding(words))[0].transpose(1, 2)

    torch.manual_seed(1)
    assert gap(Reads(), rows_of()) > 1e-3
