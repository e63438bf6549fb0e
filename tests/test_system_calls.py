"""The filter's numbers are those of the kernel's own headers, and it answers as it should on both machines."""

import re
import struct
from pathlib import Path

import pytest

from windlass.errors import NotReady
from windlass.sandbox import system_calls

HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
MACHINES = tuple(HEADERS)
PASSES, NOT_PERMITTED, NO_SUCH_CALL, KILLED = "passes", "EPERM", "ENOSYS", "killed"
VERDICTS = {0x7FFF0000: PASSES, 0x00050001: NOT_PERMITTED, 0x00050026: NO_SUCH_CALL, 0x80000000: KILLED}
WORDS = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7, "i386": 0x40000003, "arm": 0x40000028}


def header(machine: str) -> dict[str, int]:
    """Name -> number, of the kernel's header."""
    if not HEADERS[machine].is_file():
        pytest.skip(f"{HEADERS[machine]} is not there: linux-libc-dev is not installed")
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)\s", HEADERS[machine].read_text(encoding="utf-8"))
    numbers = {name: int(number) for name, number in found}
    if "fstatat" in numbers:
        numbers["newfstatat"] = numbers.pop("fstatat")
    return numbers


def verdict(machine: str, number: int, *arguments: int, word: str = "") -> str:
    """What the kernel would say: the filter's bytes, carried out by the rules of classic BPF."""
    data = struct.pack("=IIQ6Q", number, WORDS[word or machine], 0, *arguments, *[0] * (6 - len(arguments)))
    steps = list(struct.iter_unpack("=HBBI", system_calls.program(machine)))
    register, place = 0, 0
    while True:
        code, when_true, when_false, value = steps[place]
        place += 1
        if code == 0x06:
            return VERDICTS[value]
        if code == 0x20:
            register = struct.unpack_from("=I", data, value)[0]
        elif code == 0x54:
            register &= value
        else:
            holds = {0x15: register == value, 0x35: register >= value}[code]
            place += when_true if holds else when_false


@pytest.mark.parametrize("machine", MACHINES)
def test_numbers_are_those_of_the_kernels_headers(machine):
    numbers = header(machine)
    ours = {**system_calls.allowed(machine)}
    column = MACHINES.index(machine)
    ours |= {name: places[column] for name, (places, _) in system_calls.GUARDED.items()}
    assert {name: numbers.get(name) for name in ours} == ours
    assert len(set(ours.values())) == len(ours)


@pytest.mark.parametrize("machine", MACHINES)
def test_what_is_not_listed_is_refused(machine):
    """Every other call of the header; control: what is listed passes."""
    numbers = header(machine)
    listed = system_calls.allowed(machine)
    for name, number in numbers.items():
        if name in listed:
            assert verdict(machine, number) == PASSES, name
        elif name not in system_calls.GUARDED:
            assert verdict(machine, number) == (NO_SUCH_CALL if number >= 424 else NOT_PERMITTED), name
    dangerous = {
        *("socket", "connect", "bind", "listen", "shmget", "semget", "msgget", "add_key", "keyctl", "request_key"),
        *("userfaultfd", "io_uring_setup", "bpf", "perf_event_open", "ptrace", "process_vm_readv", "mount", "unshare"),
        *("process_vm_writev", "setns", "clone3", "memfd_create", "personality", "kexec_load", "seccomp", "mq_open"),
        *("pidfd_getfd", "open_by_handle_at", "init_module", "execveat", "move_mount"),
    }
    assert dangerous <= set(numbers)
    assert not dangerous & (set(listed) | set(system_calls.GUARDED))


@pytest.mark.parametrize("machine", MACHINES)
def test_guarded_calls_depend_on_what_they_are_asked_for(machine):
    place = {name: places[MACHINES.index(machine)] for name, (places, _) in system_calls.GUARDED.items()}
    assert verdict(machine, place["clone"], 17) == PASSES, "fork: SIGCHLD"
    assert verdict(machine, place["clone"], 0x3D0F00) == PASSES, "a thread of glibc"
    for namespace in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert verdict(machine, place["clone"], namespace | 17) == NOT_PERMITTED
    assert verdict(machine, place["socketpair"], 1, 0x80001) == PASSES, "AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC"
    assert verdict(machine, place["socketpair"], 1, 2) == NOT_PERMITTED, "a datagram can be sent to any address"
    assert verdict(machine, place["socketpair"], 2, 1) == NOT_PERMITTED
    assert verdict(machine, place["fcntl"], 3, 1030) == PASSES
    assert verdict(machine, place["fcntl"], 3, 1031) == NOT_PERMITTED, "F_SETPIPE_SZ"
    assert verdict(machine, place["ioctl"], 0, 0x5401) == PASSES, "TCGETS"
    assert verdict(machine, place["ioctl"], 0, 0x5412) == NOT_PERMITTED, "TIOCSTI"
    assert verdict(machine, place["prctl"], 15) == PASSES
    assert verdict(machine, place["prctl"], 22) == NOT_PERMITTED, "PR_SET_SECCOMP"


def test_the_calls_of_another_architecture_end_the_program():
    """int 0x80 on x86_64 counts calls otherwise: 359 is `socket` there. x32 has a bit set in its numbers."""
    assert verdict("x86_64", 1, word="i386") == verdict("aarch64", 1, word="arm") == KILLED
    assert verdict("x86_64", 0x40000000 | 41) == NO_SUCH_CALL


def test_a_machine_whose_numbers_are_not_known_is_refused():
    with pytest.raises(NotReady, match="riscv64, expected one of 'x86_64', 'aarch64'"):
        system_calls.program("riscv64")
