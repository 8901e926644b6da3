"""Batches come to the same as one message after the other, whatever their order and however they are cut."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.mail.actions import Fetched, store_fetched
from backend.mail.gathering import Gathering, Group
from backend.mail.reading import Prepared, read_message
from sync.mime.parse import parse_message
from sync.mime.threading import group as grouped
from sync.mime.threading import thread_headers
from tests.backend.mail.one_by_one import store_one_by_one
from tests.servers.api import Api
from tests.servers.delivery import folder_of, write_mail

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OURS = "support@northwind.example"
PEOPLE = ("carla@customer.example", "eve@elsewhere.example", "bob@customer.example", OURS)


@dataclass(frozen=True)
class Mail:
    """A mail of a random mailbox: its number is its Message-ID, `answers` the numbers that it names."""

    number: int
    answers: tuple[int, ...]
    sender: int
    subject: int
    hours: int

    @property
    def raw(self) -> bytes:
        return write_mail(
            subject=f"{'Re: ' if self.subject % 2 else ''}About the order {self.subject // 2}",
            sender=PEOPLE[self.sender],
            to=OURS if PEOPLE[self.sender] != OURS else PEOPLE[self.number % 3],
            answers=" ".join(f"<{each}@customer.example>" for each in self.answers),
            message_id=f"<{self.number}@customer.example>",
            text=f"This is number {self.number}.",
            at=NOW + timedelta(hours=self.hours),
        )


@st.composite
def mailboxes(draw: st.DrawFn) -> list[Mail]:
    """Up to twelve mails in any order; some name others that are not there."""
    count = draw(st.integers(2, 12))
    mails = [
        Mail(
            number=number,
            answers=tuple(draw(st.lists(st.integers(0, 13).filter(lambda n, me=number: n != me), max_size=2))),
            sender=draw(st.integers(0, 3)),
            subject=draw(st.integers(0, 5)),
            hours=draw(st.integers(0, 400)),
        )
        for number in range(count)
    ]
    return draw(st.permutations(mails))


def fetched(mails: Sequence[Mail]) -> list[Fetched]:
    return [
        Fetched(
            uid=mail.number + 1,
            flags=frozenset(),
            received_at=NOW + timedelta(hours=mail.hours),
            raw=mail.raw,
            parsed=parse_message(mail.raw),
        )
        for mail in mails
    ]


async def conversations_of(mailbox_id: int) -> set[tuple[object, ...]]:
    """What is known of each conversation, apart from its numbers."""
    records = await fetch(
        "SELECT c.visibility, c.subject, c.message_count, c.last_at, c.last_direction, c.snippet, c.last_arrival, "
        "c.has_attachments, c.addressed, c.correspondents::text AS correspondents, c.hidden, "
        "ARRAY(SELECT message_id FROM messages m WHERE m.conversation_id = c.id ORDER BY message_id) AS members, "
        "ARRAY(SELECT DISTINCT link || coalesce(at::text, '') AS key FROM thread_links k "
        "WHERE k.conversation_id = c.id ORDER BY key) AS keys "
        "FROM conversations c WHERE c.mailbox_id = $1 AND c.joined_into IS NULL",
        mailbox_id,
    )
    return {tuple(tuple(v) if isinstance(v, list) else v for v in record.values()) for record in records}


async def clear(mailbox_id: int) -> None:
    await execute("DELETE FROM conversations WHERE mailbox_id = $1", mailbox_id)
    await execute("DELETE FROM raw_messages")


async def begin(mailbox: Row, mails: Sequence[Mail], *, closed: bool) -> None:
    """The mailbox before the batches: these mails, and when `closed` the conversation of the first one is private."""
    await store_one_by_one(mailbox, {OURS}, fetched(mails))
    if closed and mails:
        await execute(
            "UPDATE conversations SET visibility = 'private' WHERE id IN "
            "(SELECT conversation_id FROM messages WHERE mailbox_id = $1 AND message_id = $2)",
            mailbox["id"],
            f"{mails[0].number}@customer.example",
        )


@pytest.mark.parametrize("privacy", ["open", "private by default", "one was made private"])
@pytest.mark.timeout(240)
async def test_batches_come_to_the_same_as_one_after_the_other(api: Api, privacy: str) -> None:
    await execute(
        "UPDATE mailboxes SET private_by_default = $2 WHERE id = $1", api.support, privacy == "private by default"
    )
    closed = privacy == "one was made private"
    mailbox = await fetch_row("SELECT * FROM mailboxes WHERE id = $1", api.support)
    assert mailbox is not None
    folder = await folder_of(api.support, "inbox")
    chance = random.Random(17)
    example = mailboxes()

    @hypothesis_settings(
        max_examples=60 if closed else 25, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    @given(example, st.integers(1, 12))
    def collect(mails: list[Mail], size: int) -> None:
        cases.append((mails, size))

    cases: list[tuple[list[Mail], int]] = []
    collect()
    for mails, size in cases:
        before, later = (mails[: len(mails) // 2], mails[len(mails) // 2 :]) if closed else ([], mails)
        await begin(mailbox, before, closed=closed)
        await store_one_by_one(mailbox, {OURS}, fetched(later))
        expected = await conversations_of(api.support)
        await clear(api.support)
        await begin(mailbox, before, closed=closed)
        for start in range(0, len(later), size):
            await store_fetched(folder, fetched(later[start : start + size]), arrived=False)
        assert await conversations_of(api.support) == expected, (mails, size)
        assert await fetch_value("SELECT count(*) FROM placements") == len(later)
        await clear(api.support)
        if chance.random() < 0.3:  # and once more as mail that arrives, whose order is that of the UIDs
            ordered = sorted(mails, key=lambda mail: mail.number)
            await store_one_by_one(mailbox, {OURS}, fetched(ordered))
            arranged = {each[-2] for each in await conversations_of(api.support)}
            await clear(api.support)
            await store_fetched(folder, fetched(mails), arrived=True)
            assert {each[-2] for each in await conversations_of(api.support)} == arranged
            await clear(api.support)


def prepared(mail: Mail) -> Prepared:
    return read_message(mail.raw)


@given(mailboxes())
def test_open_conversations_are_the_groups_of_the_pure_rule(mails: list[Mail]) -> None:
    gathering = Gathering({OURS}, lambda message: "open")
    for position, mail in enumerate(mails):
        gathering.add(position, prepared(mail), NOW, outgoing=False)
    expected = grouped([thread_headers(parse_message(mail.raw)) for mail in mails])
    assert {frozenset(group.members) for group in gathering.groups} == {frozenset(each) for each in expected}


def test_conversations_of_the_store_that_a_batch_connects_are_joined_into_the_oldest() -> None:
    gathering = Gathering({OURS}, lambda message: "open")
    for number in (7, 4, 9):
        known = Group(number, number, "open", set(), set())
        gathering.know(known, [(f"ref:{number}@customer.example", None)])
    for position, number in enumerate((7, 9)):
        late_parent = Mail(number=number, answers=(4,) if number == 9 else (9,), sender=0, subject=0, hours=0)
        gathering.add(position, prepared(late_parent), NOW, outgoing=False)
    [grown] = [group for group in gathering.groups if group.members]
    assert (grown.conversation_id, grown.joins, grown.members) == (7, [9], [0, 1])


async def test_the_same_message_twice_in_a_batch_is_one_with_two_placements(api: Api) -> None:
    folder = await folder_of(api.support, "archive")
    [one] = fetched([Mail(0, (), 0, 0, 0)])
    copy = Fetched(uid=99, flags=one.flags, received_at=one.received_at, raw=one.raw, parsed=read_message(one.raw))
    await store_fetched(folder, [one, copy], arrived=False)
    assert await fetch_value("SELECT count(*) FROM messages") == 1
    assert await fetch_value("SELECT count(DISTINCT message_id) FROM placements") == 1
    assert await fetch_value("SELECT count(*) FROM placements") == 2


async def test_what_the_server_calls_the_same_is_one_message_whatever_its_bytes(api: Api) -> None:
    folder = await folder_of(api.support, "inbox")
    raws = [Mail(number, (), 0, number, 0).raw for number in range(2)]
    for uid, raw in enumerate(raws, 1):
        one = Fetched(uid=uid, flags=frozenset(), received_at=NOW, raw=raw, parsed=read_message(raw), email_id="M0001")
        await store_fetched(folder, [one], arrived=True)
    assert await fetch_value("SELECT count(*) FROM messages") == 1


async def test_a_batch_in_which_one_message_cannot_be_stored_stores_nothing(api: Api) -> None:
    folder = await folder_of(api.support, "inbox")
    good, bad = fetched([Mail(0, (), 0, 0, 0), Mail(1, (), 0, 2, 0)])
    poisoned = Fetched(
        uid=bad.uid, flags=bad.flags, received_at=bad.received_at, raw=bad.raw, parsed=bad.prepared, email_id="\0"
    )
    with pytest.raises(Exception, match="0x00"):
        await store_fetched(folder, [good, poisoned], arrived=False)
    assert await fetch_value("SELECT count(*) FROM messages") == 0
