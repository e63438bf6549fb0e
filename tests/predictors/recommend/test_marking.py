"""What a learner wrote is right in whatever form numbers and signs have, and not where it is another answer."""

import pytest

from windlass.predictors.recommend.tracing.marking import is_right


@pytest.mark.parametrize(
    ("written", "answer"),
    [("9", "9"), (" 9 ", "9"), ("９", "9"), ("9.0", "9"), ("1,200", "1200"), ("−3", "-3"), ("1 / 2", "1/2"),
     ("Paris.", "paris"), ("0.5", "1/2|0.5"), (".5", "0.50"), ("北京", "北京")],
)  # fmt: skip
def test_it_is_right(written, answer):
    assert is_right(written, answer)


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        ("8", "9"),
        ("", "9"),
        (" ", "9"),
        ("2/4", "1/2"),
        ("-9", "9"),
        ("9 10", "9"),
        ("1e1", "10"),
        ("nan", "0"),
        ("", ""),
    ],
)
def test_it_is_not(written, answer):
    assert not is_right(written, answer)
