"""The system calls that a program which nobody has read may make, as a seccomp filter in classic BPF.

What is not listed is refused: a new call of a new kernel is refused until somebody has read what it does. `sandbox`
makes the filter, `cell` loads it as the last thing before it becomes the program, and whatever that starts keeps it.
Source: seccomp(2), bpf(4); numbers: asm/unistd_64.h (x86_64), asm-generic/unistd.h (aarch64) of Linux 6.
"""

import struct
from dataclasses import dataclass

from windlass.errors import NotReady

ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""Machine -> its AUDIT_ARCH word, and its column in the table of numbers."""
TABLE = """
access 21 - | alarm 37 - | arch_prctl 158 - | brk 12 214 | chdir 80 49 | chmod 90 - | clock_getres 229 114 |
clock_gettime 228 113 | clock_nanosleep 230 115 | close 3 57 | close_range 436 436 | copy_file_range 326 285 |
creat 85 - | dup 32 23 | dup2 33 - | dup3 292 24 | epoll_create 213 - | epoll_create1 291 20 | epoll_ctl 233 21 |
epoll_pwait 281 22 | epoll_pwait2 441 441 | epoll_wait 232 - | eventfd 284 - | eventfd2 290 19 | execve 59 221 |
exit 60 93 | exit_group 231 94 | faccessat 269 48 | faccessat2 439 439 | fadvise64 221 223 | fallocate 285 47 |
fchdir 81 50 | fchmod 91 52 | fchmodat 268 53 | fdatasync 75 83 | flock 73 32 | fork 57 - | fstat 5 80 |
fstatfs 138 44 | fsync 74 82 | ftruncate 77 46 | futex 202 98 | get_robust_list 274 100 | getcpu 309 168 |
getcwd 79 17 | getdents 78 - | getdents64 217 61 | getegid 108 177 | geteuid 107 175 | getgid 104 176 |
getgroups 115 158 | getitimer 36 102 | getpeername 52 205 | getpgid 121 155 | getpgrp 111 - | getpid 39 172 |
getppid 110 173 | getpriority 140 141 | getrandom 318 278 | getresgid 120 150 | getresuid 118 148 |
getrlimit 97 163 | getrusage 98 165 | getsid 124 156 | getsockname 51 204 | getsockopt 55 209 | gettid 186 178 |
gettimeofday 96 169 | getuid 102 174 | kill 62 129 | link 86 - | linkat 265 37 | lseek 8 62 | lstat 6 - |
madvise 28 233 | membarrier 324 283 | mincore 27 232 | mkdir 83 - | mkdirat 258 34 | mmap 9 222 | mprotect 10 226 |
mremap 25 216 | msync 26 227 | munmap 11 215 | nanosleep 35 101 | newfstatat 262 79 | open 2 - | openat 257 56 |
pause 34 - | pipe 22 - | pipe2 293 59 | poll 7 - | ppoll 271 73 | pread64 17 67 | preadv 295 69 | preadv2 327 286 |
prlimit64 302 261 | pselect6 270 72 | pwrite64 18 68 | pwritev 296 70 | pwritev2 328 287 | read 0 63 |
readlink 89 - | readlinkat 267 78 | readv 19 65 | recvfrom 45 207 | recvmsg 47 212 | rename 82 - | renameat 264 38 |
renameat2 316 276 | restart_syscall 219 128 | rmdir 84 - | rseq 334 293 | rt_sigaction 13 134 |
rt_sigpending 127 136 | rt_sigprocmask 14 135 | rt_sigreturn 15 139 | rt_sigsuspend 130 133 |
rt_sigtimedwait 128 137 | sched_get_priority_max 146 125 | sched_get_priority_min 147 126 |
sched_getaffinity 204 123 | sched_getparam 143 121 | sched_getscheduler 145 120 | sched_setaffinity 203 122 |
sched_yield 24 124 | select 23 - | sendfile 40 71 | sendmsg 46 211 | sendto 44 206 | set_robust_list 273 99 |
set_tid_address 218 96 | setitimer 38 103 | setpgid 109 154 | setrlimit 160 164 | setsid 112 157 |
setsockopt 54 208 | shutdown 48 210 | sigaltstack 131 132 | stat 4 - | statfs 137 43 | statx 332 291 |
symlink 88 - | symlinkat 266 36 | sysinfo 99 179 | tgkill 234 131 | time 201 - | times 100 153 | tkill 200 130 |
truncate 76 45 | umask 95 166 | uname 63 160 | unlink 87 - | unlinkat 263 35 | utimensat 280 88 | vfork 58 - |
wait4 61 260 | waitid 247 95 | write 1 64 | writev 20 66
"""
"""name, number on x86_64, number on aarch64; `-`: there is none."""
NOT_PERMITTED, NO_SUCH_CALL = 1, 38
FIRST_OF_NEWER = 424
"""From here on (5.1) calls have one number everywhere. Libraries know that a kernel may lack these and fall back."""
UNIX, STREAM, TYPE_BITS = 1, 1, 0xF
NAMESPACES = 0x7E02_0000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET."""
FCNTL = (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1032)
"""Duplicate, flags, locks, a pipe's size: read, not set, for pages of pipes count for no process."""
IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS and TIOCGWINSZ (is it a terminal?), FIONREAD, FIONBIO, FIONCLEX, FIOCLEX."""
PRCTL = (1, 3, 15, 16, 39, 0x53564D41)
"""Die with the parent; read dumpable, name, no_new_privs; set a name, a mapping's too."""


