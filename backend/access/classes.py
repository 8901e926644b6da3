"""Every route declares for whom it is; this guard holds it to that.

    @get("/conversations/{conversation_id:int}", **access("conversation"))

`public` needs nobody; `signed_in` a person; `admin` an admin or the owner; `mailbox` and `conversation` fetch what
the path names through backend/access/fetch.py before the route runs, so that a person without access gets 404.
`handling` is `conversation` for what only users of its mailbox may do: whom it is shared with gets 403.
A route that declares nothing stops the application from starting.
"""

from typing import Any, Literal, get_args

from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from backend.access.asker import Asker
from backend.access.fetch import (
    access_comment,
    access_comment_file,
    access_contact,
    access_conversation,
    access_draft,
    access_mailbox,
    access_mailbox_settings,
    access_message,
    access_outgoing,
    handled_conversation,
    handled_draft,
    handled_message,
    handled_outgoing,
)
from backend.errors import NotSignedIn

AccessClass = Literal["public", "signed_in", "admin", "mailbox", "mailbox_settings", "conversation", "handling"]

FETCHES = {
    ("mailbox", "mailbox_id"): access_mailbox,
    ("mailbox_settings", "mailbox_id"): access_mailbox_settings,
    ("conversation", "conversation_id"): access_conversation,
    ("conversation", "message_id"): access_message,
    ("conversation", "comment_id"): access_comment,
    ("conversation", "comment_file_id"): access_comment_file,
    ("conversation", "draft_id"): access_draft,
    ("conversation", "outgoing_id"): access_outgoing,
    ("conversation", "contact_id"): access_contact,
    ("handling", "conversation_id"): handled_conversation,
    ("handling", "message_id"): handled_message,
    ("handling", "draft_id"): handled_draft,
    ("handling", "outgoing_id"): handled_outgoing,
}


def access(name: AccessClass) -> dict[str, Any]:
    """The keyword arguments of a route handler that declare its class."""
    return {"opt": {"access": name}}


async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Litestar's guard for every route."""
    name = handler.opt.get("access")
    if name is None and handler.opt.get("documentation"):
        return
    if name == "public":
        return
    asker = connection.scope.get("user")
    if not isinstance(asker, Asker):
        raise NotSignedIn("You are not signed in.", "Sign in and try again.")
    if name == "admin":
        asker.check_admin()
    for (class_name, parameter), fetch in FETCHES.items():
        if class_name == name and parameter in connection.path_params:
            await fetch(asker, connection.path_params[parameter])


def declared_class(handler: BaseRouteHandler) -> str | None:
    return handler.opt.get("access")


def _answers_options_only(handler: BaseRouteHandler) -> bool:
    """Litestar adds such a handler to every path; it tells the methods, to whoever is signed in."""
    return getattr(handler, "http_methods", None) == {"OPTIONS"}


def check_every_route_declares(application: Litestar) -> None:
    """Raises RuntimeError for a route without a class, or one whose path lacks what its class fetches."""
    for route in application.routes:
        for handler in getattr(route, "route_handlers", [getattr(route, "route_handler", None)]):
            if handler is None or handler.opt.get("documentation") or _answers_options_only(handler):
                continue
            name = declared_class(handler)
            if name not in get_args(AccessClass):
                raise RuntimeError(f"The route {route.path} declares no access class.")
            needed = [parameter for class_name, parameter in FETCHES if class_name == name]
            if needed and not any("{" + parameter in route.path for parameter in needed):
                raise RuntimeError(f"The route {route.path} is of class {name} but names none of {needed}.")
