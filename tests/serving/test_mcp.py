"""The official client of the Model Context Protocol asks a product through `windlass mcp`."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from windlass.database.keys import KeyRequest, create
from windlass.database.request_log import feedback_rows
from windlass.errors import NotReady
from windlass.serving.http.keyring import KeyRing
from windlass.serving.http.server_state import ServerState
from windlass.store.store import Store

mcp = pytest.importorskip("mcp", reason="the official client comes with the extra `mcp`")


def asked(url: str, talk: Callable[[Any], Awaitable[None]], key: str = "") -> None:
    """Has somebody talk to `windlass mcp` over its standard input and output."""
    from mcp.client.stdio import get_default_environment, stdio_client

    environment = {**get_default_environment(), **({"WINDLASS_API_KEY": key} if key else {})}
    environment |= {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    command = mcp.StdioServerParameters(
        command=sys.executable, args=["-m", "windlass", "mcp", "--url", url], env=environment
    )

    async def run() -> None:
        async with stdio_client(command) as (read, write), mcp.ClientSession(read, write) as session:
            await session.initialize()
            await talk(session)

    asyncio.run(asyncio.wait_for(run(), 300))


def test_an_assistant_asks_corrects_and_looks(client: Any) -> None:
    async def talk(session: Any) -> None:
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}
        assert set(tools) == {"ask", "explain", "feedback", "status", "plan"}
        assert "'message' (text)" in tools["ask"].description
        answer = (await session.call_tool("ask", {"row": {"message": "my card is lost"}})).structuredContent
        assert (answer["value"], answer["release"]) == ("card", "toy-1")
        why = (await session.call_tool("explain", {"row": {"message": "my card is lost"}})).structuredContent
        assert why["label"] == "card"
        told = (await session.call_tool("feedback", {"id": answer["id"], "correct": "refund"})).structuredContent
        assert told["right"] is False
        assert (await session.call_tool("status", {})).structuredContent["status"] == "ready"
        assert (await session.call_tool("plan", {})).structuredContent == {}
        wrong = await session.call_tool("ask", {"row": {"mesage": "x"}})
        assert wrong.isError
        assert "did you mean 'message'?" in wrong.content[0].text

    asked(f"http://127.0.0.1:{client.port}", talk)
    assert [row["correct"] for row in feedback_rows(client.log.path)][-1] == "refund", (
        "it stands in the log of everybody"
    )


def test_an_assistant_has_the_rights_of_its_key(
    text_store: Store, tmp_path: Path, server_for: Callable[..., Any]
) -> None:
    place = tmp_path / "keys.sqlite"
    key = create(place, KeyRequest("assistant"))[1]

    async def talk(session: Any) -> None:
        answer = (await session.call_tool("ask", {"row": {"message": "my card is lost"}})).structuredContent
        refused = await session.call_tool("feedback", {"id": answer["id"], "right": True})
        assert refused.isError
        assert "scope" in refused.content[0].text

    with KeyRing(place) as ring, server_for(text_store, tmp_path, state=ServerState(ring)) as server:
        asked(f"http://127.0.0.1:{server.port}", talk, key)


def test_without_a_service_it_says_so(tmp_path: Path) -> None:
    from windlass.commands.mcp_server import run

    with pytest.raises(NotReady, match=r"has no windlass\.yaml"):
        run(tmp_path, "")
