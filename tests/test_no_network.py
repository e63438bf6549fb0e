"""Nothing leaves the machine unasked: the system calls of whole commands, as strace sees them."""

import shutil
import sys
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
    """Each command once, side by side, each in a project of its own."""
    for module in ("torch", "onnx", "onnxruntime"):
        pytest.importorskip(module)
    home = tmp_path_factory.mktemp("network")
    whole = lookups.network_project(home / "desk")
    copies = {word: shutil.copytree(whole, home / word) for word in lookups.STAGES}

    def run(word: str):
        return lookups.traced(word, lookups.command(word, copies[word]), copies[word], "")

    with ThreadPoolExecutor(len(copies)) as pool:  # each sleeps most of its time
        return dict(zip(copies, pool.map(run, copies), strict=True))


@needs_strace
@pytest.mark.slow
@pytest.mark.parametrize("word", lookups.STAGES)
def test_no_address_but_loopback_is_seen(found, word):
    assert found[word].calls == ()


@needs_strace
@pytest.mark.parametrize("port", [53, 443])
def test_the_control_is_seen(tmp_path, port):
    """A program that turns to an address kept for documentation (RFC 5737): connecting a UDP socket sends nothing."""
    talks = f"import socket\nsocket.socket(type=socket.SOCK_DGRAM).connect_ex(('192.0.2.1', {port}))"
    calls = lookups.traced("control", [sys.executable, "-c", talks], tmp_path, "1").calls
    assert len(calls) == 1
    assert f"htons({port})" in calls[0]


@needs_strace
@pytest.mark.soak
@pytest.mark.parametrize("name", lookups.DEPENDENCIES)
def test_of_the_other_dependencies_none_asks(name, tmp_path):
    """Each alone, without Windlass; ONNX Runtime is the one that is known to ask."""
    if name == "onnxruntime":
        return
    assert lookups.traced(name, lookups.alone(name), tmp_path, "").calls == ()
