"""The widget: a script of a few KB that embeds the product on pages of other sites, and the page that it shows there.

Which sites may is a list, `embed:`; the policy of the page follows it, so that a browser shows it on no other. A cookie
of ours is never sent from there (SameSite=Strict): who signed in here is a stranger in the widget.
"""

import json
from http import HTTPStatus

from fastapi import FastAPI, Response

from windlass.serving.contract.faults import Fault
from windlass.serving.runtime.service import Service
from windlass.serving.ui import ask_page, chat_page, page

NAME, ACCENT, BLUE = "__NAME__", "__ACCENT__", "#1f5fa8"


def add_routes(app: FastAPI, service: Service) -> None:
    """Adds `/widget` and `/widget.js`."""
    framed_by = service.settings.embed
    has_chat = service.writer is not None and chat_page.fits(service.predictor.manifest)

    def check() -> None:
        if not framed_by:
            hint = "`embed: [https://shop.example.com]` in windlass.yaml names the sites that may"
            raise Fault(HTTPStatus.NOT_FOUND, "no_widget", "no site may embed the widget, expected one", hint)

    @app.get("/widget", include_in_schema=False)
    async def widget() -> Response:
        check()
        writer, look = service.replica.writer, service.look
        if has_chat and writer is not None:
            shown, policy = (
                chat_page.chat_page(service.release, writer, look, True),
                chat_page.chat_policy(look, framed_by),
            )
        else:
            shown = ask_page.ask_frame(service.release, service.predictor.manifest, look)
            policy = ask_page.ask_policy(look, framed_by)
        return Response(shown, media_type="text/html", headers={"content-security-policy": policy})

    @app.get("/widget.js", include_in_schema=False)
    async def script() -> Response:
        check()
        name = json.dumps(service.look.name or service.release.product)
        content = page.asset("widget.js").replace(ACCENT, service.look.accent or BLUE).replace(f'"{NAME}"', name)
        headers = {"cross-origin-resource-policy": "cross-origin"}
        return Response(content, media_type="text/javascript", headers=headers)
