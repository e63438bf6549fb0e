"""The inside of the sandbox: leaves network, files and other processes behind, then becomes the program.

`sandbox` runs it as a script with the standard library alone; nothing imports it. Three processes follow each other:
this one waits outside, the second is process 1 of the new process namespace (its end ends all in there), the third
gives up every right and every system call that is not on the list, and becomes the program.
Source: user_namespaces(7), pid_namespaces(7), pivot_root(2), mount_setattr(2), seccomp(2), keyctl(2).
"""

import ctypes
import errno
import json
import os
import resource
import signal
import sys
from contextlib import suppress
from typing import Any, NoReturn

NEW_NAMESPACES = 0x00020000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
"""Mounts, shared memory, users, processes, network."""
RECURSIVE, PRIVATE, BIND = 0x4000, 0x40000, 0x1000
NO_SUID, NO_DEVICES, DETACH = 2, 4, 2
AT_CWD, AT_RECURSIVE, READ_ONLY = -100, 0x8000, 1
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
MOUNT_SETATTR = 442
KEYCTL, JOIN_NEW_KEYRING = {"x86_64": 250, "aarch64": 219}, 1
DIE_WITH_PARENT, NO_NEW_RIGHTS, SET_SECCOMP, WITH_FILTER = 1, 38, 22, 2
NONE_OF = ("user/max_user_namespaces", "kernel/shmall", "kernel/shmmax", "kernel/shmmni", "kernel/msgmni")
CLOSED = {**dict.fromkeys(NONE_OF, "0"), "kernel/sem": "0 0 0 0"}
"""No namespaces inside these, and nothing of System V: one wall more, beside the filter that refuses the calls."""
NOBODY = 65_534
REFUSED = 71
HOME = "/program"
OLD = "/old"
SHOWN = ("/usr", "/lib", "/lib64", "/bin", "/nix/store", "/etc/ld.so.cache", "/dev/null")
"""What the program sees of the machine, read-only, beside Python itself."""
LIBC = ctypes.CDLL(None, use_errno=True)
PYTHON, PREFIX = os.path.realpath(sys.executable), os.path.realpath(sys.base_prefix)
"""Where they truly are: a virtual environment and its links are not there any more in the new root."""


class MountAttributes(ctypes.Structure):
    """struct mount_attr of mount_setattr(2)."""

    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "users")]