@dataclass(frozen=True)
class Rule:
    """An argument that must be one of these values, once all bits outside the mask are left out. The low 32 bits."""

    argument: int
    values: tuple[int, ...]
    mask: int = 0xFFFF_FFFF


GUARDED: dict[str, tuple[tuple[int, int], tuple[Rule, ...]]] = {
    "clone": ((56, 220), (Rule(0, (0,), NAMESPACES),)),
    "fcntl": ((72, 25), (Rule(1, FCNTL),)),
    "ioctl": ((16, 29), (Rule(1, IOCTL),)),
    "prctl": ((157, 167), (Rule(0, PRCTL),)),
    "socketpair": ((53, 199), (Rule(0, (UNIX,)), Rule(1, (STREAM,), TYPE_BITS))),
}
"""Calls that depend on what they are asked for. No family of sockets is open; two joined ends of a stream, which reach
nobody else, are what event loops wake themselves with."""
LOAD, AND, JUMP_EQUAL, JUMP_AT_LEAST, RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
ALLOW, REFUSE, KILL = 0x7FFF_0000, 0x0005_0000, 0x8000_0000
NUMBER_AT, ARCHITECTURE_AT, ARGUMENTS_AT = 0, 4, 16
Step = tuple[int, int, int, int]
"""An instruction: code, steps to skip when true, when false, a value."""


def allowed(machine: str) -> dict[str, int]:
    """Name -> number of each call that is allowed whatever its arguments. Raises: NotReady: an unknown machine."""
    if machine not in ARCHITECTURES:
        raise NotReady(f"sandbox does not work on {machine}, expected one of 'x86_64', 'aarch64'")
    column = ARCHITECTURES[machine][1] + 1
    rows = [row.split() for row in TABLE.replace("\n", "|").split("|") if row.strip()]
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}


def steps(machine: str) -> list[Step]:
    """The filter: another architecture kills, a listed call passes, a guarded one is read, all else is refused."""
    numbers = allowed(machine)
    word, column = ARCHITECTURES[machine]
    found: list[Step] = [
        (LOAD, 0, 0, ARCHITECTURE_AT),
        (JUMP_EQUAL, 1, 0, word),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER_AT),
    ]
    for number in sorted(numbers.values()):
        found += [(JUMP_EQUAL, 0, 1, number), (RETURN, 0, 0, ALLOW)]
    for places, rules in GUARDED.values():
        block = [step for rule in rules for step in _check(rule)] + [(RETURN, 0, 0, ALLOW)]
        found += [(JUMP_EQUAL, 0, len(block), places[column]), *block]
    return [
        *found,
        (JUMP_AT_LEAST, 0, 1, FIRST_OF_NEWER),
        (RETURN, 0, 0, REFUSE | NO_SUCH_CALL),
        (RETURN, 0, 0, REFUSE | NOT_PERMITTED),
    ]


def _check(rule: Rule) -> list[Step]:
    """Goes on after its last step when the argument is as it must be; refuses otherwise."""
    n_values = len(rule.values)
    return [
        (LOAD, 0, 0, ARGUMENTS_AT + 8 * rule.argument),
        (AND, 0, 0, rule.mask),
        *((JUMP_EQUAL, n_values - place, 0, value) for place, value in enumerate(rule.values)),
        (RETURN, 0, 0, REFUSE | NOT_PERMITTED),
    ]


def program(machine: str) -> bytes:
    """The filter as the kernel reads it: an array of `struct sock_filter`."""
    return b"".join(struct.pack("=HBBI", *step) for step in steps(machine))
