"""Every error that a user can meet, with its exit code and the words that help."""

import difflib
from collections.abc import Iterable


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
    near = difflib.get_close_matches(name, list(options), n=1, cutoff=0.5)
    return f"did you mean '{near[0]}'?" if near else ""
