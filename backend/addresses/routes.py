"""Whose an address is, over HTTP: admins see and ask, whoever has the link answers."""

from litestar import Router, get, post

from backend.access.asker import Asker
from backend.access.classes import access
from backend.addresses import actions, queries
from backend.addresses.contracts import AddressBook, AddressOffer, AddressToken
from backend.outgoing_servers.system import can_mail
from backend.settings import settings


@get("/used-addresses", **access("admin"))
async def list_addresses() -> AddressBook:
    """Addresses that mail is from or that answers go to, and whether they are verified."""
    return await queries.read_book(can_ask=await can_mail(settings()))


@post("/used-addresses/{address_id:int}/ask", status_code=204, **access("admin"))
async def ask_again(asker: Asker, address_id: int) -> None:
    """Send the link again; 409 when there is nothing to ask, 429 within a minute."""
    await actions.ask_again(asker, address_id)


@post("/used-addresses/ask", status_code=200, **access("admin"))
async def ask_all(asker: Asker) -> dict[str, int]:
    """Send the link to all that were never asked about; answers how many `asked`."""
    return {"asked": await actions.ask_all(asker)}


@post("/addresses/offer", status_code=200, **access("public"))
async def read_offer(data: AddressToken) -> AddressOffer:
    """What the link of a mail is about. Changes nothing."""
    return await actions.read_offer(settings(), data)


@post("/addresses/verify", status_code=204, **access("public"))
async def verify(data: AddressToken) -> None:
    """The button “Yes, I own this address”, for whoever has the link, signed in or not."""
    await actions.verify(settings(), data)


router = Router(
    path="/", route_handlers=[list_addresses, ask_again, ask_all, read_offer, verify], tags=["Outgoing mail"]
)
