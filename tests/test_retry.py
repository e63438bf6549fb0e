"""One policy for all that asks over HTTP: what is asked again, and how long is waited."""

import pytest

from windlass.client import RETRY
from windlass.remote.requests import Remote
from windlass.retry import NOT_DONE, PASSING, Retry, asked_s


def test_waits_double_up_to_the_most_and_chance_adds_at_most_as_much_again():
    policy = Retry(first_s=1.0, most_s=8.0)
    assert [policy.wait_s(attempt, chance=lambda: 0.0) for attempt in (1, 2, 3, 4, 99)] == [1, 2, 4, 4, 4]
    assert [policy.wait_s(attempt, chance=lambda: 1.0) for attempt in (1, 2, 3, 4, 99)] == [2, 4, 8, 8, 8]


def test_what_the_server_asks_for_is_waited_up_to_the_policy_s_bound():
    assert Retry(first_s=1.0).wait_s(1, 7.0, chance=lambda: 0.5) == 7.5
    assert Retry(first_s=1.0).wait_s(1, 0.1, chance=lambda: 0.0) == 1.0, "less than a step is a step"
    assert Retry(first_s=1.0, most_asked_s=30.0).wait_s(1, 900.0, chance=lambda: 0.0) == 30.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("3", 3.0), ("0.5", 0.5), (" 2 ", 2.0), ("Thu, 01 Jan 1970 00:00:10 GMT", 7.0),
     ("Thu, 01 Jan 1970 00:00:01 GMT", 0), (None, 0), ("", 0),
     ("-1", 0), ("nan", 0), ("inf", 0), ("1e9", 0), ("soon", 0), ("9" * 400, 0)],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_or_a_date(header, seconds):
    """RFC 9110, section 10.2.3; what makes no sense asks for nothing."""
    assert asked_s(header, clock=lambda: 3.0) == seconds


def test_both_who_ask_go_by_it():
    """A 500 of our own service is a fault that stays; one of a stranger's model server often passes."""
    remote = Remote("http://127.0.0.1:1/v1", "toy")._retry
    assert (type(RETRY), type(remote)) == (Retry, Retry)
    assert [RETRY.is_passing(status) for status in (429, 503, 500, 404, 200)] == [True, True, False, False, False]
    assert [remote.is_passing(status) for status in (429, 503, 500, 404, 200)] == [True, True, True, False, False]
    assert NOT_DONE < PASSING
