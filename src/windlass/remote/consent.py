"""Addresses that a specification or an artifact names are sent nothing before this machine's user said yes to them.

What was allowed stands in the user's own configuration (XDG), never in a project, which a stranger may have written.
Source: https://specifications.freedesktop.org/basedir-spec (XDG_CONFIG_HOME).
"""

import hashlib
import json
import os
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

from windlass.errors import DataError, NotReady, SpecError
from windlass.pages.text.words import plain
from windlass.store.json_files import write_json

ALLOWED = "WINDLASS_ALLOW_URLS"
"""Addresses with spaces between, each as it is named, or `http://127.0.0.1:*` for all of a host; `ADDRESS#NAME` allows
the variable NAME to be sent there, `ADDRESS#*` every one. For machines that nobody sits at."""


def require(url: str, variable: str, what: str) -> None:
    """Asks on a terminal, once for an address and a variable, and remembers a yes.

    Args:   url: all of it, since one host serves many. variable: of the environment, sent along; empty: none. One of
            Windlass's own is asked for like any other: its key for one server is no key for another.
            what: is sent, in words.
    Raises: NotReady: it was not allowed; with the command that allows it.
    """
    if _is_allowed(url, variable):
        return
    with_it = f", together with the environment variable {plain(variable, 100)}" if variable else ""
    told = plain(url, 300) + with_it
    if _may_ask():
        sys.stderr.write(f"This project wants to send {what} to {told}.\nAllow it, now and later? [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() in ("y", "yes"):
            allow(url, variable)
            return
    message = f"{what} would be sent to {told}, which was not allowed on this machine, expected a yes to it"
    option = f" --variable {plain(variable, 100)}" if variable else ""
    raise NotReady(message, f"`windlass allow {plain(url, 300)}{option}`")


def allow(url: str, variable: str = "") -> Path:
    """Remembers that this address may be sent to, with this variable; gives the file. Raises: SpecError: no address."""
    try:
        is_url = bool(urlsplit(url).netloc)
    except ValueError:
        is_url = False
    if not is_url:
        raise SpecError(f"address is {plain(url, 100)}, expected a URL such as https://models.example/v1")
    path = _file()
    found = {"address": _place(url), "sha256": _digest(url), "variable": variable}
    kept = _kept()
    if found not in kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {"allowed": [*kept, found]})
        path.chmod(0o600)
    return path


def _is_allowed(url: str, variable: str) -> bool:
    said = [entry.partition("#") for entry in os.environ.get(ALLOWED, "").split()]
    if any(each in (url, _every_port(url)) and (not variable or name in (variable, "*")) for each, _, name in said):
        return True
    digest = _digest(url)
    return any(each["sha256"] == digest and (not variable or each["variable"] == variable) for each in _kept())


def _kept() -> list[dict[str, str]]:
    """Raises: DataError: the file is damaged."""
    path = _file()
    if not path.is_file():
        return []
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["allowed"]
        return [{name: str(each[name]) for name in ("address", "sha256", "variable")} for each in found]
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{path} is damaged ({str(error)[:100]}), expected what was allowed"
        raise DataError(message, f"remove {path}; you are asked again") from None


def _file() -> Path:
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "windlass" / "allowed.json"


def _digest(url: str) -> str:
    """The path of an address can be its secret, so it is not kept."""
    return hashlib.sha256(url.encode("utf-8", "replace")).hexdigest()


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _every_port(url: str) -> str:
    """Empty where the URL is none: it is refused, then, by who asks it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname or ''}:*"


def _may_ask() -> bool:
    """Somebody sits there, and no server asks from behind."""
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
