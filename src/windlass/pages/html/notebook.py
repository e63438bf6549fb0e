"""The records that the Python face gives: they show themselves, in Jupyter as HTML and printed as text."""

from windlass import records
from windlass.pages.html.explained import explanation_html, explanation_text
from windlass.pages.html.leaderboard import leaderboard
from windlass.pages.html.roadmap import roadmap_body
from windlass.pages.text.bilingual import STYLE
from windlass.pages.text.roadmap_text import roadmap_text
from windlass.pages.text.terminal import board_text


class Board(records.Board):
    """The leaderboard, to be looked at."""

    def _repr_html_(self) -> str:
        return leaderboard(self)

    def __str__(self) -> str:
        return board_text(self)

    def __repr__(self) -> str:
        if not any(each.name == self.chosen for each in self.candidates):
            return f"Board('{self.product}': {len(self.candidates)} candidates, none chosen)"
        score = self.candidate(self.chosen).metrics.get(self.headline)
        return f"Board('{self.product}': {self.chosen} of {len(self.candidates)} candidates, {self.headline} {score})"


class Explanation(records.Explanation):
    """Why a row was answered so, to be looked at."""

    def _repr_html_(self) -> str:
        return explanation_html(self)

    def __str__(self) -> str:
        return explanation_text(self)


class Roadmap(records.Roadmap):
    """What a plan says, to be looked at."""

    def _repr_html_(self) -> str:
        return f"<style>{STYLE}</style>{roadmap_body(self)}"

    def __str__(self) -> str:
        return roadmap_text(self)
