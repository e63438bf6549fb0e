"""The demo plays the whole loop, and what it tells is what happened."""

import xml.etree.ElementTree as xml

import pytest

from windlass import Project
from windlass.commands import demo
from windlass.registry import releases

from .brief import briefly_timed


@pytest.mark.slow
def test_a_change_is_noticed_and_learned_from(tmp_path):
    """Three weeks as before, then gift cards: an alarm, corrections, and a champion that knows them."""
    told = []
    wishes = {**demo.WISHES, "learners": ["majority", "linear"]}
    with briefly_timed(n_resamples=100):
        page = demo.demo(tmp_path / "desk", told.append, weeks=5, wishes=wishes)
    project = Project(tmp_path / "desk")
    promoted = [made for made in project.improvements() if made.verdict == "promoted"]
    assert promoted[-1].challenger == project.champion.id
    assert [entry["event"] for entry in releases.told(project.store)] == ["promote"] * (1 + len(promoted))
    assert project.champion.predict([{"message": "how do I pay with my gift card"}])[0].value == "gift_card"
    weeks = [line.lstrip() for line in told if line.lstrip().startswith("week")]
    assert not any("ALARM" in week for week in weeks[:3])
    assert any("ALARM" in week for week in weeks[3:])
    assert any("promoted" in week for week in weeks[3:])
    assert xml.parse(page.with_name("loop.svg")).getroot().tag.endswith("svg")
    assert page.read_text(encoding="utf-8").count("new champion") == len(promoted)
