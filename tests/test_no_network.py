"""Nothing leaves the machine unasked: the system calls of whole commands, as strace sees them."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.benchmark_scripts import loaded

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed: no one sees calls")


lookups = loaded("lookups")


@pytest.mark.parametrize(
    ("line", "leaves"),
    [
        ('connect(8, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("20.1.2.3")}, 16) = 0', True),
        ('connect(8, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("127.0.0.53")}, 16) = 0', True),
        ('connect(8, {sa_family=AF_INET, sin_port=htons(8000), sin_addr=inet_addr("127.0.0.1")}, 16) = 0', False),
        ('connect(8, {sa_family=AF_INET6, sin6_port=htons(443), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, '
         '"2001:db8::1", &sin6_addr), sin6_scope_id=0}, 28) = -1 EINPROGRESS', True),
        ('connect(8, {sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", '
         "&sin6_addr), sin6_scope_id=0}, 28) = 0", False),
        ('sendto(5, "x", 1, 0, {sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr("10.0.0.1")}, 16) = 1', True),
        ('connect(8, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110) = -1 ENOENT', False),
        ('bind(8, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("0.0.0.0")}, 16) = 0', False),
    ],
)  # fmt: skip
def test_a_call_that_leaves_the_machine_is_told_from_one_that_does_not(line, leaves):
    assert lookups.outside(f"1287  {line}\n") == ([line] if leaves else [])


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Each command once, side by side, each in a project of its own; and the control."""
    for module in ("torch", "onnx", "onnxruntime"):
        pytest.importorskip(module)
    home = tmp_path_factory.mktemp("network")
    whole = lookups.network_project(home / "desk")
    copies = {word: shutil.copytree(whole, home / word) for word in (*lookups.STAGES, "control")}

    def run(word: str):
        stage, switch = ("predict", "0") if word == "control" else (word, "")
        return lookups.traced(word, lookups.command(stage, copies[word]), copies[word], switch)

    with ThreadPoolExecutor(3) as pool:
        return dict(zip(copies, pool.map(run, copies), strict=True))


@needs_strace
@pytest.mark.slow
@pytest.mark.parametrize("word", lookups.STAGES)
def test_no_address_but_loopback_is_seen(found, word):
    assert found[word].calls == ()


@needs_strace
@pytest.mark.slow
def test_the_control_asks_a_name_server(found):
    """ONNX Runtime from 1.29 on, with its telemetry on: two look-ups."""
    import onnxruntime

    if tuple(map(int, onnxruntime.__version__.split(".")[:2])) < (1, 29):
        pytest.skip(f"onnxruntime {onnxruntime.__version__} has no telemetry on Linux, expected 1.29 or later")
    calls = found["control"].calls
    assert len(calls) >= 2
    assert all("htons(53)" in call for call in calls), calls


@needs_strace
@pytest.mark.soak
@pytest.mark.parametrize("name", lookups.DEPENDENCIES)
def test_of_the_other_dependencies_none_asks(found, name, tmp_path):
    """Each alone, without Windlass; ONNX Runtime is the one that is known to ask."""
    if name == "onnxruntime":
        return
    assert lookups.traced(name, lookups.alone(name), tmp_path, "").calls == ()
