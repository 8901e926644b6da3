"""What servers report later about mail that they had taken: it came back, or its reader complained.

A report is believed about a mail of the mailbox, or the conversation, that it came to, whose Message-ID it names: that
is known to those who have the mail. The recipients that do not have it stand as refused in the outbox, where a person
finds why, and what to do; the author is told.
"""

from collections.abc import Sequence

from backend.compose.actions.results import Words, settle_recipients, tell_author
from backend.compose.actions.transitions import lock_outgoing, transition
from backend.conversations.change import ConversationChange
from backend.database.connection import Row, execute, fetch, fetch_row
from backend.mail.raw import load_raw
from sync.mime.bounces import ReportedRecipient, read_report
from sync.mime.parse import parse_message
from sync.smtp_replies import enhanced_status, explain


async def take_report(message_id: int) -> None:
    """Take down what a message reports about mail of ours. A job; the same again changes nothing."""
    record = await fetch_row("SELECT mailbox_id, conversation_id, raw_digest FROM messages WHERE id = $1", message_id)
    if record is None:
        return
    report = read_report(parse_message(await load_raw(record["raw_digest"])))
    if report is None:
        return
    found = await fetch_row(
        "SELECT id FROM outgoing WHERE message_id = ANY($1) AND (mailbox_id = $2 OR conversation_id = $3) "
        "ORDER BY array_position($1, message_id) LIMIT 1",
        list(report.message_ids),
        record["mailbox_id"],
        record["conversation_id"],
    )
    if report.kind == "complaint":
        if found is not None:
            await _complain(found["id"], [each.address for each in report.recipients])
        return
    failed = [each for each in report.recipients if each.outcome == "failed"]
    if found is None or not failed:
        return

    async def work(change: ConversationChange) -> bool:
        outgoing = await lock_outgoing(found["id"])
        if outgoing is None or outgoing["state"] != "sent":
            return False
        refused = await _who(outgoing, failed)
        if not refused:
            return False
        await settle_bounced(outgoing["id"], refused)
        said = next(iter(refused.values()))
        reason = f"It came back from {', '.join(refused)}. {said.reason}"
        await execute(
            "UPDATE outgoing SET reason = $2, remedy = $3, server_words = $4 WHERE id = $1",
            outgoing["id"],
            reason,
            said.remedy,
            said.server_words,
        )
        await tell_author(change, outgoing["author_id"], outgoing["id"], reason)
        return True

    await transition(found["id"], None, work)


async def _complain(outgoing_id: int, addresses: Sequence[str]) -> None:
    """A reader has marked the mail as spam, and their provider says so (RFC 5965). It stays sent."""

    async def work(change: ConversationChange) -> bool:
        outgoing = await lock_outgoing(outgoing_id)
        if outgoing is None or outgoing["state"] != "sent":
            return False
        known = await fetch("SELECT address FROM outgoing_recipients WHERE outgoing_id = $1 ORDER BY id", outgoing_id)
        wrote = {each["address"].lower(): each["address"] for each in known}
        named = [wrote[each.lower()] for each in addresses if each.lower() in wrote]
        who = ", ".join(named) if named else (known[0]["address"] if len(known) == 1 else "One of its recipients")
        reason = f"{who} marked this mail as spam."
        if outgoing["reason"] == reason:
            return False
        await execute(
            "UPDATE outgoing SET reason = $2, remedy = $3, server_words = '' WHERE id = $1",
            outgoing_id,
            reason,
            "Do not write to them again unless they ask for it: further complaints make providers refuse your mail.",
        )
        await tell_author(change, outgoing["author_id"], outgoing_id, reason)
        return True

    await transition(outgoing_id, None, work)


async def _who(outgoing: Row, failed: Sequence[ReportedRecipient]) -> dict[str, Words]:
    """The recipients, as the mail was addressed, that a report speaks of and that count as having it.

    Behind a single recipient may stand another address, to which their mail is forwarded.
    """
    recipients = await fetch("SELECT address, state FROM outgoing_recipients WHERE outgoing_id = $1", outgoing["id"])
    known = {each["address"].lower(): each for each in recipients}
    about = {each.address.lower(): each for each in failed if each.address.lower() in known}
    if not about and len(known) == 1:
        about = dict.fromkeys(known, failed[0])
    return {
        known[address]["address"]: _words(each, known[address]["address"])
        for address, each in about.items()
        if known[address]["state"] == "accepted"
    }


def _words(reported: ReportedRecipient, address: str) -> Words:
    """As for a refusal at once; what the server says now is final, whatever its code was."""
    text = reported.words
    if reported.status and enhanced_status(text) is None:
        text = f"{reported.status} {text}"
    problem = explain(550, text, recipient=address)
    remedy = problem.remedy if reported.permanent else f"It may pass by itself: send it again later. {problem.remedy}"
    return Words(problem.sentence, remedy, reported.words)


async def settle_bounced(outgoing_id: int, refused: dict[str, Words]) -> None:
    """These recipients count as refused, though the server had taken the mail for them."""
    await execute(
        "UPDATE outgoing_recipients SET state = 'pending' WHERE outgoing_id = $1 AND address = ANY($2)",
        outgoing_id,
        list(refused),
    )
    await settle_recipients(outgoing_id, (), refused, {})
