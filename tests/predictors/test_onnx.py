"""How rows are put together into runs of a graph: little padding, few runs, bounded memory."""

from itertools import combinations, pairwise

import numpy as np
import pytest

from windlass.predictors.networks.onnx import MOST_ROWS, MOST_TOKENS, RUN_TOKENS, cuts


def cost(lengths: list[int], ends: tuple[int, ...]) -> int:
    return sum(RUN_TOKENS + (end - start) * lengths[start] for start, end in pairwise([0, *ends]))


def test_a_long_text_is_not_what_short_ones_are_padded_to():
    # together 4 x 100 + 12 = 412 tokens; apart 100 + 12 + 3 x 10 + 12 = 154
    assert cuts([100, 10, 10, 10]) == [1, 4]


def test_rows_of_one_length_stay_together_and_a_little_padding_is_cheaper_than_a_run():
    assert cuts([14] * 8) == [8]
    assert cuts([14, 14, 13, 12]) == [4]  # 3 tokens of padding against 12 for a second run


@pytest.mark.parametrize("seed", range(5))
def test_no_other_cuts_take_less_time(seed):
    lengths = sorted(np.random.default_rng(seed).integers(1, 60, 9).tolist(), reverse=True)
    every = [(*inner, 9) for size in range(9) for inner in combinations(range(1, 9), size)]
    assert cost(lengths, tuple(cuts(lengths))) == min(cost(lengths, ends) for ends in every)


def test_a_run_holds_no_more_rows_and_tokens_than_its_bounds_but_always_a_row():
    assert max(end - start for start, end in pairwise([0, *cuts([0] * 150)])) <= MOST_ROWS
    lengths = [3_000, *sorted(np.random.default_rng(1).integers(100, 500, 40).tolist(), reverse=True)]
    runs = list(pairwise([0, *cuts(lengths)]))
    assert runs[0] == (0, 1)
    assert all((end - start) * lengths[start] <= MOST_TOKENS for start, end in runs[1:])
    assert runs[-1][1] == 41


def test_no_rows_are_no_runs():
    assert cuts([]) == []
