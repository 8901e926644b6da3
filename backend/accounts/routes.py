"""Connecting a mailbox to its mail account, over HTTP."""

from typing import Annotated, Any, Literal

from litestar import Request, Router, delete, get, post, put
from litestar.params import QueryParameter
from litestar.response import Redirect

from backend.access.asker import Asker
from backend.access.classes import access
from backend.accounts import actions, plans, queries, sign_in
from backend.accounts.contracts import (
    AccountPlan,
    AccountSettings,
    ConnectAccount,
    Discover,
    FoundServers,
    ServerCheck,
    SetPlan,
    SignInStarted,
    StartSignIn,
)
from backend.accounts.lookup import find_servers


@post("/discover", status_code=200, **access("signed_in"))
async def discover(asker: Asker, data: Discover) -> list[FoundServers]:
    """Servers that the address probably has, best first."""
    return await find_servers(data.address)


@post("/mailboxes/{mailbox_id:int}/account/discover", status_code=200, **access("mailbox_settings"))
async def discover_for_mailbox(asker: Asker, mailbox_id: int, data: Discover) -> list[FoundServers]:
    """The same, from the mailbox's settings."""
    return await find_servers(data.address)


@post("/mailboxes/{mailbox_id:int}/account/check", status_code=200, **access("mailbox_settings"))
async def check_account(asker: Asker, mailbox_id: int, data: ConnectAccount) -> list[ServerCheck]:
    """Try both servers, store nothing. Takes up to half a minute when a server does not answer."""
    return await actions.check_account(asker, mailbox_id, data)


@put("/mailboxes/{mailbox_id:int}/account", **access("mailbox_settings"))
async def connect_account(asker: Asker, mailbox_id: int, data: ConnectAccount) -> AccountSettings:
    """Try both servers, then connect, or connect again. A failure answers 422 with `details.checks`."""
    return await actions.connect_account(asker, mailbox_id, data)


@get("/mailboxes/{mailbox_id:int}/account", **access("mailbox_settings"))
async def read_account(asker: Asker, mailbox_id: int) -> AccountSettings:
    """The account of a mailbox, without its password. 404 when there is none."""
    return await queries.read_account(mailbox_id)


@delete("/mailboxes/{mailbox_id:int}/account", **access("mailbox_settings"))
async def disconnect_account(
    asker: Asker, mailbox_id: int, mail: Literal["keep", "remove"] = "keep", name: str = ""
) -> None:
    """Stop fetching and sending, and forget the password. The mail that has been fetched stays, or with `mail=remove`
    is removed from here in the background; then `name` repeats the mailbox's name."""
    await actions.disconnect_account(asker, mailbox_id, mail=mail, name=name)


@post("/mailboxes/{mailbox_id:int}/account/pause", status_code=200, **access("mailbox_settings"))
async def pause_account(asker: Asker, mailbox_id: int) -> AccountSettings:
    """Fetch nothing until it is resumed."""
    return await actions.pause_account(asker, mailbox_id)


@post("/mailboxes/{mailbox_id:int}/account/resume", status_code=200, **access("mailbox_settings"))
async def resume_account(asker: Asker, mailbox_id: int) -> AccountSettings:
    """Go on fetching."""
    return await actions.resume_account(asker, mailbox_id)


@get("/mailboxes/{mailbox_id:int}/account/plan", **access("mailbox_settings"))
async def read_plan(asker: Asker, mailbox_id: int) -> AccountPlan:
    """Which folders are fetched, from when, and how complete they are here."""
    return await queries.read_plan(mailbox_id)


@put("/mailboxes/{mailbox_id:int}/account/plan", **access("mailbox_settings"))
async def set_plan(asker: Asker, mailbox_id: int, data: SetPlan) -> AccountPlan:
    """Change which folders are fetched, and from when. An account that waited for it begins."""
    return await plans.set_plan(asker, mailbox_id, data)


@post("/mailboxes/{mailbox_id:int}/account/sign-in", status_code=200, **access("mailbox_settings"))
async def start_sign_in(asker: Asker, mailbox_id: int, data: StartSignIn) -> SignInStarted:
    """Begin to connect by signing in at the provider: answers the address for the person's browser."""
    return await sign_in.start_sign_in(asker, mailbox_id, data)


@get("/oauth/callback", status_code=303, **access("public"))
async def finish_sign_in(
    request: Request[Any, Any, Any],
    returned: Annotated[str, QueryParameter(name="state")] = "",
    code: str = "",
    error: str = "",
) -> Redirect:
    """Where providers send the browser back to. Leads on to the mailbox's settings, which tell how it went."""
    asker = request.scope.get("user")
    landing = await sign_in.finish_sign_in(asker if isinstance(asker, Asker) else None, returned, code, error)
    mailbox = f"&mailbox={landing.mailbox_id}" if landing.mailbox_id else ""
    return Redirect(
        f"/settings/mailboxes/?signed_in={landing.told}{mailbox}",
        status_code=303,
        headers={"cache-control": "no-store", "referrer-policy": "no-referrer"},
    )


router = Router(
    path="/",
    route_handlers=[
        discover,
        discover_for_mailbox,
        check_account,
        connect_account,
        read_account,
        disconnect_account,
        pause_account,
        resume_account,
        read_plan,
        set_plan,
        start_sign_in,
        finish_sign_in,
    ],
    tags=["accounts"],
)
