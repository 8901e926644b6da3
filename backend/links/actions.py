"""Saved links: made, changed and deleted by admins; filled in for whom a mail is written to.

They are fetched when somebody looks for one, so no stream tells of them.
"""

from html import escape

from backend.access.asker import Asker
from backend.database.connection import execute, fetch_row, fetch_value
from backend.errors import Conflict, Unacceptable
from backend.events.record import action
from backend.links.addresses import check_address, fill_address
from backend.links.contracts import FilledLink, SavedLink, SaveLink
from backend.links.queries import link_of, read_link
from backend.people.audit import audit
from backend.people.checks import check_name
from backend.templates.contracts import RenderFor
from backend.templates.filling import values_for
from backend.templates.language import TemplateError

MOST_LINKS = 500


async def create_link(asker: Asker, given: SaveLink) -> SavedLink:
    """A new link for everybody. Raises Unacceptable."""
    name, url = check_name(given.name), check_address(given.url)
    async with action(asker.user_id):
        if await fetch_value("SELECT count(*) FROM saved_links") >= MOST_LINKS:
            raise Unacceptable(f"There are {MOST_LINKS} links already.", "Delete some that nobody needs.")
        record = await fetch_row(
            "INSERT INTO saved_links (kind, name, url, uses, version, updated_at) "
            "VALUES ($1, $2, $3, 0, 1, now()) RETURNING *",
            given.kind,
            name,
            url,
        )
        assert record is not None
        await audit(asker.user_id, "link_added", f"link:{record['id']}", name=name, url=url)
    return link_of(record)


async def save_link(asker: Asker, link_id: int, given: SaveLink) -> SavedLink:
    """Change a link; mails that it went into keep what stands in them. Raises NotFound, Conflict, Unacceptable."""
    name, url = check_name(given.name), check_address(given.url)
    async with action(asker.user_id):
        await read_link(link_id)
        record = await fetch_row(
            "UPDATE saved_links SET kind = $2, name = $3, url = $4, version = version + 1, updated_at = now() "
            "WHERE id = $1 AND version = $5 RETURNING *",
            link_id,
            given.kind,
            name,
            url,
            given.version,
        )
        if record is None:
            raise Conflict("Somebody changed this link meanwhile.", "Look at theirs, then save yours.")
        await audit(asker.user_id, "link_changed", f"link:{link_id}", name=name, url=url)
    return link_of(record)


async def delete_link(asker: Asker, link_id: int) -> None:
    """Away with it. Raises NotFound."""
    async with action(asker.user_id):
        record = await read_link(link_id)
        await execute("DELETE FROM saved_links WHERE id = $1", link_id)
        await audit(asker.user_id, "link_removed", f"link:{link_id}", name=record["name"], url=record["url"])


async def use_link(asker: Asker, link_id: int, wanted: RenderFor) -> FilledLink:
    """Fill a link in; when nothing is missing, that it was used is counted."""
    record = await read_link(link_id)
    try:
        url, missing = fill_address(record["url"], await values_for(asker, wanted))
    except TemplateError as fault:
        raise Unacceptable(fault.message, fault.remedy) from fault
    if missing:
        return FilledLink(name=record["name"], url="", missing=missing, text="", html="")
    async with action(asker.user_id):
        await execute("UPDATE saved_links SET uses = uses + 1 WHERE id = $1", link_id)
    name = record["name"]
    return FilledLink(
        name=name, url=url, missing=[], text=f"{name}: {url}", html=f'<p><a href="{escape(url)}">{escape(name)}</a></p>'
    )
