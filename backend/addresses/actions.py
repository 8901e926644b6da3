"""Addresses are noted when they come into use, asked about once, and verified."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from backend.access.asker import Asker
from backend.addresses.contracts import AddressOffer, AddressToken
from backend.addresses.links import claim_of
from backend.addresses.proof import proves
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.errors import Conflict, NotFound, TooManyAttempts
from backend.events.record import action
from backend.jobs import enqueue
from backend.outgoing_servers.system import can_mail
from backend.people.audit import audit
from backend.settings import Settings, settings

ASK_AGAIN_AFTER = timedelta(minutes=1)
QUESTIONS = ((timedelta(hours=1), 5, "an hour"), (timedelta(days=1), 20, "a day"))
"""How many addresses one person's mails may have asked about, in which time."""
QUESTIONS_LOCK = 7_264_343


async def note_addresses() -> int:
    """Note what has come into use since, and ask about it. Answers how many. Every worker calls it now and then.

    Many at once may do so: an address is one's who inserts it.
    """
    missing = (
        "SELECT DISTINCT u.address FROM address_uses u "
        "WHERE NOT EXISTS (SELECT 1 FROM used_addresses a WHERE a.address = u.address)"
    )
    if not await fetch(f"{missing} LIMIT 1"):
        return 0
    async with action(None):
        fresh = await fetch(
            "INSERT INTO used_addresses (address, verified_by, created_at) "
            f"SELECT address, '', now() FROM ({missing}) m ORDER BY address "
            "ON CONFLICT (address) DO NOTHING RETURNING id, address"
        )
        await _ask_about(fresh)
    return len(fresh)


async def note_address(address: str, user_id: int) -> None:
    """Note one that a person uses for a single mail, inside the running action. One that was used before costs nothing.

    Raises TooManyAttempts where that would send more questions than one person may cause: else anybody who may write a
    mail could have Tandem write to any number of strangers.
    """
    if await fetch_value("SELECT 1 FROM used_addresses WHERE address = $1", address.lower()):
        return
    asks = await can_mail(settings())
    if asks:
        await _check_few(user_id)
    fresh = await fetch(
        "INSERT INTO used_addresses (address, verified_by, created_at, noted_by) VALUES ($1, '', now(), $2) "
        "ON CONFLICT (address) DO NOTHING RETURNING id, address",
        address.lower(),
        user_id if asks else None,
    )
    await _ask_about(fresh)


async def _check_few(user_id: int) -> None:
    """The person's other mails wait here, so that many at once get no further than many in a row."""
    await execute("SELECT pg_advisory_xact_lock($1::int, $2::int)", QUESTIONS_LOCK, user_id)
    for window, most, words in QUESTIONS:
        asked = await fetch_value(
            "SELECT count(*) FROM used_addresses WHERE noted_by = $1 AND created_at > now() - $2::interval",
            user_id,
            window,
        )
        if asked >= most:
            raise TooManyAttempts(
                f"You have named {asked} new Reply-to addresses within {words}, and each was sent a question.",
                f"Choose one that was used before, or wait: {most} are possible within {words}.",
            )


async def settle_by_accounts() -> int:
    """Verify the addresses whose mailbox is read here by a sign-in that only their owner has. Answers how many."""
    found = await fetch(
        "SELECT a.id, a.address, m.username, m.imap_host, m.sign_in FROM used_addresses a JOIN mail_accounts m "
        "ON lower(m.username) = a.address OR lower(m.address) = a.address WHERE a.verified_at IS NULL "
        "AND m.state ->> 'status' IN ('syncing', 'up_to_date')"
    )
    proven = [
        record["id"]
        for record in found
        if proves(record["address"], record["username"], record["imap_host"], record["sign_in"])
    ]
    for address_id in proven:
        async with action(None):
            await execute(
                "UPDATE used_addresses SET verified_at = now(), verified_by = 'account' "
                "WHERE id = $1 AND verified_at IS NULL",
                address_id,
            )
    return len(proven)


async def ask_again(asker: Asker, address_id: int) -> None:
    """Send the link again. Raises NotFound, Conflict when it is verified or Tandem cannot mail, TooManyAttempts."""
    async with action(asker.user_id):
        record = await fetch_row("SELECT * FROM used_addresses WHERE id = $1 FOR UPDATE", address_id)
        if record is None:
            raise NotFound("There is no such address.", "It may not be in use any more.")
        if record["verified_at"] is not None:
            raise Conflict("This address is verified already.", "There is nothing to do.")
        await _check_can_mail()
        if record["asked_at"] is not None and datetime.now(UTC) - record["asked_at"] < ASK_AGAIN_AFTER:
            raise TooManyAttempts("The link was sent a moment ago.", "Wait a minute before you send it again.")
        await _ask_about([record])
        await audit(asker.user_id, "address_asked", f"address:{address_id}", address=record["address"])


async def ask_all(asker: Asker) -> int:
    """Send the link to every address in use that is not verified and was never asked about. Answers how many."""
    async with action(asker.user_id):
        await _check_can_mail()
        records = await fetch(
            "SELECT a.* FROM used_addresses a WHERE a.verified_at IS NULL AND a.asked_at IS NULL AND EXISTS "
            "(SELECT 1 FROM address_uses u WHERE u.address = a.address) ORDER BY a.id FOR UPDATE"
        )
        await _ask_about(records)
        for record in records:
            await audit(asker.user_id, "address_asked", f"address:{record['id']}", address=record["address"])
    return len(records)


async def read_offer(configured: Settings, given: AddressToken) -> AddressOffer:
    """What the link's page shows. Raises NotFound for a link that is none, or has run out."""
    record = await _claimed(configured, given.token)
    return AddressOffer(
        organisation_name=await fetch_value("SELECT name FROM organisation") or "",
        address=record["address"],
        verified=record["verified_at"] is not None,
    )


async def verify(configured: Settings, given: AddressToken) -> None:
    """Somebody pressed the button: the address is theirs, wherever it is used. Again changes nothing."""
    record = await _claimed(configured, given.token)
    async with action(None):
        fresh = await fetch_value(
            "UPDATE used_addresses SET verified_at = now(), verified_by = 'link' "
            "WHERE id = $1 AND verified_at IS NULL RETURNING id",
            record["id"],
        )
        if fresh is not None:
            await audit(None, "address_verified", f"address:{record['id']}", address=record["address"])


async def _claimed(configured: Settings, token: str) -> Row:
    claim = claim_of(token)
    record = await fetch_row("SELECT * FROM used_addresses WHERE id = $1", claim.address_id) if claim else None
    if claim is None or record is None or not claim.holds(configured, record["address"], datetime.now(UTC)):
        raise NotFound("This link is not valid any more.", "Ask an admin of your organisation to send it again.")
    return record


async def _ask_about(records: Sequence[Row]) -> None:
    """Let a worker send the links, where Tandem can send mail of its own."""
    if not records or not await can_mail(settings()):
        return
    for record in records:
        await execute("UPDATE used_addresses SET asked_at = now() WHERE id = $1", record["id"])
        await enqueue("system_mail", kind="address", id=record["id"])


async def _check_can_mail() -> None:
    if not await can_mail(settings()):
        raise Conflict(
            "Tandem cannot send mail of its own here.",
            "Set TANDEM_SMTP_URL, or let one of the outgoing servers serve for all.",
        )
