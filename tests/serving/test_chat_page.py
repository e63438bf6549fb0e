"""The pages of a product that writes: usable without anything from elsewhere, in two languages."""

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from toy_writer import TEXT, Toy

from windlass.serving.ui import chat_page
from windlass.serving.ui.page import asset

PAGES = ("/", "/chat")
SCRIPT = asset(*chat_page.SCRIPTS)


@pytest.fixture(scope="module")
def reader(writer_server: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A product that reads a text."""
    with writer_server(Toy(), tmp_path_factory.mktemp("reader"), TEXT) as client:
        yield client


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_its_own_script_and_style_and_nothing_else(teller: Any, path: str) -> None:
    reply = teller.ask("GET", path)
    policy, text = reply.headers["content-security-policy"], reply.content.decode()
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    for name in ("style", "script"):
        (part,) = re.findall(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"https?://| style=| on[a-z]+=|innerHTML|eval\(", text)


def test_the_page_says_what_the_product_reads(teller: Any, reader: Any) -> None:
    talking, reading = (client.ask("GET", "/chat").content.decode() for client in (teller, reader))
    assert 'data-reads="conversation"' in talking
    assert 'data-word="system"' in talking
    assert 'data-reads="prompt"' in reading
    assert 'data-word="system"' not in reading
    assert 'data-word="alone"' in reading
    assert 'placeholder="64"' in talking


def test_the_plain_page_asks_for_a_text_and_leads_to_the_chat(teller: Any, reader: Any) -> None:
    for client, widget in ((teller, 'data-column="messages" data-kind="chat"'), (reader, "<textarea")):
        text = client.ask("GET", "/").content.decode()
        assert widget in text
        assert 'href="/chat"' in text
        assert "&quot;streams&quot;: true" in text


def test_every_word_is_there_in_both_languages(teller: Any) -> None:
    said = re.search(r"const WORDS = \{(.*?)\n\};", SCRIPT, re.DOTALL)
    assert said is not None
    english, chinese = said[1].split("\n  zh: ")
    keys = [re.findall(r"[{ ]([a-z]+): \"", part) for part in (english, chinese)]
    assert sorted(keys[0]) == sorted(keys[1])
    page = teller.ask("GET", "/chat").content.decode()
    used = {*re.findall(r'data-word="([a-z]+)"', page), *re.findall(r'(?:word|button)\("([a-z]+)"', SCRIPT)}
    assert used <= set(keys[0])
    assert set(keys[0]) == used | {"alone"}


def test_the_page_of_a_product_that_names_labels_has_no_chat(client: Any) -> None:
    assert 'href="/chat"' not in client.ask("GET", "/").content.decode()


def test_only_a_chat_or_a_single_text_can_be_talked_to(writer_server: Callable[..., Any], tmp_path: Path) -> None:
    with writer_server(Toy(), tmp_path, {"passage": "text", "question": "text"}) as client:
        assert client.ask("GET", "/chat").status == 404
        assert 'href="/chat"' not in client.ask("GET", "/").content.decode()
