"""What the service refuses: an error of ours with its HTTP status and the word that programs can test."""

from http import HTTPStatus

from windlass.database.backend import RETRY_AFTER_S
from windlass.errors import DataError, NotReady, Refused, SpecError, WindlassError

STATUS = {
    "data_error": HTTPStatus.UNPROCESSABLE_ENTITY,
    "unknown_answer": HTTPStatus.NOT_FOUND,
    "unknown_job": HTTPStatus.NOT_FOUND,
    "key_reused": HTTPStatus.CONFLICT,
    "job_unfinished": HTTPStatus.CONFLICT,
    "too_many_jobs": HTTPStatus.TOO_MANY_REQUESTS,
    "overloaded": HTTPStatus.SERVICE_UNAVAILABLE,
    "log_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "disk_full": HTTPStatus.INSUFFICIENT_STORAGE,
}
"""Of what the database refuses, which knows nothing of HTTP."""


class Fault(Refused):
    """A request that is answered with `status`. param: the parameter that it is about, where one is."""

    def __init__(self, status: int, kind: str, message: str, hint: str = "", param: str = "") -> None:
        super().__init__(kind, message, hint, RETRY_AFTER_S if status == HTTPStatus.SERVICE_UNAVAILABLE else 0)
        self.status = status
        self.param = param


def status_of(error: WindlassError) -> int:
    """The HTTP status of any error of ours."""
    if isinstance(error, Fault):
        return error.status
    if isinstance(error, Refused):
        return STATUS[error.kind]
    if isinstance(error, NotReady):
        return HTTPStatus.SERVICE_UNAVAILABLE
    if isinstance(error, DataError | SpecError):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    return HTTPStatus.INTERNAL_SERVER_ERROR


def bad_json(what: str, hint: str = "") -> Fault:
    return Fault(HTTPStatus.BAD_REQUEST, "bad_json", f"body {what}", hint)


def overloaded(what: str) -> Fault:
    return Fault(HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", what, f"send it again after {RETRY_AFTER_S} s")