class Filter(ctypes.Structure):
    """struct sock_fprog: how many instructions, and where they are."""

    _fields_ = (("count", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def check(result: int, what: str) -> None:
    """Raises: OSError when the call failed."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    words = [word.encode() for word in (source, target, kind)]
    check(LIBC.mount(*words, ctypes.c_ulong(flags), options.encode()), f"mount {target}")


def system_call(what: str, number: int, *values: Any) -> None:
    check(LIBC.syscall(ctypes.c_long(number), *values), what)


def leave(uid: int, gid: int) -> None:
    """Enters new namespaces; a helper that stays outside says which users there are in them."""
    ready, go = os.pipe()
    inside = os.getpid()
    helper = os.fork()
    if not helper:
        os.close(go)
        os._exit(0 if os.read(ready, 1) and write_users(inside, uid, gid) else 1)
    os.close(ready)
    check(LIBC.unshare(NEW_NAMESPACES), "unshare")
    os.write(go, b"1")
    os.close(go)
    if os.waitpid(helper, 0)[1]:
        raise OSError(errno.EPERM, "user namespace: its users cannot be set")


def write_users(process: int, uid: int, gid: int) -> bool:
    """Maps this one user onto itself, and root too when it is root that asks; true when that worked."""
    is_root = os.getuid() == 0
    maps = {"uid_map": uid, "gid_map": gid}
    try:
        if not is_root:
            write(f"/proc/{process}/setgroups", "deny")
        for name, id in maps.items():
            write(f"/proc/{process}/{name}", f"0 0 1\n{id} {id} 1\n" if is_root else f"{id} {id} 1\n")
    except OSError:
        return False
    return True


def write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)


def build_root(order: dict[str, Any], uid: int, gid: int) -> None:
    """Replaces all files by a small folder in memory, Python and the system's libraries."""
    shown = SHOWN if PREFIX.startswith("/usr") else (*SHOWN, PREFIX)
    mount("none", "/", "", RECURSIVE | PRIVATE)
    size = f"size={order['disk_bytes']},nr_inodes=4096,mode=0755,uid={uid},gid={gid}"
    mount("tmpfs", "/tmp", "tmpfs", NO_SUID | NO_DEVICES, size)
    os.mkdir(f"/tmp{OLD}")
    number = PIVOT_ROOT.get(os.uname().machine)
    if number is None:
        raise OSError(errno.ENOSYS, f"pivot_root: not known on {os.uname().machine}")
    system_call("pivot_root", number, b"/tmp", f"/tmp{OLD}".encode())
    os.chdir("/")
    for place in shown:
        show(place)
    for name, value in CLOSED.items():
        with suppress(OSError):  # where it can be had: old kernels let nobody write these in here
            write(f"{OLD}/proc/sys/{name}", value)
    check(LIBC.umount2(OLD.encode(), DETACH), "umount")
    os.rmdir(OLD)
    os.mkdir(HOME)
    os.chown(HOME, uid, gid)
    os.chdir(HOME)


def show(place: str) -> None:
    """Puts a folder, file or link of the old root at its place in the new one, read-only."""
    source = OLD + place
    if not os.path.lexists(source):
        return
    os.makedirs(os.path.dirname(place), exist_ok=True)
    if os.path.islink(source):
        os.symlink(os.readlink(source), place)
        return
    if os.path.isdir(source):
        os.makedirs(place, exist_ok=True)
    else:
        write(place, "")
    mount(source, place, "", BIND | RECURSIVE)
    attributes = MountAttributes(set=READ_ONLY)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    system_call("mount_setattr", MOUNT_SETATTR, AT_CWD, place.encode(), AT_RECURSIVE, ctypes.byref(attributes), size)


def wait_for(child: int) -> NoReturn:
    """Ends as the child ends; 128 + its signal when one killed it."""
    while True:
        found, status = os.wait()
        if found == child:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def confine(order: dict[str, Any]) -> None:
    """Returns in the process that is to become the program, shut in. Raises: OSError: not possible here."""
    is_root = os.getuid() == 0
    uid, gid = (NOBODY, NOBODY) if is_root else (os.getuid(), os.getgid())
    leave(uid, gid)
    first = os.fork()
    if first:
        os.close(order["status"])
        wait_for(first)
    LIBC.prctl(DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    build_root(order, uid, gid)
    program = os.fork()
    if program:
        os.close(order["status"])
        wait_for(program)
    if is_root:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)


def leave_keyring() -> None:
    """An empty session keyring of its own. A kernel or container that refuses it hands out no keys at all, and the
    filter keeps the program from asking."""
    number = KEYCTL.get(os.uname().machine)
    if number is not None:
        LIBC.syscall(ctypes.c_long(number), ctypes.c_long(JOIN_NEW_KEYRING), ctypes.c_void_p(None))


def allow_only(filter: bytes) -> None:
    """From here on no system call but those that the filter lets pass, in whatever this process becomes or starts."""
    order = Filter(len(filter) // 8, filter)
    what = (ctypes.c_ulong(WITH_FILTER), ctypes.byref(order), ctypes.c_ulong(0), ctypes.c_ulong(0))
    check(LIBC.prctl(SET_SECCOMP, *what), "seccomp")


def limit(limits: dict[str, int]) -> None:
    for name, value in limits.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (bound, bound))


def become(order: dict[str, Any]) -> NoReturn:
    """The environment is ours alone, so Python may read it: a fixed hash seed gives the same verdict again."""
    for name, text in order["files"].items():
        write(name, text)
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    check(LIBC.prctl(NO_NEW_RIGHTS, 1, 0, 0, 0), "no_new_privs")
    limit(order["limits"])
    if order["confined"]:
        allow_only(bytes.fromhex(order["filter"]))
    environment = {"PATH": "/usr/bin:/bin", "HOME": os.getcwd(), "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}
    os.execve(PYTHON, [PYTHON, "-P", "-s", "-S", "-B", order["start"], *order["arguments"]], environment)


def main() -> None:
    """Reads the order from stdin; what it cannot do goes to the pipe `status`, which closes when the program starts."""
    order = json.load(sys.stdin.buffer)
    status = order["status"]
    os.set_inheritable(status, False)
    os.umask(0o022)
    LIBC.prctl(DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    try:
        if os.getppid() != order["parent"]:
            raise OSError(errno.ESRCH, "who asked is gone")
        if order["confined"]:
            leave_keyring()
            confine(order)
        become(order)
    except OSError as error:
        why = error.strerror or str(error)
        os.write(status, (f"{error.filename}: {why}" if error.filename else why).encode("utf-8", "replace"))
        os._exit(REFUSED)


if __name__ == "__main__":
    main()
