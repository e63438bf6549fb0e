"""What networks were trained to, kept beside the releases made of them for a later warm start.

A release holds a graph in which layers are folded into each other; training that goes on needs the weights as they
were. They are safetensors, one file a network, never served and never shipped. Each names the graph that it became, by
its hash, so that weights of another model are not taken for those of the release.
"""

import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

from safetensors import SafetensorError, safe_open

from windlass.predictors.networks.onnx import FILE as GRAPH
from windlass.records import Json, Release, WarmStart
from windlass.registry import releases
from windlass.store.files import publish
from windlass.store.store import Store

logger = logging.getLogger("windlass.registry")
FILE, HEADER, WORD = "weights.safetensors", "windlass", "weights"


def keep(store: Store, release: Release, trained: Path) -> None:
    """Copies the weights of the release's networks from the run folders in `trained`; older releases lose theirs."""
    graphs = _graphs(release)
    found = [path for path in sorted(trained.glob(f"*/{FILE}")) if _header(path).get("graph") in graphs]
    target = _home(store) / release.id
    if found and not target.is_dir():
        publish(target, lambda aside: _copy(found, aside))
    _remove_old(store, release.id)


def _copy(found: list[Path], aside: Path) -> None:
    for path in found:
        shutil.copyfile(path, aside / f"{path.parent.name}.safetensors")


def _remove_old(store: Store, latest: str) -> None:
    """Those of the champion stay, those of the one to roll back to, and the latest."""
    pointer = store.folder / "release" / releases.CHAMPION
    kept = [releases.champion_id(store), *releases.history(store)[:1]] if pointer.is_file() else []
    for path in _home(store).glob("[!.]*"):
        if path.name not in (*kept, latest):
            shutil.rmtree(path, ignore_errors=True)


def starts(store: Store, id: str, n_new: int) -> Iterator[WarmStart]:
    """What a challenger can begin with: each network of this release whose weights were kept.

    n_new: of the train rows the last ones, which the release has not learned. Raises: NotReady, DataError: no release.
    """
    graphs = _graphs(releases.record(store, id))
    for path in sorted((_home(store) / id).glob("*.safetensors")):
        header = _header(path)
        if header.get("graph") in graphs:
            artifact = releases.folder(store, id) / graphs[header["graph"]]
            yield WarmStart(id, header["learner"], header["variant"], str(artifact), str(path), n_new)


def _graphs(release: Release) -> dict[str, Path]:
    """Hash of each network's graph in the release -> its folder there."""
    return {digest: Path(name).parent for name, digest in release.files.items() if Path(name).name == GRAPH}


def _header(path: Path) -> Json:
    """What the file says of itself; nothing when it is damaged."""
    try:
        with safe_open(path, framework="numpy") as file:
            found = json.loads((file.metadata() or {}).get(HEADER, "{}"))
    except (OSError, SafetensorError, ValueError):
        logger.warning("%s cannot be read: no warm start from it", path, exc_info=True)
        return {}
    return found if isinstance(found, dict) else {}


def _home(store: Store) -> Path:
    return store.folder / WORD
