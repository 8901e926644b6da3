"""The domains that mail is from over HTTP, for admins."""

from litestar import Router, get, post

from backend.access.asker import Asker
from backend.access.classes import access
from backend.sending_domains import actions, queries
from backend.sending_domains.contracts import SendingDomain


@get("/sending-domains", **access("admin"))
async def list_domains() -> list[SendingDomain]:
    """SPF, DKIM and DMARC of each domain that mail is from, as they were last looked up."""
    return await queries.list_domains()


@post("/sending-domains/look-up", status_code=200, **access("admin"))
async def look_again(asker: Asker) -> list[SendingDomain]:
    """Look them all up now. Takes up to half a minute."""
    return await actions.look_again(asker)


router = Router(path="/", route_handlers=[list_domains, look_again], tags=["Outgoing mail"])
