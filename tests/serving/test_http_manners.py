"""What other programs expect of a service: HEAD, pages of allowed origins, packed bodies, a page of the routes."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from windlass.errors import SpecError
from windlass.serving.contract.settings import Settings
from windlass.serving.http.cross_origin import checked
from windlass.store.store import Store

SHOP = "https://shop.example.com"
ROW = b'{"row": {"message": "my card is lost"}}'


def test_head_says_what_get_says_without_the_body(client: Any) -> None:
    head, whole = client.ask("HEAD", "/health"), client.ask("GET", "/health")
    assert (head.status, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))
    assert client.ask("HEAD", "/v1/predict").status == 405


def test_a_page_of_an_allowed_origin_may_ask_and_no_other(
    text_store: Store, tmp_path: Path, server_for: Callable[..., Any]
) -> None:
    with server_for(text_store, tmp_path, Settings(origins=(SHOP,))) as server:
        asks = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
        asked = server.ask("OPTIONS", "/v1/predict", origin=SHOP, **asks)
        assert (asked.status, asked.content) == (200, b"")
        assert asked.headers["access-control-allow-origin"] == SHOP
        assert asked.headers["access-control-allow-methods"] == "POST"
        assert "authorization" in asked.headers["access-control-allow-headers"]
        answered = server.predict(ROW, origin=SHOP, sec_fetch_site="cross-site")
        assert (answered.status, answered.headers["access-control-allow-origin"]) == (200, SHOP)
        assert answered.headers["vary"] == "origin"
        refused = server.predict(b"no json", origin=SHOP)
        assert (refused.status, refused.headers["access-control-allow-origin"]) == (400, SHOP), "the page reads why"
        for origin in ("https://evil.example.com", "null", f"{SHOP}.evil.example.com", "http://shop.example.com"):
            assert server.ask("OPTIONS", "/v1/predict", origin=origin, **asks).status == 405
            reply = server.predict(ROW, origin=origin)
            assert (reply.status, reply.headers.get("access-control-allow-origin")) == (403, None)
        assert "--allow-origin" in reply.error["hint"]


@pytest.mark.parametrize("wrong", ["*", "shop.example.com", "https://shop.example.com/page", "ftp://shop"])
def test_what_is_no_origin_is_refused(wrong: str) -> None:
    assert checked(["HTTPS://Shop.Example.com/"]) == {SHOP}
    with pytest.raises(SpecError, match="expected an origin such as"):
        checked([wrong])


def test_without_an_allow_list_no_page_elsewhere_is_told_anything(client: Any) -> None:
    asked = client.ask("OPTIONS", "/v1/predict", origin=SHOP, access_control_request_method="POST")
    assert (asked.status, asked.headers.get("access-control-allow-origin")) == (405, None)


def test_a_packed_body_is_read_within_the_limit_of_a_plain_one(client: Any) -> None:
    packed = gzip.compress(ROW)
    assert client.predict(packed, content_encoding="gzip").json["answers"][0]["value"] == "card"
    bomb = gzip.compress(b" " * (17 * 1024 * 1024))
    assert len(bomb) < 20_000
    too_large = client.predict(bomb, content_encoding="gzip")
    assert (too_large.status, too_large.error["kind"]) == (413, "too_large")
    for wrong in (ROW, packed[:-4], packed + b"more", packed + packed):
        reply = client.predict(wrong, content_encoding="gzip")
        assert (reply.status, reply.error["kind"]) == (400, "bad_body")
    assert client.predict(packed, content_encoding="br").status == 415
    assert client.predict(ROW).status == 200


def test_hints_lead_on(client: Any) -> None:
    assert client.ask("GET", "/v1/predicts").error["hint"] == "did you mean '/v1/predict'?"
    many = client.predict({"rows": [{"message": "x"}] * 257})
    assert "`POST /v1/jobs`" in many.error["hint"]


def test_each_route_has_its_chinese_twin(client: Any) -> None:
    """In the description for programs and on its page, as `Accept-Language`, an address or a cookie asks for."""
    english, chinese = (
        client.ask("GET", "/openapi.json", accept_language=each).json["paths"] for each in ("en", "zh-CN")
    )
    for path, methods in english.items():
        for method, operation in methods.items():
            told = chinese[path][method]
            assert re.search("[\u4e00-\u9fff]", told["summary"]), operation["summary"]
            assert told["operationId"] == operation["operationId"], "the names that clients are generated from"
    asked = client.ask("GET", "/docs?lang=zh")
    assert "回答一行或多行" in asked.content.decode()
    assert asked.headers["set-cookie"].startswith("windlass-language=zh; Path=/; SameSite=Strict")
    remembered = client.ask("GET", "/docs", cookie="windlass-language=zh").content.decode()
    assert 'href="?lang=en"' in remembered
    assert "回答一行或多行" not in client.ask("GET", "/docs").content.decode()


def test_the_page_of_the_routes_needs_nothing_from_elsewhere(client: Any) -> None:
    shown = client.ask("GET", "/docs")
    text = shown.content.decode()
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert "/v1/predict" in text
    assert "my card is lost" not in text
    assert "权限 predict" in text
    assert not re.search(r"(src|href)=\"https?:", text)
    assert client.ask("GET", "/v1/plan").json == {"roadmap": {}}
