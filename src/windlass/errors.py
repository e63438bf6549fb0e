"""Every error that a user can meet, with its exit code and the words that help."""

import difflib
import re
import shlex
from collections.abc import Collection, Iterable
from importlib.metadata import PackageNotFoundError, distribution


class WindlassError(Exception):
    """A fault that a person can mend; `str(error)` is the message, with its hint on a second line."""

    exit_code = 1
    kind = "error"

    def __init__(self, message: str, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        super().__init__(f"{message}\nhint: {hint}" if hint else message)


class GateRefused(WindlassError):
    """A release or promotion that the evidence does not allow."""

    exit_code = 1
    kind = "gate_refused"


class SpecError(WindlassError):
    """`windlass.yaml`, a command or an argument that does not say what can be done."""

    exit_code = 2
    kind = "spec_error"


class DataError(WindlassError):
    """Rows, values or files that cannot be used."""

    exit_code = 3
    kind = "data_error"


class NotReady(WindlassError):
    """Something that must exist first: an earlier stage, a release, an optional part."""

    exit_code = 4
    kind = "not_ready"


class Refused(WindlassError):
    """What somebody asks and cannot have, with the word that programs can test. retry_after_s: when it may be asked
    again; 0 when that would not help."""

    def __init__(self, kind: str, message: str, hint: str = "", retry_after_s: int = 0) -> None:
        super().__init__(message, hint)
        self.kind = kind
        self.retry_after_s = retry_after_s


def expected(options: Iterable[object]) -> str:
    """The allowed values as words: all of them up to ten, else the first ones and how many there are."""
    names = [f"'{option}'" for option in options]
    if not names:
        return "nothing"
    if len(names) == 1:
        return names[0]
    if len(names) <= 10:
        return f"one of {', '.join(names)}"
    return f"one of {', '.join(names[:8])} ... ({len(names)} in all)"


def did_you_mean(name: str, options: Iterable[str]) -> str:
    """A hint with the nearest match, or nothing when no option is near."""
    near = _near(name, options)
    return f"did you mean '{near}'?" if near else ""


def _near(name: str, options: Iterable[str]) -> str:
    """The nearest match; '' where none is near. Two letters that changed places are the likeliest slip of all."""
    known = list(options)
    swaps = {name[:at] + name[at + 1] + name[at] + name[at + 2 :] for at in range(len(name) - 1)}
    near = [each for each in known if each in swaps] or difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return near[0] if near else ""


MOST_NAMED, LONGEST_NAME = 8, 80


def listed(names: Collection[object]) -> str:
    """Names quoted, a few of many, each cut where it is long."""
    shown = ", ".join(f"'{str(name)[:LONGEST_NAME]}'" for name in list(names)[:MOST_NAMED])
    return shown + (f" ... ({len(names)} in all)" if len(names) > MOST_NAMED else "")


def wrong_names(given: Collection[str], wanted: Collection[str], is_exact: bool = False) -> tuple[str, str]:
    """What is wrong with the names that a row has, all of it, and a hint with the nearest matches; ('', '') = nothing.

    is_exact: names beside the wanted ones are wrong even where none is missing.
    """
    missing = [name for name in wanted if name not in given]
    unknown = [name for name in given if name not in wanted]
    if not missing and not (unknown and is_exact):
        return "", ""
    parts = [f"no {listed(missing)}"] if missing else []
    parts += [f"the unknown field{'s' * (len(unknown) > 1)} {listed(unknown)}"] if unknown else []
    return f"has {' and '.join(parts)}, expected {listed(wanted)}", nearest(unknown, missing or wanted)


def nearest(unknown: Collection[str], wanted: Collection[str]) -> str:
    """A hint with the nearest match of each unknown name that has one; '' where none has."""
    if len(unknown) == 1:
        return did_you_mean(next(iter(unknown))[:LONGEST_NAME], wanted)
    pairs = []
    for name in list(unknown)[:MOST_NAMED]:
        near = _near(name[:LONGEST_NAME], wanted)
        pairs += [f"'{near}' by '{name[:LONGEST_NAME]}'"] if near else []
    return f"did you mean {', '.join(pairs)}?" if pairs else ""


_EXTRA, _NAME = re.compile(r"extra\s*==\s*['\"]([\w.-]+)['\"]"), re.compile(r"[\w.-]+")


def pip_install(extra: str) -> str:
    """The command that installs what an extra asks for and this machine lacks (all of it where nothing is lacking);
    '' = what Windlass always needs. It names the packages themselves: `windlass` on PyPI is another project."""
    wanted = _asked_by(extra)
    chosen = [each for each in wanted if not _is_installed(_NAME.match(each)[0])] or wanted  # type: ignore[index]
    if not chosen:
        return f"pip install '.[{extra}]' in a clone of Windlass" if extra else "pip install . in a clone of Windlass"
    return f"pip install {' '.join(map(shlex.quote, chosen))}"


def _asked_by(extra: str) -> list[str]:
    """Packages with their bounds, as the metadata of Windlass has them; none where it was not installed."""
    try:
        lines = distribution("windlass").requires or []
    except PackageNotFoundError:
        return []
    parts = [(wanted.strip(), _EXTRA.search(condition)) for wanted, _, condition in (x.partition(";") for x in lines)]
    return [wanted for wanted, found in parts if (found[1] if found else "") == extra]


def _is_installed(package: str) -> bool:
    try:
        distribution(package)
    except PackageNotFoundError:
        return False
    return True
