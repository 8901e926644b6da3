"""The intake account over HTTP: what waits there, and mailboxes whose mail is forwarded to it."""

from litestar import Router, get, post, put

from backend.access.asker import Asker
from backend.access.classes import access
from backend.mailboxes import forwarding, sorting
from backend.mailboxes.contracts import Forwarding, Intake, SetAddresses, Sorted, SortUnsorted, Unsorted


@get("/intake", **access("admin"))
async def read_intake() -> Intake:
    """The organisation's intake account; make it with `POST /mailboxes`, kind `intake`, then connect it."""
    return await sorting.read_intake()


@get("/intake/unsorted", **access("admin"))
async def read_unsorted() -> list[Unsorted]:
    """Mail of the intake account that fits nowhere, newest first, at most 200: without subjects and texts."""
    return await sorting.read_unsorted()


@post("/intake/unsorted/{unsorted_id:int}/sort", status_code=200, **access("admin"))
async def sort_unsorted(asker: Asker, unsorted_id: int, data: SortUnsorted) -> Sorted:
    """Move it into a mailbox, where recent mail arrives; `remember` an address for the next time."""
    return await sorting.sort_unsorted(asker, unsorted_id, data)


@get("/mailboxes/{mailbox_id:int}/forwarding", **access("mailbox_settings"))
async def read_forwarding(mailbox_id: int) -> Forwarding:
    """Where the mail of a mailbox without an account is to be forwarded to, and whether it comes through."""
    return await forwarding.read_forwarding(mailbox_id)


@post("/mailboxes/{mailbox_id:int}/forwarding/check", status_code=202, **access("mailbox_settings"))
async def check_forwarding(asker: Asker, mailbox_id: int) -> Forwarding:
    """Send a test mail to the mailbox's address; read the forwarding again to see when it came through."""
    return await forwarding.ask_for_check(asker, mailbox_id)


@put("/mailboxes/{mailbox_id:int}/addresses", **access("mailbox_settings"))
async def set_addresses(asker: Asker, mailbox_id: int, data: SetAddresses) -> Forwarding:
    """Replace the further addresses whose mail belongs to the mailbox."""
    return await forwarding.set_addresses(asker, mailbox_id, data)


router = Router(
    path="/",
    route_handlers=[
        read_intake,
        read_unsorted,
        sort_unsorted,
        read_forwarding,
        check_forwarding,
        set_addresses,
    ],
    tags=["intake"],
)
