"""How many machines the traffic needs, from the processor time of one answer, and how long answers wait.

Source: M/M/c and the Erlang C formula: Gross et al. 2008, Fundamentals of Queueing Theory, section 2.3.
"""

import math
from dataclasses import dataclass

BUSIEST = 0.6
"""Share of its capacity that a machine is planned for at the peak: above, waiting grows faster than traffic."""
REQUEST_S = 0.0018
"""Processor seconds of one HTTP request beside the model's own, where it was not measured (docs/log.md)."""


@dataclass(frozen=True)
class Capacity:
    """cores: of one machine; answers_a_second: of one machine; machines: that the peak needs; used: share of their
    capacity at the peak; wait_ms: mean wait for a free core at the peak, infinite when overloaded."""

    cores: int
    answers_a_second: float
    machines: int
    used: float
    wait_ms: float


def erlang_c(servers: int, offered: float) -> float:
    """The chance that a request has to wait; 1 when overloaded.

    Args: offered: traffic in erlang, arrivals a second times seconds of service.
    """
    if offered >= servers:
        return 1.0
    blocked = 1.0
    for number in range(1, servers + 1):  # Erlang B by its recursion, which does not overflow
        blocked = offered * blocked / (number + offered * blocked)
    return blocked / (1 - offered / servers * (1 - blocked))


def mean_wait_s(servers: int, arrivals: float, service_s: float) -> float:
    """Mean wait in an M/M/c queue in seconds; infinite when overloaded."""
    offered = arrivals * service_s
    if offered >= servers:
        return math.inf
    return erlang_c(servers, offered) * service_s / (servers - offered)


def machines(seconds: float, peak: float, cores: int) -> int:
    """How many machines keep the peak under `BUSIEST` of their capacity."""
    return max(1, math.ceil(peak * seconds / (BUSIEST * cores)))


def plan(seconds: float, peak: float, cores: int) -> Capacity:
    """The machines (of so many cores) that keep a peak of so many answers a second under `BUSIEST` of their capacity.

    Args: seconds: of a processor, for one answer.
    """
    one, needed = cores / seconds, machines(seconds, peak, cores)
    wait = mean_wait_s(needed * cores, peak, seconds)
    return Capacity(cores, one, needed, peak / (needed * one), 1000 * wait)
