"""Storing messages in batches: a handful of statements for one message or for hundreds.

It comes to the same as one message after the other: the conversations of a batch are worked out in memory
(backend/mail/gathering.py) and written in the state that they end in. Conversations that a batch begins and joins again
never get into the database twice. Placing the messages, and telling of them, is left to backend/mail/actions.py.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from backend.conversations.contracts import Activity, Visibility
from backend.conversations.reminders import somebody_wrote
from backend.conversations.rows import activity_of, viewers
from backend.conversations.splits import parted_pairs
from backend.conversations.threads import join_conversations, sum_up_all, tell_joined
from backend.database.connection import Row, copy_rows, execute, fetch, fetch_value
from backend.events.record import Action
from backend.jobs import enqueue
from backend.mail.fetched import Fetched
from backend.mail.gathering import Gathering, Group
from backend.mail.places import Where
from backend.mail.raw import store_raws
from backend.mail.reading import Prepared
from backend.mail.standing import begins_with
from backend.mail.store import MOST_ADDRESSED, believable
from backend.mail.summary import SUMMARY_COLUMNS, Member, summary
from backend.meetings.queries import believed
from sync.mime.authentication import disowned

MESSAGE_COLUMNS = (
    *("id", "mailbox_id", "conversation_id", "raw_digest", "content_digest", "message_id", "email_id", "direction"),
    *("sender", "recipients", "date", "subject", "snippet", "body_text", "has_html", "attachments", "problems"),
    *("arrival", "author_id", "automatic", "stored_at", "hidden", "stood_in", "moved_from"),
)


CONVERSATION_COLUMNS = ("id", "mailbox_id", "status", "visibility", "version", "created_at", *SUMMARY_COLUMNS)
QUIET: frozenset[Where] = frozenset({"junk", "trash", "drafts"})
"""What comes to these places is nobody's news."""


@dataclass(slots=True)
class Stored:
    """What became of a batch. `ids` are the messages by UID, `new` those that were not there, in their order; `begun`
    and `grown` the conversations that new messages made and joined; `audiences` who saw the latter before, where that
    is not the whole mailbox; `known` the messages that the mailbox had, `gone` those of them that had been deleted;
    `reopened` the lines that tell of conversations which were done."""

    ids: dict[int, int] = field(default_factory=dict)
    new: list[int] = field(default_factory=list)
    audiences: dict[int, list[int]] = field(default_factory=dict)
    begun: list[int] = field(default_factory=list)
    grown: list[int] = field(default_factory=list)
    known: set[int] = field(default_factory=set)
    known_conversations: set[int] = field(default_factory=set)
    gone: list[Row] = field(default_factory=list)
    reopened: list[Activity] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message of a batch, and what it means to stand where it came to."""

    fetched: Fetched
    place: Where


async def store_batch(
    act: Action,
    mailbox: Row,
    messages: Sequence[Incoming],
    own: set[str],
    *,
    arrived: bool,
    held_by: int | None = None,
) -> Stored:
    """Store those messages that the mailbox does not have, in the order given.

    What *arrived* is numbered and reopens what was done; history is not and does not. `held_by`: another mailbox whose
    account holds them.
    """
    stored = Stored()
    known = await _known(mailbox["id"], [each.fetched for each in messages])
    positions: dict[Identity, int] = {}
    new: list[Incoming] = []
    where: dict[int, int] = {}
    for each in messages:
        fetched = each.fetched
        same_as = identities(fetched)
        record = next((known[key] for key in same_as if key in known), None)
        if record is not None:
            stored.ids[fetched.uid] = record["id"]
            if record["id"] not in stored.known and record["gone_at"] is not None:
                stored.gone.append(record)
            stored.known.add(record["id"])
            stored.known_conversations.add(record["conversation_id"])
            continue
        position = next((positions[key] for key in same_as if key in positions), len(new))
        if position == len(new):
            new.append(each)
        where[fetched.uid] = position
        for key in same_as:
            positions.setdefault(key, position)
    if new:
        ids = await numbers_of("messages", len(new))
        stored.ids |= {uid: ids[position] for uid, position in where.items()}
        stored.new = ids
        await store_raws({each.fetched.prepared.digest: each.fetched.raw for each in new})
        await _store_new(act, mailbox, new, own, stored, arrived=arrived, held_by=held_by)
    return stored


Identity = tuple[str, ...]


def identities(fetched: Fetched) -> list[Identity]:
    """What makes two messages the same, best first: the server's word, then Message-ID and content."""
    prepared = fetched.prepared
    said = [(fetched.email_id,)] if fetched.email_id else []
    return [*said, (prepared.message_id, prepared.content_digest)]


