"""Zip and gzip, unpacked into a folder of the project: measured first, counted while unpacking, never outside."""

import errno
import gzip
import lzma
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO

from windlass.errors import DataError
from windlass.sources.readers.system_files import is_system
from windlass.sources.refusals import UNPACK
from windlass.store.files import publish
from windlass.store.json_files import fingerprint

MAX_BYTES = 2 * 1024**3
MAX_MEMBERS = 10_000
MAX_RATIO = 100
SMALL = 1024**2
"""Bytes up to which no ratio is too large: a few repeated lines pack very well."""
CHUNK = 1024**2
SUFFIXES = (".zip", ".gz")
BROKEN = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, OSError, ValueError,
)  # fmt: skip


NAMES = (errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.EILSEQ)


def unpacked(path: Path, home: Path, most_bytes: int = MAX_BYTES) -> Path:
    """The file, or the folder, that the archive holds; it stays below `home` until the archive changes.

    Raises: DataError: damaged, encrypted, too large, or with members that are links or lie outside.
    """
    seen = path.stat()
    name = fingerprint(str(path.resolve()))[:16]
    target = home / f"{name}-{fingerprint([seen.st_size, seen.st_mtime_ns])[:16]}"
    if not target.is_dir():
        fill = _unzip if path.suffix.lower() == ".zip" else _gunzip
        publish(target, lambda folder: _guarded(fill, path, folder, most_bytes))
        for old in home.glob(f"{name}-*"):
            if old != target:
                shutil.rmtree(old, ignore_errors=True)
    return target if path.suffix.lower() == ".zip" else target / path.stem


def _guarded(fill: Callable[[Path, Path, int], None], path: Path, folder: Path, most_bytes: int) -> None:
    try:
        fill(path, folder, most_bytes)
    except BROKEN as error:
        raise _broken(str(path), error) from None


def _broken(what: str, error: Exception) -> DataError:
    """Why it cannot be unpacked, without the words of a library. Raises: OSError: the disk is at fault."""
    if isinstance(error, OSError) and error.errno in NAMES:
        return DataError(f"{what} has a name that no file here can have, expected shorter ones, each once", UNPACK)
    if isinstance(error, OSError) and error.errno is not None:
        raise error
    if isinstance(error, NotImplementedError):
        return DataError(f"{what} is packed in a way that is not known, expected deflate, bzip2 or LZMA", UNPACK)
    return DataError(f"{what} is damaged, expected a whole archive", "pack it again, or fetch it again")


def check_zip(path: Path, most_bytes: int = MAX_BYTES, name: str = "") -> None:
    """name: how errors call it, where it is not the path. Raises: DataError: damaged, or would become too large."""
    name = name or str(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except BROKEN:
        raise DataError(f"{name} cannot be read, expected a whole {path.suffix} file") from None
    total = sum(member.file_size for member in members)
    if total > most_bytes or len(members) > MAX_MEMBERS:
        raise DataError(
            f"{name} unpacks to {total:,} bytes in {len(members):,} parts, "
            f"expected at most {most_bytes:,} bytes in {MAX_MEMBERS:,}"
        )
    _check_ratio(name, total, sum(member.compress_size for member in members))


def _check_ratio(name: str, size: int, packed: int) -> None:
    if size > max(SMALL, MAX_RATIO * packed):
        raise DataError(
            f"{name} unpacks to more than {MAX_RATIO} times its size, expected no more: such archives fill disks",
            "unpack it yourself when it is yours, and name the file inside",
        )


def _unzip(path: Path, folder: Path, most_bytes: int) -> None:
    check_zip(path, most_bytes)
    with zipfile.ZipFile(path) as archive:
        seen: set[str] = set()
        for member in archive.infolist():
            place = PurePosixPath(member.filename)
            _check_member(path, member, place)
            if member.is_dir() or any(is_system(part) for part in place.parts):
                continue
            if member.filename.casefold() in seen:
                raise DataError(f"{path} holds '{place}' twice, expected each name once")
            seen.add(member.filename.casefold())
            _unzip_member(path, archive, member, folder / place)


def _unzip_member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as packed, target.open("xb") as file:
            _copy(packed, file, member.file_size, path)
    except BROKEN as error:
        raise _broken(f"{path}: '{member.filename[:80]}'", error) from None


def _check_member(path: Path, member: zipfile.ZipInfo, place: PurePosixPath) -> None:
    """Raises: DataError: a member that lies outside, is a link or a device, or is encrypted."""
    kind = stat.S_IFMT(member.external_attr >> 16)
    outside = place.is_absolute() or ".." in place.parts or "\\" in member.filename or ":" in place.parts[:1]
    if outside or not place.parts:
        raise DataError(f"{path} holds '{member.filename[:80]}', expected names inside the archive's own folder")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise DataError(f"{path} holds '{member.filename[:80]}', a link or a device, expected files and folders")
    if member.flag_bits & 1:
        raise DataError(f"{path} is encrypted, expected an archive without a password", "unpack it yourself")


def _gunzip(path: Path, folder: Path, most_bytes: int) -> None:
    with gzip.open(path) as packed, (folder / path.stem).open("xb") as file:
        n_packed, size = path.stat().st_size, 0
        while chunk := packed.read(CHUNK):
            size += len(chunk)
            if size > most_bytes:
                raise DataError(f"{path} unpacks to more than {most_bytes:,} bytes, expected at most that")
            _check_ratio(str(path), size, n_packed)
            file.write(chunk)


def _copy(packed: IO[bytes], file: IO[bytes], size: int, path: Path) -> None:
    while chunk := packed.read(CHUNK):
        size -= len(chunk)
        if size < 0:
            raise DataError(f"{path} holds more than it says, expected a whole archive")
        file.write(chunk)
