"""An attempt that a limit stopped is worth another one; one that was no better is not."""

from windlass.improving import attempts
from windlass.improving.gathering import was_better
from windlass.store.store import Store


def test_an_attempt_whose_better_challenger_a_limit_stopped_may_be_made_again(tmp_path) -> None:
    attempt = attempts.begin(Store(tmp_path), {"champion": "a"})
    assert not was_better(attempt)
    attempt.note("judge", {"is_better": True})
    assert was_better(attempt)
    attempt.note("publish", {"release": "b"})
    assert not was_better(attempt)
    other = attempts.begin(Store(tmp_path), {"champion": "a"})
    other.note("judge", {"is_better": False})
    assert not was_better(other)
