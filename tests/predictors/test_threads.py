"""An engine takes as many threads as it was told, or as the container may use."""

import pytest

from windlass.predictors.language.threads import MOST, NAME, n_threads, processors


@pytest.mark.parametrize(
    ("quota", "whole"),
    [
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),
        ("50000 100000\n", 1),
        ("1600000 100000\n", 16),
        ("max 100000\n", MOST),
        ("", MOST),
        ("100000 0", MOST),
    ],
)
def test_a_quota_of_processor_time_is_so_many_processors(quota: str, whole: int) -> None:
    assert processors(quota) == whole


def test_what_the_environment_says_goes_first_within_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    for said, threads in (("3", 3), ("0", 1), ("99", MOST)):
        monkeypatch.setenv(NAME, said)
        assert n_threads() == threads
