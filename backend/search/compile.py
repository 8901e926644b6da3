"""From what is wanted to SQL about the conversation `c`, the read mark `r` and the watermark `w` of who asks.

The only place where a search becomes conditions. `$1` is the person and `$2` the mailbox that alone is looked in, or
null; other values travel as parameters, too. Nothing here widens what a person sees: every query that a part goes into
says so itself (`SEES`), and what a name means is sought among what the person may know of (backend/search/names.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from backend.access.asker import Asker
from backend.contacts.queries import pattern_of
from backend.database.connection import fetch_value
from backend.mailboxes.queries import UNREAD
from backend.search.lookup import Lookup, look_up
from backend.search.names import find_addresses, find_places, find_somebody, find_tags
from backend.search.values import read_days, read_size
from backend.search.wanted import Group, Term, Wanted
from backend.search.words import SHOWN, WORDS, in_comments, in_files, in_messages, walked

Put = Callable[[object, str], str]
"""Makes a parameter of a value and the name of its type."""
Sql = Callable[[Put], str]

OPENED = (
    "(m.mailbox_id IN (SELECT mailbox_id FROM mailbox_readers WHERE user_id = $1) "
    "OR m.conversation_id IN (SELECT conversation_id FROM shared_conversations WHERE user_id = $1)) "
    "AND ($2::bigint IS NULL OR m.mailbox_id = $2)"
)
"""Of a message `m`: it stands in what the person may open. Confidential conversations are left to `SEES`."""

MAY_FIT = "message_letters(m.subject, m.sender, m.body_text) LIKE ALL ({letters})"
"""Of a message whose words are not taken down yet: most that do not fit do not even hold the letters."""

STATES = {
    "unread": UNREAD,
    "read": f"NOT {UNREAD}",
    "open": "c.status = 'open'",
    "done": "c.status = 'done'",
    "spam": "c.status = 'spam'",
    "trash": "c.status = 'trash'",
    "unassigned": "c.assignee_id IS NULL AND c.assigned_team_id IS NULL",
    "assigned": "(c.assignee_id IS NOT NULL OR c.assigned_team_id IS NOT NULL)",
    "mine": "c.assignee_id = $1",
    "private": "c.visibility <> 'open'",
    "confidential": "c.visibility = 'confidential'",
    "shared": "c.shared",
    "starred": "c.starred",
    "followed": "c.follower_ids @> ARRAY[$1::bigint]",
    "snoozed": "coalesce(r.remind_kind, '') = 'snooze' AND NOT r.remind_due",
    "reminder": "r.remind_at IS NOT NULL",
}
HOLDS = {
    "attachment": "c.has_attachments",
    "comment": "c.comment_count > 0",
    "draft": "EXISTS (SELECT 1 FROM drafts d WHERE d.conversation_id = c.id)",
    "tag": "c.tag_ids <> '{}'",
}
PLACES = {
    "inbox": "c.status = 'open'",
    "archive": "c.status = 'done'",
    "done": "c.status = 'done'",
    "spam": "c.status = 'spam'",
    "junk": "c.status = 'spam'",
    "trash": "c.status = 'trash'",
    "bin": "c.status = 'trash'",
    "sent": "EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = c.id AND m.direction = 'outgoing' "
    f"AND {SHOWN})",
    "drafts": HOLDS["draft"],
    "anywhere": "true",
}
SORTS = ("newest", "relevance")
_TEXT = ("", "from", "subject")
_SAID_WHERE = frozenset({("is", "open"), ("is", "done"), ("is", "spam"), ("is", "trash")})


@dataclass(frozen=True, slots=True)
class Part:
    """One condition. `hits`: a SELECT of the conversations that fit, by an index, where there is one; up to `most` of
    them it is quicker than to look at conversations one by one."""

    condition: Sql
    hits: Sql | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a group, one of which must stand in a message, a comment or an attachment: as the text of a tsquery,
    and patterns of letters without which none of them stands there."""

    query: str
    letters: tuple[str, ...]


