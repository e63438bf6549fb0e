"""What an artifact needs installed where it is served, and the versions that answered its golden rows here."""

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import windlass
from windlass.errors import NotReady, SpecError
from windlass.predictors.artifact import read_manifest
from windlass.predictors.engine import FAST

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")
NAMED_EXTRAS = re.compile(r"[A-Za-z0-9._-]+\s*\[([^\]]*)\]")
TORCH_INDEX = "https://download.pytorch.org/whl/cpu"


def extras(model: Path) -> tuple[str, ...]:
    """The extras of Windlass that this artifact needs to answer: none, unless it is a language model.

    A language model with a CTranslate2 copy is served by CTranslate2, another one by torch.
    """
    if read_manifest(model).predictor != "language":
        return ()
    return ("writing",) if (model / FAST).is_dir() else ("train",)


def provided(wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Those of these extras that the Windlass that is installed here has."""
    known = distribution("windlass").metadata.get_all("Provides-Extra") or []
    return tuple(extra for extra in wanted if extra in known)


def requirements(chosen: tuple[str, ...]) -> str:
    """requirements.txt: Windlass in exactly this version, everything else as the constraints say."""
    wanted = f"windlass[{','.join(chosen)}]" if chosen else "windlass"
    index = [f"--extra-index-url {TORCH_INDEX}"] if "train" in chosen else []
    return "\n".join(["-c constraints.txt", *index, f"{wanted}=={windlass.__version__}", ""])


def constraints(chosen: tuple[str, ...]) -> str:
    """constraints.txt: each package that Windlass and these extras bring, in the version that is installed here.

    Raises: NotReady: an extra that the artifact needs is not installed here, so nothing here could have proven it.
    """
    found: dict[str, str] = {}
    waiting = [("windlass", frozenset(chosen))]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, named = waiting.pop()
        if (name, named) in seen:
            continue
        seen.add((name, named))
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue  # for another platform or Python
        found[_canonical(name)] = package.version.partition("+")[0]
        waiting += [each for text in package.requires or () if (each := _wanted(text, named))]
    own = found.pop("windlass", None)
    if own is None:
        raise NotReady("windlass is not installed, expected its metadata", "`pip install windlass`")
    return "".join(f"{name}=={version}\n" for name, version in sorted(found.items()))


def _wanted(text: str, named: frozenset[str]) -> tuple[str, frozenset[str]] | None:
    """The package that a requirement names, with its extras; none where it belongs to an extra that nobody asked for.

    Other conditions (platform, Python) are not judged: a constraint that is not needed does nothing.
    """
    wanted, _, condition = text.partition(";")
    extra = EXTRA.search(condition)
    if extra and extra[1] not in named:
        return None
    name = NAME.match(wanted.strip())
    inner = NAMED_EXTRAS.match(wanted.strip())
    chosen = frozenset(part.strip() for part in inner[1].split(",")) if inner else frozenset()
    return (_canonical(name[0]), chosen) if name else None


def _canonical(name: str) -> str:
    """The name as packaging compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def check_wheel(path: Path) -> Path:
    """A wheel of Windlass in this version. Raises: SpecError, NotReady."""
    wanted = f"windlass-{windlass.__version__}-py3-none-any.whl"
    if path.name != wanted:
        raise SpecError(f"wheel is '{path.name}', expected '{wanted}'", "`pip wheel --no-deps windlass` makes it")
    if not path.is_file():
        raise NotReady(f"{path} does not exist, expected a wheel", "`pip wheel --no-deps windlass` makes it")
    return path