async def _known(mailbox_id: int, messages: Sequence[Fetched]) -> dict[Identity, Row]:
    """The messages that the mailbox has already, by each identity that is asked for."""
    found: dict[Identity, Row] = {}
    pairs = {(each.prepared.message_id, each.prepared.content_digest) for each in messages}
    for record in await fetch(
        "SELECT m.id, m.conversation_id, m.gone_at, m.message_id, m.content_digest "
        "FROM unnest($2::text[], $3::text[]) AS w(message_id, content_digest) JOIN messages m "
        "ON m.mailbox_id = $1 AND m.message_id = w.message_id AND m.content_digest = w.content_digest "
        "UNION SELECT m.id, m.conversation_id, m.gone_at, m.message_id, m.content_digest "  # read elsewhere now
        "FROM unnest($2::text[], $3::text[]) AS w(message_id, content_digest) JOIN messages m "
        "ON m.moved_from = $1 AND m.message_id = w.message_id AND m.content_digest = w.content_digest ORDER BY 1",
        mailbox_id,
        [pair[0] for pair in pairs],
        [pair[1] for pair in pairs],
    ):
        found.setdefault((record["message_id"], record["content_digest"]), record)
    said = {each.email_id for each in messages if each.email_id}
    if said:
        for record in await fetch(
            "SELECT id, conversation_id, gone_at, email_id FROM messages "
            "WHERE (mailbox_id = $1 OR moved_from = $1) AND email_id <> '' AND email_id = ANY($2) ORDER BY id",
            mailbox_id,
            list(said),
        ):
            found.setdefault((record["email_id"],), record)
    return found


async def numbers_of(table: str, count: int) -> list[int]:
    """New ids of a table."""
    rows = await fetch(
        "SELECT nextval(pg_get_serial_sequence($1, 'id')) AS id FROM generate_series(1, $2::int)", table, count
    )
    return [row["id"] for row in rows]


def _is_ours(message: Incoming, sender: str, own: set[str]) -> bool:
    """Whether the mailbox sent it. Who merely writes under its address did not, if the server could tell."""
    return message.place == "sent" or (sender in own and not disowned(message.fetched.raw, sender))


async def _store_new(
    act: Action,
    mailbox: Row,
    new: Sequence[Incoming],
    own: set[str],
    stored: Stored,
    *,
    arrived: bool,
    held_by: int | None,
) -> None:
    prepared = [each.fetched.prepared for each in new]
    outgoing = [_is_ours(one, each.sender_address, own) for one, each in zip(new, prepared, strict=True)]
    dates = [believable(each.written, one.fetched.received_at) for one, each in zip(new, prepared, strict=True)]
    news = [arrived and not sent and one.place not in QUIET for one, sent in zip(new, outgoing, strict=True)]
    asked = [one.fetched for one, is_news in zip(new, news, strict=True) if is_news]
    accepting = await _accepting(mailbox["id"], asked)
    noticed = [is_news and one.fetched.uid not in accepting for one, is_news in zip(new, news, strict=True)]
    arrivals = await _arrivals(mailbox["id"], noticed)
    gathering = Gathering(own, await _visibility_rule(mailbox))
    await _tell_what_is_known(gathering, mailbox["id"], prepared)
    for position, message in enumerate(prepared):
        gathering.add(position, message, dates[position], outgoing=outgoing[position])
    groups = gathering.groups
    begun = [group for group in groups if group.conversation_id is None]
    grown = [group for group in groups if group.conversation_id is not None and group.members]
    stored.begun = await numbers_of("conversations", len(begun)) if begun else []
    for group, number in zip(begun, stored.begun, strict=True):
        group.conversation_id = number
    members = [Member(stored.new[n], prepared[n], dates[n], outgoing[n], arrivals[n]) for n in range(len(new))]
    await _begin(mailbox["id"], begun, new, members, arrived=arrived)
    await _join(act, groups)
    stored.grown = [group.conversation_id for group in grown if group.conversation_id is not None]
    stored.audiences = await _audiences(grown)
    where = {position: group.conversation_id for group in groups for position in group.members}
    await copy_rows(
        "messages",
        MESSAGE_COLUMNS,
        [_row(mailbox["id"], where[n], new[n].fetched, member, held_by) for n, member in enumerate(members)],
    )
    await _leave_keys(mailbox["id"], groups, prepared, set(stored.begun))
    if arrived:
        for member in members:
            if member.prepared.reports and not member.outgoing:
                await enqueue("take_report", message_id=member.number)
            if member.prepared.answers_meeting is not None and not member.outgoing:
                await enqueue("take_meeting_answer", message_id=member.number)
        stored.reopened = await _reopen(
            [group for group in grown if any(_opens(new[n], noticed[n]) for n in group.members)]
        )
        answered = {group.conversation_id for group in grown if any(news[n] for n in group.members)}
        await somebody_wrote(act, mailbox["id"], {number for number in answered if number is not None})
    await sum_up_all(stored.grown)


