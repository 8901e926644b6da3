"""Everything that Tandem refuses or fails at, as one tree.

    TandemError
    |- BadRequest        400  the request cannot be understood
    |- NotSignedIn       401
    |- Forbidden         403  signed in, but this is for admins
    |- NotFound          404  does not exist, or is not for this person: the two look the same
    |- Conflict          409  something changed meanwhile; `details` holds what
    |- TooLarge          413
    |- Unacceptable      422  understood, but a field is wrong; `details["fields"]` says which
    |- TooManyAttempts   429
    `- Unavailable       503  something outside did not answer; trying again can help

`message` says what happened, `remedy` what to do next; both are sentences for people. Routes never build HTTP
errors themselves: backend/app.py maps the tree in one place.
"""

from typing import Any


class TandemError(Exception):
    """The root. `code` is stable for programs; `details` must hold nothing the asking person may not see."""

    status = 500
    code = "error"

    def __init__(self, message: str, remedy: str = "", **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.details = details


class BadRequest(TandemError):
    status = 400
    code = "bad_request"


class NotSignedIn(TandemError):
    status = 401
    code = "not_signed_in"


class Forbidden(TandemError):
    status = 403
    code = "forbidden"


class NotFound(TandemError):
    status = 404
    code = "not_found"


class Conflict(TandemError):
    status = 409
    code = "conflict"


class TooLarge(TandemError):
    status = 413
    code = "too_large"


class Unacceptable(TandemError):
    status = 422
    code = "unacceptable"


class TooManyAttempts(TandemError):
    status = 429
    code = "too_many_attempts"


class Unavailable(TandemError):
    status = 503
    code = "unavailable"
