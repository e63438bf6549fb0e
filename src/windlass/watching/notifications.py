"""Tells people of alarms: stderr, a file, a webhook, mail. What could not be sent is tried again at the next look.

Only places that `windlass.yaml` names and the user has allowed are written to; secrets come from the environment.
"""

import json
import os
import smtplib
import ssl
import sys
from collections.abc import Callable
from email.message import EmailMessage
from http import HTTPStatus
from pathlib import Path

from windlass.errors import WindlassError
from windlass.records import Json
from windlass.remote import consent, transport
from windlass.spec import Spec, Watch
from windlass.store.store import Store
from windlass.watching import state

TIMEOUT_S, MAX_REPLY = 10.0, 1_024
MOST_TRIES = 20
TLS_PORT = 465
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def channels(watch: Watch) -> list[str]:
    """Where alarms go."""
    wanted = {"log": True, "file": bool(watch.file), "webhook": bool(watch.webhook), "mail": _has_mail(watch)}
    return [name for name, is_wanted in wanted.items() if is_wanted]


def _has_mail(watch: Watch) -> bool:
    return bool(watch.mail_server and watch.mail_from and watch.mail_to)


def tell(spec: Spec, store: Store) -> list[str]:
    """Sends what waits; gives what went wrong, in words. An alarm is sent once, or twice when a kill comes between."""
    faults = []
    with state.locked(store):
        kept = state.load(store)
        if not kept.unsent:
            return []
        waiting = []
        for order in kept.unsent:
            fault = _sent(order["channel"], order["message"], spec.watch, store.project)
            if not fault:
                continue
            tries = order["tries"] + 1
            faults.append(f"alarm could not be sent by {order['channel']} ({fault}), try {tries} of {MOST_TRIES}")
            waiting += [{**order, "tries": tries}] if tries < MOST_TRIES else []
        kept.unsent = waiting
        state.save(store, kept)
    return faults


def _sent(channel: str, message: Json, watch: Watch, project: Path) -> str:
    """Why it could not be sent; empty when it was, or when this channel is no longer wanted."""
    if channel not in channels(watch):
        return ""
    try:
        _ask(channel, watch)
        _SENDERS[channel](message, watch, project)
    except WindlassError as error:
        return f"{error.message}; {error.hint}"
    except (OSError, smtplib.SMTPException, LookupError, ValueError) as error:
        return str(error)[:200] or type(error).__name__
    return ""


def _ask(channel: str, watch: Watch) -> None:
    """Raises: NotReady: the user has not allowed to send there."""
    if channel == "webhook":
        consent.require(watch.webhook, watch.webhook_key, "alarms of this product")
    elif channel == "mail":
        place = f"smtp://{watch.mail_server}/{','.join(watch.mail_to)}"
        consent.require(place, watch.mail_password, "alarms of this product")


def title(message: Json) -> str:
    """`desk: alarm raised: drift message`."""
    return f"{message['product']}: alarm {message['event']}: {message['name']} {message['subject']}".strip()


def _to_log(message: Json, watch: Watch, project: Path) -> None:
    sys.stderr.write(f"{title(message)}: {message['words']}\n")
    sys.stderr.flush()


def _to_file(message: Json, watch: Watch, project: Path) -> None:
    path = Path(project, watch.file)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(message, ensure_ascii=False, allow_nan=False) + "\n")


def _to_webhook(message: Json, watch: Watch, project: Path) -> None:
    body = json.dumps({"text": f"{title(message)}: {message['words']}", **message}, allow_nan=False).encode("utf-8")
    headers = {"content-type": "application/json", "user-agent": "windlass-watch"}
    if watch.webhook_key:
        headers["authorization"] = f"Bearer {_secret(watch.webhook_key)}"
    proxy = transport.proxy_of(watch.webhook)
    reply = transport.post(watch.webhook, body, headers, transport.Bounds(TIMEOUT_S, MAX_REPLY), proxy)
    if not HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
        raise OSError(f"HTTP {reply.status}")


def _secret(name: str) -> str:
    if not os.environ.get(name):
        raise LookupError(f"environment variable {name} is not set, expected the secret that windlass.yaml names")
    return os.environ[name]


def _to_mail(message: Json, watch: Watch, project: Path) -> None:
    mail = EmailMessage()
    mail["Subject"] = " ".join(title(message).split())
    mail["From"], mail["To"] = watch.mail_from, ", ".join(watch.mail_to)
    mail.set_content(f"{message['words']}\n\n{json.dumps(message, ensure_ascii=False, indent=1)}\n")
    host, _, port = watch.mail_server.rpartition(":")
    with _connected(host, int(port)) as server:
        if watch.mail_password:
            if not (isinstance(server.sock, ssl.SSLSocket) or host in LOOPBACK):
                raise ValueError(f"{host} offers no encryption, expected STARTTLS before a password is sent")
            server.login(watch.mail_from, _secret(watch.mail_password))
        server.send_message(mail)


def _connected(host: str, port: int) -> smtplib.SMTP:
    """A connection to the mail server, encrypted where it can be."""
    context = ssl.create_default_context()
    if port == TLS_PORT:
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=context)
    server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
    try:
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
    except BaseException:
        server.close()
        raise
    return server


_SENDERS: dict[str, Callable[[Json, Watch, Path], None]] = {
    "log": _to_log,
    "file": _to_file,
    "webhook": _to_webhook,
    "mail": _to_mail,
}