async def _accepting(mailbox_id: int, messages: Sequence[Fetched]) -> set[int]:
    """The UIDs of those mails that say yes to an invitation of this mailbox, and nothing else: there is nothing to do
    about them, so they make no noise."""
    saying = {
        each.uid: each.prepared.answers_meeting
        for each in messages
        if each.prepared.answers_meeting is not None
        and each.prepared.accepts_only
        and each.prepared.answers_meeting[1] == each.prepared.sender_address
        and not disowned(each.raw, each.prepared.sender_address)
    }
    known = await believed(mailbox_id, set(saying.values())) if saying else set()
    return {uid for uid, pair in saying.items() if pair in known}


def _opens(message: Incoming, noticed: bool) -> bool:
    return noticed and message.place != "done"


async def _arrivals(mailbox_id: int, noticed: Sequence[bool]) -> list[int]:
    """The numbers of the messages that people are to notice, in their order; 0 for the others."""
    count = sum(noticed)
    if not count:
        return [0] * len(noticed)
    last = await fetch_value(
        "UPDATE mailboxes SET last_arrival = last_arrival + $2 WHERE id = $1 RETURNING last_arrival", mailbox_id, count
    )
    numbers = iter(range(last - count + 1, last + 1))
    return [next(numbers) if each else 0 for each in noticed]


async def _audiences(grown: Sequence[Group]) -> dict[int, list[int]]:
    """Who sees the confidential ones of these conversations."""
    found = [group.conversation_id for group in grown if group.visibility == "confidential"]
    return {number: await viewers(number) for number in found if number is not None}


async def _reopen(groups: Sequence[Group]) -> list[Activity]:
    """What was done is open again; answers the lines that tell so."""
    if not groups:
        return []
    records = await fetch(
        "WITH again AS (UPDATE conversations SET status = 'open' WHERE id = ANY($1) AND status IN ('done', 'trash') "
        "RETURNING id) INSERT INTO activities (conversation_id, kind, actor_id, value, at) "
        "SELECT id, 'reopened', NULL, '', now() FROM again RETURNING *",
        [group.conversation_id for group in groups],
    )
    return [activity_of(record) for record in records]


def _row(
    mailbox_id: int, conversation_id: int | None, fetched: Fetched, member: Member, held_by: int | None
) -> tuple[object, ...]:
    """Values for MESSAGE_COLUMNS."""
    prepared = member.prepared
    ids = (member.number, mailbox_id, conversation_id)
    direction = "outgoing" if member.outgoing else "incoming"
    identity = (prepared.digest, prepared.content_digest, prepared.message_id, fetched.email_id, direction)
    head = (prepared.sender, prepared.recipients, member.date, prepared.subject, prepared.snippet)
    body = (prepared.text, prepared.has_html, prepared.attachments, prepared.problems)
    rest = (member.arrival, None, prepared.automatic, datetime.now(UTC), False, "", held_by)
    return (*ids, *identity, *head, *body, *rest)


