"""How long each stage ran last, so that `windlass doctor` can say where the time went on this machine."""

from typing import NamedTuple

from windlass.errors import WindlassError
from windlass.store.json_files import read_json, write_json
from windlass.store.store import Store

FILE = "times.json"


class Part(NamedTuple):
    """name: of a stage, or of a candidate within `train`. seconds: by the clock."""

    name: str
    seconds: float
    inside: str = ""


def note(store: Store, word: str, seconds: float) -> None:
    """Keeps how long a stage ran. To be called under the lock of the store."""
    write_json(store.folder / FILE, {**_known(store), word: round(seconds, 3)})


def parts(store: Store) -> list[Part]:
    """The stages that ran, and the candidates that were trained; none where nothing is known or it is damaged."""
    stages = [Part(word, seconds) for word, seconds in _known(store).items()]
    try:
        runs = store.read_record("train")["runs"]
        trained = [Part(str(run["name"]), float(run["seconds"]), "train") for run in runs if run["seconds"]]
    except (WindlassError, KeyError, TypeError, ValueError):
        trained = []
    return [*stages, *trained]


def before(store: Store, word: str) -> float:
    """Seconds of the stages that ran before this one, in the order in which they were first kept."""
    known = _known(store)
    names = list(known)
    return sum(known[name] for name in names[: names.index(word) if word in names else len(names)])


def _known(store: Store) -> dict[str, float]:
    try:
        values = read_json(store.folder / FILE)
    except WindlassError:
        return {}
    is_whole = isinstance(values, dict) and all(isinstance(each, int | float) for each in values.values())
    return dict(values) if is_whole else {}
