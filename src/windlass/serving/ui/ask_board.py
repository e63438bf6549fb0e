"""How good it is, on the page: the leaderboard and the model card of the release, styled by the page alone."""

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from windlass.pages.html.leaderboard import interval_picture
from windlass.pages.text.bilingual import both
from windlass.pages.text.candidates import MARK, MET, MISSED, Heading, coverage, headings, misses, not_trained, ties
from windlass.pages.text.card_words import TERMS
from windlass.pages.text.words import count, escaped, goal_words, metric_name, plain
from windlass.records import Board

if TYPE_CHECKING:
    from markdown_it.token import Token


def board_html(board: Board) -> str:
    """The leaderboard as a table and the notes under it."""
    columns = headings(board)
    heads = "".join(_head(heading) for heading in columns)
    rows = "".join(_row(board, columns, place) for place in range(len(board.candidates)))
    found = [plain(board.why)] if board.why else []
    found += [f"{note}." for note in ties(board)]
    found += [f"{name} misses: {reason}" for name, reason in misses(board)]
    found += [f"{name}: {note}." for name, note in coverage(board)]
    found += [f"Not trained: {name} ({reason})" for name, reason in not_trained(board)]
    notes = "".join(f'<li dir="auto">{html.escape(note)}</li>' for note in found)
    machine = f", timed on {escaped(board.machine)}" if board.machine else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" data-label="board"><table class="board"><thead><tr>'
        f'<th scope="col" data-word="candidate"></th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
        f'<p class="note">{MARK} {escaped(metric_name(board.headline))}, 95 % interval, {count(board.n_test)} test '
        f"rows{machine}. Goal: {escaped(goal_words(board.goal, board.units))}.</p>"
        f"{f'<ul class=notes>{notes}</ul>' if notes else ''}"
    )


def _head(heading: Heading) -> str:
    name, unit = (both(words, TERMS.get(words, words)) for words in (heading.name, heading.unit))
    return f'<th scope="col" class="n" title="{escaped(heading.meaning)}">{name}{unit and "<br>"}{unit}</th>'


def _row(board: Board, columns: Sequence[Heading], place: int) -> str:
    candidate = board.candidates[place]
    is_chosen = candidate.name == board.chosen
    cells = "".join(_cell(board, heading, place) for heading in columns)
    name = f'<th scope="row"><bdi>{escaped(candidate.name, 40)}</bdi>{f" {MARK}" if is_chosen else ""}</th>'
    return f"<tr{' class=chosen' if is_chosen else ''}>{name}{cells}</tr>"


def _cell(board: Board, heading: Heading, place: int) -> str:
    words = html.escape(heading.cells[place])
    if heading.key == "goal" and words in (MET, MISSED):
        return f'<td class="n {"met" if words == MET else "missed"}">{words}</td>'
    picture = interval_picture(board, board.candidates[place]) if heading.key == "headline" else ""
    return f'<td class="n">{words}{picture}</td>'


def cards_html(card: str, chinese: str) -> str:
    """The model card in both languages, of which the page shows one; in English alone where there is no other."""
    if not chinese:
        return card_html(card)
    return f'<div class="en" lang="en">{card_html(card)}</div><div class="zh" lang="zh">{card_html(chinese)}</div>'


def card_html(card: str) -> str:
    """The model card, Markdown, as HTML: no markup of its own, no picture, and links as plain text."""
    from markdown_it import MarkdownIt  # here: who has no card to show need not wait for it

    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["link", "image", "autolink"])
    tokens = reader.parse(_without_front_matter(card))
    for token in tokens:
        _plain_style(token)
    return str(reader.renderer.render(tokens, reader.options, {}))


def _without_front_matter(card: str) -> str:
    parts = card.split("\n---\n", 1)
    return parts[1] if card.startswith("---\n") and len(parts) == 2 else card


def _plain_style(token: "Token") -> None:
    """The alignment of a cell as a class: the policy of the page lets no style stand in an element."""
    if token.attrs.pop("style", "") == "text-align:right":
        token.attrs["class"] = "n"