async def _visibility_rule(mailbox: Row) -> Callable[[Prepared], Visibility]:
    """ "Mark incoming as private by default": private, and confidential when the mail names members personally."""
    if not mailbox["private_by_default"]:
        return lambda message: "open"
    members = {
        record["email"]
        for record in await fetch(
            "SELECT u.email FROM mailbox_readers r JOIN users u ON u.id = r.user_id WHERE r.mailbox_id = $1",
            mailbox["id"],
        )
    }
    return lambda message: "private" if members.isdisjoint(message.addressed[:MOST_ADDRESSED]) else "confidential"


async def _tell_what_is_known(gathering: Gathering, mailbox_id: int, messages: Sequence[Prepared]) -> None:
    """Give the conversations of the store that hold keys which these messages look for."""
    wanted = {key for message in messages for key in (*message.finds, *message.dated_finds)}
    keys: dict[int, list[tuple[str, datetime | None]]] = defaultdict(list)
    for record in await fetch(
        "SELECT link, conversation_id, at FROM thread_links WHERE mailbox_id = $1 AND link = ANY($2)",
        mailbox_id,
        list(wanted),
    ):
        keys[record["conversation_id"]].append((record["link"], record["at"]))
    if not keys:
        return
    gathering.parted = await parted_pairs(list(keys)) if len(keys) > 1 else ()
    for record in await fetch(
        "SELECT c.id, c.visibility, c.addressed, c.correspondents, known.* FROM conversations c CROSS JOIN LATERAL ("
        "SELECT max(date) AS date, coalesce(bool_or(direction = 'incoming' AND sender IS NOT NULL), false) AS answered "
        "FROM messages m WHERE m.conversation_id = c.id) known "
        "WHERE c.id = ANY($1) AND c.joined_into IS NULL ORDER BY c.id",
        list(keys),
    ):
        writers = [person["address"].lower() for person in msgspec.json.decode(record["correspondents"])]
        group = Group(
            order=record["id"],
            conversation_id=record["id"],
            visibility=record["visibility"],
            people={*writers, *record["addressed"]},
            senders=set(writers) if record["answered"] else set(),
            receivers=() if record["answered"] else tuple(writers),
            newest=record["date"],
        )
        gathering.know(group, keys[record["id"]])


async def _begin(
    mailbox_id: int, begun: Sequence[Group], messages: Sequence[Incoming], members: Sequence[Member], *, arrived: bool
) -> None:
    """New conversations, summed up. `messages` and `members` are those of the batch, by position."""
    now = datetime.now(UTC)
    rows: list[tuple[object, ...]] = []
    for group in begun:
        status = begins_with(messages[group.members[0]].place, arrived=arrived)
        sums = summary([members[position] for position in group.members])
        rows.append((group.conversation_id, mailbox_id, status, group.visibility, 1, now, *sums))
    await copy_rows("conversations", CONVERSATION_COLUMNS, rows)


async def _join(act: Action, groups: Sequence[Group]) -> None:
    """Conversations of the store that old mail connects. Rare, and told one by one, for people may have them open."""
    for group in groups:
        if group.joins and group.conversation_id is not None:
            activity = await join_conversations(act, group.conversation_id, group.joins)
            await sum_up_all([group.conversation_id])
            await tell_joined(act, group.conversation_id, activity)


async def _leave_keys(mailbox_id: int, groups: Sequence[Group], messages: Sequence[Prepared], begun: set[int]) -> None:
    """Remember by which keys later messages find these conversations."""
    rows: list[tuple[int, str, int, datetime | None]] = []
    more: list[tuple[int, str, int, datetime | None]] = []
    for group in groups:
        number = group.conversation_id
        assert number is not None
        keys: dict[tuple[str, datetime | None], None] = {}
        for message in (messages[position] for position in group.members):
            keys.update(((key, None), None) for key in message.leaves)
            keys.update(((key, message.linked_at), None) for key in message.dated_leaves)
        (rows if number in begun else more).extend((mailbox_id, key, number, at) for key, at in keys)
    await copy_rows("thread_links", ("mailbox_id", "link", "conversation_id", "at"), rows)
    if more:
        await execute(
            "INSERT INTO thread_links (mailbox_id, link, conversation_id, at) SELECT $1, * FROM "
            "unnest($2::text[], $3::bigint[], $4::timestamptz[]) ON CONFLICT DO NOTHING",
            mailbox_id,
            [row[1] for row in more],
            [row[2] for row in more],
            [row[3] for row in more],
        )
