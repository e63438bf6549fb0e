"""A wheel of Windlass as it is installed here, so that what is shipped asks no index for it.

Source: the binary distribution format, https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

import base64
import hashlib
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from windlass.errors import NotReady

FILES = ("METADATA", "entry_points.txt")
WHEEL_TEXT = "Wheel-Version: 1.0\nGenerator: windlass\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
INSTALL = "`pip install .` in a clone of Windlass, or `--wheel FILE`"
THEN = (1980, 1, 1, 0, 0, 0)
"""The date of every member, so that the same code is the same wheel."""


def write(path: Path) -> None:
    """Raises: NotReady: Windlass is not installed here in the version that the path names."""
    version = path.name.split("-")[1]
    members, info = dict(_members()), f"windlass-{version}.dist-info"
    members |= {f"{info}/{name}": content for name, content in _metadata(version).items()}
    lines = [f"{name},sha256={_digest(content)},{len(content)}\n" for name, content in members.items()]
    members[f"{info}/RECORD"] = "".join([*lines, f"{info}/RECORD,,\n"]).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in members.items():
            member = zipfile.ZipInfo(name, THEN)
            member.external_attr, member.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            wheel.writestr(member, content)


def _members() -> Iterator[tuple[str, bytes]]:
    """Each file of the package, in one order."""
    package = Path(__file__).parent.parent
    for file in sorted(package.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            yield f"windlass/{file.relative_to(package).as_posix()}", file.read_bytes()


def _metadata(version: str) -> dict[str, bytes]:
    try:
        found = distribution("windlass")
    except PackageNotFoundError:
        raise NotReady("windlass is not installed here, expected it", INSTALL) from None
    if found.version != version:
        raise NotReady(f"windlass {found.version} is installed here, expected {version}", INSTALL)
    texts = {name: found.read_text(name) or "" for name in FILES}
    return {name: text.encode() for name, text in {**texts, "WHEEL": WHEEL_TEXT}.items()}


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
