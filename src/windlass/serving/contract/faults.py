"""What the service refuses: an error of ours with its HTTP status and the word that programs can test."""

from http import HTTPStatus

from windlass.errors import DataError, NotReady, SpecError, WindlassError

RETRY_AFTER_S = 1


class Fault(WindlassError):
    """A request that is answered with `status`. param: the parameter that it is about, where one is.

    retry_after_s: when it may be sent again; 0 when that would not help.
    """

    def __init__(self, status: int, kind: str, message: str, hint: str = "", param: str = "") -> None:
        super().__init__(message, hint)
        self.status = status
        self.kind = kind
        self.param = param
        self.retry_after_s = RETRY_AFTER_S if status == HTTPStatus.SERVICE_UNAVAILABLE else 0


def status_of(error: WindlassError) -> int:
    """The HTTP status of any error of ours."""
    if isinstance(error, Fault):
        return error.status
    if isinstance(error, NotReady):
        return HTTPStatus.SERVICE_UNAVAILABLE
    if isinstance(error, DataError | SpecError):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    return HTTPStatus.INTERNAL_SERVER_ERROR


def bad_json(what: str, hint: str = "") -> Fault:
    return Fault(HTTPStatus.BAD_REQUEST, "bad_json", f"body {what}", hint)


def overloaded(what: str) -> Fault:
    return Fault(HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", what, f"send it again after {RETRY_AFTER_S} s")