@dataclass(slots=True)
class Plan:
    """Every group as parts of which one must hold. `words` are those that must stand somewhere, `shown` what is marked
    in what is found, and `said` the values that could not be read, as sentences."""

    groups: list[list[Part]] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)
    shown: list[tuple[Term, Lookup]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    by_relevance: bool = False
    everywhere: bool = False


async def make_plan(asker: Asker, wanted: Wanted) -> Plan:
    """What the search means for this person."""
    looked_up = await look_up([term for term in wanted.terms if term.key in _TEXT])
    plan = Plan()
    today = await _today(asker, wanted)
    for group in wanted.groups:
        await _add_group(plan, asker, group, looked_up, today)
    return plan


async def _add_group(
    plan: Plan, asker: Asker, group: Group, looked_up: dict[Term, Lookup], today: tuple[date, ZoneInfo] | None
) -> None:
    parts: list[Part] = []
    together: list[Lookup] = []
    for term in group:
        if term.key in _TEXT:
            found = looked_up[term]
            if not found.query:
                continue
            if term.negated:
                parts.append(_without(_words_part(_words([found]))))
            else:
                together.append(found)
                plan.shown.append((term, found))
            continue
        if _says_where(term):
            plan.everywhere = True
        if term.key == "sort":
            if term.value.lower() in SORTS:
                plan.by_relevance = term.value.lower() == "relevance"
            else:
                plan.said.append("Results are sorted by newest or by relevance.")
            continue
        part = await _operator(asker, term, today)
        if isinstance(part, str):
            plan.said.append(part)
            continue
        parts.append(_without(part) if term.negated else part)
    if together:
        words = _words(together)
        plan.words.append(words)
        parts.insert(0, _words_part(words))
    if parts:
        plan.groups.append(parts)


def _says_where(term: Term) -> bool:
    """Whether it names a status, so that spam and trash are not left out."""
    value = term.value.lower()
    return (term.key, value) in _SAID_WHERE or (term.key == "in" and value in PLACES)


def _words(found: Sequence[Lookup]) -> Words:
    query = " | ".join(f"({each.query})" for each in found)
    return Words(query, found[0].letters if len(found) == 1 else ())


def waiting_fits(query: str, letters: str) -> str:
    """SQL: a message `m` whose words are not taken down yet fits."""
    return f"{MAY_FIT.format(letters=letters)} AND {WORDS} @@ {query}"


def _words_part(words: Words) -> Part:
    def put_query(put: Put) -> tuple[str, str]:
        return f"{put(words.query, 'text')}::tsquery", put(list(words.letters), "text[]")

    def condition(put: Put) -> str:
        query, letters = put_query(put)
        return walked(query, waiting_fits(query, letters))

    def hits(put: Put) -> str:
        query, letters = put_query(put)
        waiting = (
            "SELECT m.conversation_id FROM words_waiting waiting CROSS JOIN LATERAL "
            f"(SELECT * FROM messages WHERE id = waiting.message_id OFFSET 0) m "
            f"WHERE {SHOWN} AND {OPENED} AND {waiting_fits(query, letters)}"
        )
        sources = (in_messages(query, OPENED), in_files(query, OPENED), in_comments(query), waiting)
        return " UNION ALL ".join(sources)

    return Part(condition, hits)


def _without(part: Part) -> Part:
    return Part(lambda put: f"NOT coalesce({part.condition(put)}, false)")


def _plain(condition: str) -> Part:
    return Part(lambda _: f"({condition})")


async def _operator(asker: Asker, term: Term, today: tuple[date, ZoneInfo] | None) -> Part | str:
    """What the operator asks for, or a sentence about its value."""
    value = term.value
    match term.key:
        case "is" | "has":
            return _of_these(term)
        case "to" | "cc":
            return _recipient(term.key, value, await find_addresses(asker, value))
        case "filename":
            return _filename(value)
        case "in":
            return await _place(asker, value)
        case "assignee" | "mentions":
            return await _somebody(asker, term)
        case "tag":
            tag_ids = await find_tags(value)
            if not tag_ids:
                return f"There is no tag “{value}”."
            return Part(lambda put: f"(c.tag_ids <> '{{}}' AND c.tag_ids && {put(list(tag_ids), 'bigint[]')})")
        case "before" | "after" | "on":
            assert today is not None
            return _days(term, *today)
        case _:
            return _size(term)


def _of_these(term: Term) -> Part | str:
    value = term.value.lower()
    if term.key == "has":
        value = value.removesuffix("s")
        known = HOLDS
    else:
        known = STATES
    if value in known:
        return _plain(known[value])
    return f"“{term.key}:{term.value}” is not known. There are {', '.join(f'{term.key}:{each}' for each in known)}."


def _recipient(key: str, value: str, addresses: list[str]) -> Part:
    """By any part of an address, or by the name of a contact. To whom a copy went is read in the messages."""

    def condition(put: Put) -> str:
        like = put(f"%{pattern_of(value.lower())}%", "text")
        known = put(addresses, "text[]")
        addressed = f"(addressed_letters(c.addressed) LIKE {like} OR c.addressed && {known})"
        if key == "to":
            return addressed
        return (
            f"({addressed} AND EXISTS (SELECT 1 FROM messages m CROSS JOIN LATERAL "
            "jsonb_array_elements(m.recipients -> 'cc') person "
            f"WHERE m.conversation_id = c.id AND {SHOWN} AND (lower(person ->> 'address') LIKE {like} "
            f"OR lower(person ->> 'address') = ANY({known}) "
            f"OR lower(fold_accents(person ->> 'name')) LIKE lower(fold_accents({like})))))"
        )

    return Part(condition)


MOST_NAMED = 500
"""Hits of a name of a file up to which they are looked up: to compare one name takes long."""


def _filename(value: str) -> Part:
    def named(put: Put) -> str:
        like = put(f"%{pattern_of(value.lower())}%", "text")
        return f"m.attachments <> '[]' AND attachment_names(m.attachments) LIKE fold_accents({like}) AND {SHOWN}"

    return Part(
        lambda put: (
            f"(c.has_attachments AND EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = c.id AND {named(put)} "
            "OFFSET 0))"
        ),
        lambda put: f"SELECT m.conversation_id FROM messages m WHERE {named(put)} AND {OPENED}",
        MOST_NAMED,
    )


async def _place(asker: Asker, value: str) -> Part | str:
    if value.lower() in PLACES:
        return _plain(PLACES[value.lower()])
    found = await find_places(asker, value)
    if not found:
        return f"You have no mailbox and no folder “{value}”."

    def condition(put: Put) -> str:
        mailboxes, folders = put(list(found.mailbox_ids), "bigint[]"), put(list(found.folder_ids), "bigint[]")
        return (
            f"(c.mailbox_id = ANY({mailboxes}) OR EXISTS (SELECT 1 FROM messages m JOIN placements p "
            f"ON p.message_id = m.id WHERE m.conversation_id = c.id AND {SHOWN} AND p.folder_id = ANY({folders}) "
            "OFFSET 0))"
        )

    return Part(condition)


async def _somebody(asker: Asker, term: Term) -> Part | str:
    if term.key == "assignee" and term.value.lower() in ("none", "nobody"):
        return _plain(STATES["unassigned"])
    found = await find_somebody(asker, term.value)
    if not found or (term.key == "mentions" and not found.user_ids):
        return f"Nobody here is called “{term.value}”."

    def condition(put: Put) -> str:
        people = put(list(found.user_ids), "bigint[]")
        if term.key == "mentions":
            return (
                "EXISTS (SELECT 1 FROM conversation_people p WHERE p.conversation_id = c.id "
                f"AND p.user_id = ANY({people}) AND p.reason = 'mentioned')"
            )
        return f"(c.assignee_id = ANY({people}) OR c.assigned_team_id = ANY({put(list(found.team_ids), 'bigint[]')}))"

    return Part(condition)


def _days(term: Term, today: date, zone: ZoneInfo) -> Part | str:
    """By a conversation's last mail, as everywhere in Tandem."""
    days = read_days(term.value, today)
    if days is None:
        return f"“{term.value}” is no day. Write 2026-11-30, yesterday or 7d."
    first, beyond = (datetime(each.year, each.month, each.day, tzinfo=zone) for each in days)

    def condition(put: Put) -> str:
        match term.key:
            case "before":
                return f"(c.last_at < {put(first, 'timestamptz')})"
            case "after":
                return f"(c.last_at >= {put(first, 'timestamptz')})"
            case _:
                return f"(c.last_at >= {put(first, 'timestamptz')} AND c.last_at < {put(beyond, 'timestamptz')})"

    return Part(condition)


def _size(term: Term) -> Part | str:
    size = read_size(term.value)
    if size is None:
        return f"“{term.value}” is no size. Write 500k or 5M."
    sign = ">" if term.key == "larger" else "<"

    def fits(put: Put) -> str:
        return f"raw.size {sign} {put(size, 'bigint')} AND {SHOWN}"

    return Part(
        lambda put: (
            "EXISTS (SELECT 1 FROM messages m JOIN raw_messages raw ON raw.digest = m.raw_digest "
            f"WHERE m.conversation_id = c.id AND {fits(put)} OFFSET 0)"
        ),
        lambda put: (
            "SELECT m.conversation_id FROM raw_messages raw JOIN messages m ON m.raw_digest = raw.digest "
            f"WHERE {fits(put)} AND {OPENED}"
        ),
    )


async def _today(asker: Asker, wanted: Wanted) -> tuple[date, ZoneInfo] | None:
    """The day where the person is; None where no day is asked for."""
    if not any(term.key in ("before", "after", "on") for term in wanted.terms):
        return None
    zone = ZoneInfo(await fetch_value("SELECT time_zone FROM users WHERE id = $1", asker.user_id))
    return datetime.now(zone).date(), zone
