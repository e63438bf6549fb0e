"""What everybody installs can be sold with: no AGPL and no GPL among it, by what its packages say of themselves."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

PROJECT = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
SHORT = 120
"""Characters of a licence's name; more is its text."""
GPL = re.compile(r"(?<![Ll])(?:A|Affero )?GPL|GNU (?:Affero )?General Public License", re.IGNORECASE)
EXCEPTED = "GPL-3.0-or-later WITH GCC-exception-3.1", "GPL-3.0-with-GCC-exception"
"""Of gcc's own library, beside whatever it compiles: the exception says that it binds nothing."""


def installed(requirements):
    """Names of what a plain installation brings, and of what that needs."""
    found, waiting = set(), list(requirements)
    while waiting:
        each = Requirement(waiting.pop())
        name = each.name.lower().replace("_", "-")
        if name not in found and (each.marker is None or each.marker.evaluate({"extra": ""})):
            found.add(name)
            waiting += metadata.requires(name) or []
    return found


def licence(name):
    said = metadata.metadata(name)
    named = [said.get("License-Expression") or "", *(said.get_all("Classifier") or ())]
    short = said.get("License") or ""
    words = "; ".join([*(each for each in named if "License" in each or each is named[0]), short[:SHORT]])
    for allowed in EXCEPTED:
        words = words.replace(allowed, "")
    return words.strip("; ")


def test_nothing_of_the_default_installation_is_gpl():
    found = {name: licence(name) for name in installed(PROJECT["project"]["dependencies"])}
    assert len(found) >= 20
    assert {name: words for name, words in found.items() if GPL.search(words)} == {}
    assert [name for name, words in found.items() if not words] == []


@pytest.mark.parametrize(
    ("words", "is_gpl"),
    [
        ("AGPL-3.0-or-later", True),
        ("GPL-2.0-only", True),
        ("License :: OSI Approved :: GNU General Public License v3 (GPLv3)", True),
        ("GNU Affero General Public License v3", True),
        ("LGPL-3.0-or-later", False),
        ("GNU Lesser General Public License", False),
        ("BSD-3-Clause", False),
    ],
)
def test_a_gpl_is_seen_and_a_lesser_one_is_none(words, is_gpl):
    """The control."""
    assert bool(GPL.search(words)) == is_gpl
