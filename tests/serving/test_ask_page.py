"""The page of a release as it is sent: its fields, its leaderboard, its card, and nothing from elsewhere."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from windlass.metrics.measures import Estimate
from windlass.records import Board, Candidate, Column
from windlass.registry.model_cards import ModelCards, model_cards
from windlass.serving.ui import page
from windlass.serving.ui.ask_board import board_html, card_html, cards_html
from windlass.serving.ui.ask_fields import field
from windlass.serving.ui.ask_page import SCRIPTS
from windlass.store.store import Store

ESTIMATE = Estimate(0.91, 0.88, 0.94)
CANDIDATE = Candidate("<b>linear</b>", "linear", {"macro_f1": ESTIMATE}, 0.9, 0.02, 0.4, 0.9, 2e3, 0.1, 3.0, True, [])
BOARD = Board("desk", "macro_f1", "macro_f1 >= 0.90", {}, CANDIDATE.name, "cheapest", [CANDIDATE], [], 300, "a machine")


@pytest.fixture(scope="module")
def mixed(
    tmp_path_factory: pytest.TempPathFactory, release_maker: Callable[..., Any], server_for: Callable[..., Any]
) -> Iterator[Any]:
    store = Store(tmp_path_factory.mktemp("mixed"))
    golden = [{"amount": 1.5, "channel": "web"}, {"amount": None, "channel": "shop"}]
    release_maker(store, {"amount": "number", "channel": "category"}, golden)
    with server_for(store, store.project, model_cards=lambda id: model_cards(store, id)) as client:
        yield client


def number(**state: Any) -> str:
    return field(Column("amount", "number", state), 0)


def test_a_number_is_asked_for_with_its_usual_range_and_a_step_that_fits() -> None:
    """21 quantiles: 5 % and 95 % are the second and the last but one; 19 / 20 is just below 1, so steps of 0.1."""
    assert 'step="1"' in number(quantiles=[float(value) for value in range(21)])
    halves = number(quantiles=[value + 0.5 for value in range(21)])
    assert 'step="0.1"' in halves
    assert 'placeholder="10.5"' in halves
    assert "1.5 – 19.5" in halves
    assert "1,500 – 14,700" in number(quantiles=[0, 1_500, *[5_000] * 17, 14_700, 99_999])
    assert 'step="any"' in number(form="raw")
    assert "usual" not in number(quantiles=[7.0] * 21)


def test_a_category_is_chosen_from_what_training_knew_or_typed_where_there_are_too_many() -> None:
    few = field(Column("channel", "category", {"levels": ["shop", "<web>"]}), 0)
    assert "<option>shop</option><option>&lt;web&gt;</option>" in few
    many = field(Column("town", "category", {"levels": [str(name) for name in range(100)]}), 0)
    assert "<select" not in many
    assert many.count('<option value="') == 100


def test_the_leaderboard_is_shown_as_it_was_measured_and_brings_no_style() -> None:
    shown = board_html(BOARD)
    assert "0.910 [0.880, 0.940]" in shown
    assert "&lt;b&gt;linear&lt;/b&gt;" in shown
    assert "<b>" not in shown
    assert "style=" not in shown


def test_the_card_is_shown_without_markup_pictures_or_addresses_of_its_own() -> None:
    card = "---\nname: x\n---\n# Title\n\n| a | b |\n|---|---:|\n| 1 | 2 |\n\n<script>x</script> ![p](http://e/p.png)"
    shown = card_html(card)
    assert "name: x" not in shown
    assert '<td class="n">2</td>' in shown
    assert not re.search(r"<script|<img|<a |style=", shown)


def test_a_release_that_carries_nothing_says_so(client: Any) -> None:
    text = client.ask("GET", "/").content.decode()
    assert 'data-word="noBoard"' in text
    assert 'data-word="noCard"' in text
    assert client.ask("GET", "/v1/examples").json["rows"] == []


def test_examples_are_golden_rows_that_the_service_answers(mixed: Any) -> None:
    found = mixed.ask("GET", "/v1/examples").json
    assert found["release"] == "toy-1"
    assert found["rows"][0] == {"amount": 1.5, "channel": "web"}
    assert mixed.predict({"rows": found["rows"]}).status == 200


def test_large_examples_are_left_out(tmp_path: Path, release_maker: Callable[..., Any]) -> None:
    store = Store(tmp_path)
    release_maker(store, {"message": "text"}, [{"message": "a " * 49_000}] * 7)
    assert len(model_cards(store, "toy-1").examples) == 5  # 98,000 characters and a little, of 524,288


def test_the_page_is_rendered_anew_for_another_release(own_store: Store, tmp_path: Path, server_for: Any) -> None:
    def found(id: str) -> ModelCards:
        return ModelCards(card=f"# Card\n\nof {id}")

    with server_for(own_store, tmp_path, model_cards=found) as client:
        assert "of toy-1" in client.ask("GET", "/").content.decode()
        replica = client.app.state.service.replica
        replica.release = replace(replica.release, id="toy-2")
        assert "of toy-2" in client.ask("GET", "/").content.decode()


def test_every_string_of_the_page_is_there_in_both_languages_and_is_used(mixed: Any) -> None:
    table = page.asset("words.js")
    english, chinese = table.split("\n  zh: {")
    names = [re.findall(r"[{ ](\w+): \"", part.split("\n};")[0]) for part in (english, chinese)]
    assert sorted(names[0]) == sorted(names[1])
    assert len(names[0]) > 80
    script = page.asset(*[name for name in SCRIPTS if name != "words.js"])
    sent = unescape(mixed.ask("GET", "/").content.decode())
    used = set(re.findall(r'(?:word|button)\(\s*"(\w+)"', script))
    used |= set(re.findall(r'data-(?:word|label)="(\w+)"', sent))
    assert used <= set(names[0])
    elsewhere = {"write", "talk", "text", "image", "chat", "date", "drop", "choose", "remove", "candidate"}
    elsewhere |= {"search", "refusals", "learn", "signIn", "signOut", "userId"}
    assert set(names[0]) - {"noCard", "boardNote"} <= used | elsewhere | set(re.findall(r'"(\w+)"', script))


def test_the_card_is_on_the_page_in_both_languages_or_in_the_one_that_there_is() -> None:
    """Releases of before have it in English alone."""
    assert cards_html("# x", "# 卡") == (
        '<div class="en" lang="en"><h1>x</h1>\n</div><div class="zh" lang="zh"><h1>卡</h1>\n</div>'
    )
    assert cards_html("# x", "") == "<h1>x</h1>\n"


def test_errors_are_known_in_chinese() -> None:
    """Each kind of error that somebody on the page can meet."""
    errors = page.asset("words.js").split("const ERRORS = {")[1]
    met = {"no_key", "low_scope", "quota_used", "too_often", "cross_site", "wrong_host", "too_large", "wrong_type"}
    met |= {"overloaded", "not_ready", "too_slow", "data_error", "bad_json", "internal"}
    met |= {"disk_full", "log_unavailable", "unknown_answer"}
    assert set(re.findall(r"(\w+): \"", errors)) == met
    sources = "".join(path.read_text() for path in Path(page.__file__).parents[1].rglob("*.py"))
    assert all(f'"{kind}"' in sources for kind in met - {"not_ready"}), "a kind that no route gives any more"
