"""Signing in and out on a page: a key, or its name and password, against a cookie that no script can read."""

from fastapi import FastAPI, Request, Response
from pydantic import Field

from windlass.errors import NotReady
from windlass.serving.contract import codec
from windlass.serving.contract.rows import read_object, wrong
from windlass.serving.contract.schema import json_body, responses
from windlass.serving.http import sessions
from windlass.serving.runtime.caller import received
from windlass.serving.runtime.service import Service
from windlass.strict_yaml import Exact

MOST = 300
JSON = "application/json"


class SignIn(Exact):
    key: str = Field(default="", max_length=MOST, description="an API key; or else:")
    name: str = Field(default="", max_length=MOST, description="the name of a key that has a password")
    password: str = Field(default="", max_length=MOST)


class SessionState(Exact):
    name: str = Field(description="of the key that signed in; empty: nobody did")
    scopes: list[str] = Field(description="what the key opens")
    asks_for_keys: bool = Field(description="false where whoever reaches the service may ask it all")
    passwords: bool = Field(description="true where some key has a password")


def add_routes(app: FastAPI, service: Service) -> None:
    """Adds `/v1/session`."""

    @app.get("/v1/session", summary="Who has signed in on this browser", responses=responses(SessionState))
    async def state(request: Request) -> Response:
        signed_in = request.app.state.server_state.sessions
        seen = await sessions.viewer(signed_in, dict(request.scope["headers"]))
        has_passwords = seen.is_guarded and signed_in is not None and await signed_in.has_passwords()
        return _state(seen, has_passwords)

    @app.post(
        "/v1/session",
        summary="Sign in on a page",
        openapi_extra=json_body(SignIn.model_json_schema()),
        responses=responses(SessionState, 400, 401, 403, 429, 503),
    )
    async def begin(request: Request) -> Response:
        headers = dict(request.scope["headers"])
        sessions.check_own_page(headers)
        said = read_object(received(request), ("key", "name", "password"), "sign-in")
        key, name, password = (said.get(each, "") for each in ("key", "name", "password"))
        if not all(isinstance(each, str) and len(each) <= MOST for each in (key, name, password)) or not (key or name):
            raise wrong("sign-in has no 'key' and no 'name' with its 'password', expected one of them as text")
        signed_in = request.app.state.server_state.sessions
        if signed_in is None or not signed_in.ring.is_needed:
            raise NotReady("service asks for no key, expected nobody to sign in", "`windlass keys create` makes one")
        address = request.client.host if request.client else ""
        found, token = await signed_in.begin(address, key, name, password)
        response = _state(sessions.Viewer(found.name, found, True), False)
        is_secure = headers.get(b"origin", b"").lower().startswith(b"https://")
        response.headers["set-cookie"] = sessions.cookie(token, is_secure)
        return response

    @app.delete("/v1/session", summary="Sign out", responses=responses(SessionState, 403))
    async def end(request: Request) -> Response:
        headers, signed_in = dict(request.scope["headers"]), request.app.state.server_state.sessions
        sessions.check_own_page(headers)
        if signed_in is not None and (token := sessions.shown(headers)):
            await signed_in.end(token)
        response = _state(sessions.Viewer(is_guarded=signed_in is not None and signed_in.ring.is_needed), False)
        response.headers["set-cookie"] = sessions.cookie("", False)
        return response


def _state(seen: sessions.Viewer, has_passwords: bool) -> Response:
    scopes = sorted(seen.key.scopes) if seen.key is not None else []
    content = {"name": seen.name, "scopes": scopes, "asks_for_keys": seen.is_guarded, "passwords": has_passwords}
    return Response(codec.dumps(content), media_type=JSON)
