"""One account seen from three sides: a real IMAP server, a second mail program, and Tandem with its watcher and jobs.

    async with World.of(cast, databases, folder, server) as world:
        await world.play(Step("deliver", 0, 0))
        await world.play(Step("done", 3, 0))
        await world.settle()        # waits until nothing moves any more; fails with what differs between the sides

The watcher and the jobs are those of the worker, in this process, with short timings. Tandem reaches the server
through a proxy that can be cut. A step names what it acts on by number, modulo what there is, so that every sequence of
steps can be played: a campaign may draw them at random and shrink them.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import msgspec
import pytest

from backend.accounts.credentials import Passwords, seal_passwords
from backend.conversations.contracts import ConversationDetail, SetRead, SetStar, SetStatus
from backend.database.connection import execute, fetch, fetch_row, fetch_value
from backend.jobs import job_queue, register
from backend.mail import placing
from backend.mail.raw import load_raw
from backend.settings import settings
from backend.tags.contracts import ChangeTags, SaveTag, Tag
from backend.workers import carrying, strayed, visits
from backend.workers.account_lease import Lease
from backend.workers.account_store import PostgresAccountStore
from backend.workers.logins import mail_login
from backend.workers.strayed import settle_removed
from sync.errors import LeaseLost
from sync.imap.account import AccountWatcher, Timing
from sync.imap.connection import open_connection
from sync.types import DELETED, SEEN, ImapLogin, SmtpLogin
from tests.servers.api import Api, Member, Template, environment, fresh_copy
from tests.servers.certificate import Certificate
from tests.servers.delivery import write_mail
from tests.servers.dovecot import Dovecot
from tests.servers.imap_client import Identity, MailServer, OtherClient, Standing
from tests.servers.postgres import Databases
from tests.servers.proxy import Proxy

Kind = Literal[
    "deliver",
    "reply",
    "append",
    "append_again",
    "forge",
    "flag",
    "unflag",
    "move",
    "move_by_copy",
    "copy",
    "expunge",
    "create_folder",
    "rename_folder",
    "delete_folder",
    "recreate_folder",
    "renumber",
    "done",
    "trash",
    "spam",
    "open",
    "read",
    "unread",
    "star",
    "unstar",
    "tag",
    "untag",
    "cut",
    "wait",
    "settle",
]
KINDS: tuple[Kind, ...] = Kind.__args__
"""Everything that a step can be."""

OFTEN: dict[Kind, int] = {"deliver": 5, "append": 3, "move": 4, "flag": 3, "expunge": 2, "done": 3, "trash": 2}
OWN_FOLDERS = ("Projects", "Bills", "Projects 2026", "Übung & Co")
"""Folders that the second program makes; what stands outside ASCII goes over the wire as modified UTF-7."""
TAG = "Warranty"
"""A tag here, and its keyword there."""
FLAGS = (SEEN, "\\Flagged", "\\Answered", "$Later", TAG)
QUICK = Timing(
    idle=30, settle=0.1, poll=0.3, command=5, first_retry=0.05, last_retry=0.3, permanent_retry=1, report=0.05
)
SETTLE_SECONDS = 25.0
GRACE = timedelta(seconds=1)

Login = Callable[[int], Awaitable[tuple[ImapLogin, SmtpLogin]]]
P = TypeVar("P", bound=Proxy)

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that somebody does; `a` and `b` choose what it is done to."""

    kind: Kind
    a: int = 0
    b: int = 0

    def __repr__(self) -> str:
        return f"Step({self.kind!r}, {self.a}, {self.b})"


def random_steps(seed: int, count: int) -> list[Step]:
    """A play: the same for the same seed. Begins with three mails, so that the rest has something to act on."""
    chance = random.Random(seed)
    weights = [OFTEN.get(kind, 1) for kind in KINDS]
    kinds = ["deliver", "append", "deliver", *chance.choices(KINDS, weights, k=count - 3)]
    return [Step(kind, chance.randrange(1000), chance.randrange(1000)) for kind in kinds]  # pyright: ignore[reportArgumentType]


def random_step(chance: random.Random) -> Step:
    """Any step, some kinds oftener than others."""
    [kind] = chance.choices(KINDS, [OFTEN.get(kind, 1) for kind in KINDS])
    return Step(kind, chance.randrange(1000), chance.randrange(1000))


def _wire(name: str) -> str:
    """A folder's name as the second program spells it. Only the ones above are needed."""
    return name.replace("&", "&-").replace("Ü", "&ANw-")


@dataclass
class World(Generic[P]):
    """All three sides, and what was seen of them."""

    api: Api
    person: Member
    server: MailServer
    proxy: P
    phone: OtherClient
    mailbox_id: int
    account_id: int
    personal: bool
    tag_id: int = 0
    expunges_all: bool = False
    """The server has no UIDPLUS: what is marked \\Deleted stays there until somebody clears the folder, and counts for
    nothing."""
    played: list[Step] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """What must not have happened at any time."""
    restarts: int = 0
    _seen: set[Identity] = field(default_factory=set)
    _identities: dict[str, Identity] = field(default_factory=dict)
    _watcher: AccountWatcher | None = None

    @classmethod
    @asynccontextmanager
    async def of(
        cls,
        cast: Template,
        databases: Databases,
        folder: Path,
        server: MailServer,
        *,
        personal: bool = False,
        uidplus: bool = True,
        proxy: Callable[[int], P] = Proxy,
        certificate: Certificate | None = None,
        timing: Timing = QUICK,
        history: Sequence[bytes] = (),
    ) -> AsyncIterator[World[P]]:
        """A fresh database, and a fresh user at this server. Personal: Tom's own mailbox; else Support, Ana acting.

        With the server's `certificate` Tandem speaks TLS with it. `history` lies in the inbox before it is connected.
        """
        user = f"trial{next(_numbers)}"
        port = server.imap_port

        async def trusting(account_id: int) -> tuple[ImapLogin, SmtpLogin]:
            imap, smtp = await mail_login(account_id)
            return replace(imap, authority_pem=certificate.certificate_pem if certificate else None), smtp

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(placing, "GRACE", GRACE)
            patch.setattr(strayed, "GRACE", GRACE)
            patch.setattr(carrying, "GIVE_UP", GRACE)
            patch.setattr(visits, "mail_login", trusting)
            # As impatient as the watcher: else a line that stalls under a job heals only after a minute.
            patch.setattr(visits, "open_connection", partial(open_connection, timeout=timing.command))
            if certificate is not None:
                assert isinstance(server, Dovecot)
                port = server.imaps_port
            async with fresh_copy(cast, databases, folder) as api, proxy(port) as through:
                with (
                    environment(folder, TANDEM_ALLOW_PRIVATE_SERVERS="yes"),
                    OtherClient(server, user) as phone,
                ):
                    if history:
                        await phone.append("INBOX", *history, date=time.time() - 40 * 24 * 3600)
                    mailbox_id = api.toms_mailbox if personal else api.support
                    world = cls(
                        api=api,
                        person=api.tom if personal else api.ana,
                        server=server,
                        proxy=through,
                        phone=phone,
                        mailbox_id=mailbox_id,
                        account_id=await _connect(
                            mailbox_id, user, server.password, through.port, "none" if certificate is None else "tls"
                        ),
                        personal=personal,
                        tag_id=(await api.ana.post("/tags", SaveTag(name=TAG), Tag)).id,
                        expunges_all=not uidplus,
                    )
                    patch.setattr(carrying, "look_again", world._look_again)
                    async with world._working(trusting, timing):
                        yield world

    # ---- Tandem at work

    @asynccontextmanager
    async def _working(self, login: Login, timing: Timing) -> AsyncIterator[None]:
        queue = job_queue()
        register(queue, "carry_out", carrying.carry_out, at_once=8)
        register(queue, "settle_removed", settle_removed)
        tasks = [
            asyncio.create_task(self._watch(login, timing), name="watcher"),
            asyncio.create_task(queue.run(dequeue_timeout=timedelta(seconds=0.05)), name="jobs"),
            asyncio.create_task(self._hasten(), name="hasten"),
        ]
        try:
            yield
        finally:
            queue.shutdown.set()
            for task in (tasks[0], tasks[2]):
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            unexpected = [end for end in ended if isinstance(end, Exception)]
            if unexpected:
                raise ExceptionGroup("Tandem's own parts failed", unexpected)

    async def _watch(self, login: Login, timing: Timing) -> None:
        """What backend.workers.incoming does for an account: a watcher that fails is started again."""
        connected_at = await fetch_value("SELECT connected_at FROM mail_accounts WHERE id = $1", self.account_id)
        while True:
            fence = await fetch_value(
                "UPDATE mail_accounts SET fence = fence + 1 WHERE id = $1 RETURNING fence", self.account_id
            )
            imap, _ = await login(self.account_id)
            store = PostgresAccountStore(Lease(self.account_id, self.mailbox_id, fence))
            self._watcher = AccountWatcher(imap, store, connected_at=connected_at, timing=timing)
            try:
                await self._watcher.run()
            except LeaseLost as lost:
                self.restarts += 1
                self.faults += [f"the watcher gave up again and again: {lost}"] if self.restarts == 20 else []
            except Exception as error:
                self.restarts += 1
                self.faults.append(f"the watcher failed: {error!r}")
            await asyncio.sleep(0.05)

    async def _hasten(self) -> None:
        """A job that is to be tried again need not wait for minutes here."""
        while True:
            await execute(
                "UPDATE pgqueuer SET execute_after = now(), attempts = 0 WHERE entrypoint = 'carry_out' "
                "AND status = 'queued' AND execute_after > now() + interval '0.3 seconds'"
            )
            await asyncio.sleep(0.3)

    async def _look_again(self, account_id: int, moved: Mapping[str, Collection[int]]) -> None:
        """What the job tells whoever watches the account."""
        if self._watcher is not None and moved:
            self._watcher.look_again(moved)

    def nudge(self) -> None:
        if self._watcher is not None:
            self._watcher.nudge()

    # ---- what people do

    async def play(self, step: Step) -> None:
        """Do it. Steps that have nothing to act on do nothing, as those that chose a folder which was listed and is
        gone.
        """
        self.played.append(step)
        try:
            await getattr(self, f"_{step.kind}")(step)
        except RuntimeError as refusal:
            if "Mailbox doesn't exist" not in str(refusal):
                raise

    async def _deliver(self, step: Step) -> None:
        await self.phone.deliver(_letter())

    async def _reply(self, step: Step) -> None:
        standing = await self._some_standing(step)
        if standing is not None:
            await self.phone.deliver(_letter(answers=standing.identity.message_id))

    async def _append(self, step: Step) -> None:
        folders = await self._folders()
        flags = FLAGS[step.b % len(FLAGS)] if step.b % 3 == 0 else ""
        await self.phone.append(folders[step.a % len(folders)], _letter(), flags=flags)

    async def _append_again(self, step: Step) -> None:
        standing, folders = await self._some_standing(step), await self._folders()
        if standing is not None:
            await self.phone.append(folders[step.b % len(folders)], standing.raw)

    async def _forge(self, step: Step) -> None:
        standing = await self._some_standing(step)
        if standing is not None:
            await self.phone.deliver(_letter(message_id=standing.identity.message_id, text="Pay to another account."))

    async def _flag(self, step: Step, *, add: bool = True) -> None:
        place = await self._some_message(step)
        if place is not None:
            await self.phone.set_flags(place[0], [place[1]], FLAGS[step.b % len(FLAGS)], add=add)

    async def _unflag(self, step: Step) -> None:
        await self._flag(step, add=False)

    async def _move(self, step: Step) -> None:
        await self._to_other_folder(step, self.phone.move)

    async def _move_by_copy(self, step: Step) -> None:
        await self._to_other_folder(step, self.phone.move_by_copy)

    async def _copy(self, step: Step) -> None:
        await self._to_other_folder(step, self.phone.copy)

    async def _expunge(self, step: Step) -> None:
        place = await self._some_message(step)
        if place is not None:
            await self.phone.expunge(place[0], [place[1]])

    async def _create_folder(self, step: Step) -> None:
        missing = [name for name in map(_wire, OWN_FOLDERS) if name not in await self.phone.folders()]
        if missing:
            await self.phone.create(missing[step.a % len(missing)])

    async def _rename_folder(self, step: Step) -> None:
        own = await self._own_folders()
        missing = [name for name in map(_wire, OWN_FOLDERS) if name not in own]
        if own and missing:
            await self.phone.rename(own[step.a % len(own)], missing[step.b % len(missing)])

    async def _delete_folder(self, step: Step) -> None:
        own = await self._own_folders()
        if own:
            await self.phone.delete(own[step.a % len(own)])

    async def _recreate_folder(self, step: Step) -> None:
        folders = [name for name in await self._folders() if name != "INBOX"]
        await self.phone.recreate(folders[step.a % len(folders)])

    async def _renumber(self, step: Step) -> None:
        """A restored mail store: the inbox and another folder get another UIDVALIDITY, behind everybody's back."""
        server = self.server
        if not isinstance(server, Dovecot):
            return
        folders = await self._folders()

        def work() -> None:
            server.halt()
            for lock in (server.root / "home" / self.phone.user).rglob("*.lock"):
                lock.unlink()  # of a process that was killed: the next one would wait for minutes
            server.change_uid_validity(self.phone.user, folders[step.a % len(folders)])
            server.start()

        await asyncio.to_thread(work)

    async def _done(self, step: Step) -> None:
        await self._status(step, "done")

    async def _trash(self, step: Step) -> None:
        await self._status(step, "trash")

    async def _spam(self, step: Step) -> None:
        await self._status(step, "spam")

    async def _open(self, step: Step) -> None:
        await self._status(step, "open")

    async def _read(self, step: Step, *, read: bool = True) -> None:
        conversation_id = await self._some_conversation(step)
        if conversation_id is not None:
            await self._do("read", conversation_id, SetRead(read=read))

    async def _unread(self, step: Step) -> None:
        await self._read(step, read=False)

    async def _star(self, step: Step, *, starred: bool = True) -> None:
        conversation_id = await self._some_conversation(step)
        if conversation_id is not None:
            await self._do("star", conversation_id, SetStar(starred=starred))

    async def _unstar(self, step: Step) -> None:
        await self._star(step, starred=False)

    async def _tag(self, step: Step) -> None:
        conversation_id = await self._some_conversation(step)
        if conversation_id is not None:
            await self._do("tags", conversation_id, ChangeTags(add=[self.tag_id]))

    async def _untag(self, step: Step) -> None:
        conversation_id = await self._some_conversation(step)
        if conversation_id is not None:
            await self._do("tags", conversation_id, ChangeTags(remove=[self.tag_id]))

    async def _cut(self, step: Step) -> None:
        self.proxy.cut()

    async def _wait(self, step: Step) -> None:
        await asyncio.sleep(step.a % 10 / 20)

    async def _settle(self, step: Step) -> None:
        await self.settle()

    async def _status(self, step: Step, status: Literal["open", "done", "spam", "trash"]) -> None:
        conversation_id = await self._some_conversation(step)
        if conversation_id is not None:
            await self._do("status", conversation_id, SetStatus(status=status))

    async def _do(self, what: str, conversation_id: int, body: object) -> None:
        """What a person does; mail may have joined the conversation into another one just before."""
        reply = await self.person.request("PUT", f"/conversations/{conversation_id}/{what}", body)
        assert reply.is_success or reply.status_code == 404, reply.text

    async def _some_conversation(self, step: Step) -> int | None:
        rows = await fetch(
            "SELECT id FROM conversations WHERE mailbox_id = $1 AND joined_into IS NULL ORDER BY id", self.mailbox_id
        )
        return rows[step.a % len(rows)]["id"] if rows else None

    async def _some_message(self, step: Step) -> tuple[str, int] | None:
        places = [(name, uid) for name, there in sorted((await self.phone.snapshot()).items()) for uid in sorted(there)]
        return places[step.a % len(places)] if places else None

    async def _some_standing(self, step: Step) -> Standing | None:
        """The same with all that it is; None also where Tandem moved it away between the two looks."""
        place = await self._some_message(step)
        return (await self.phone.messages(place[0])).get(place[1]) if place is not None else None

    async def _to_other_folder(self, step: Step, how: Callable[..., Any]) -> None:
        place = await self._some_message(step)
        if place is not None:
            others = [name for name in await self._folders() if name != place[0]]
            await how(place[0], [place[1]], others[step.b % len(others)])

    async def _folders(self) -> list[str]:
        """Drafts are left out: what is begun elsewhere comes with the composer's own synchronisation."""
        return [name for name in await self.phone.folders() if name != "Drafts"]

    async def _own_folders(self) -> list[str]:
        return [name for name in await self.phone.folders() if name in map(_wire, OWN_FOLDERS)]

    # ---- what must be true

    async def settle(self, seconds: float = SETTLE_SECONDS) -> None:
        """Wait until both sides are the same and stay so; AssertionError with what differs, and what led to it."""
        end = time.monotonic() + seconds
        quiet = 0
        while quiet < 2:
            self.nudge()
            await asyncio.sleep(0.15)
            found = await self.differences()
            quiet = 0 if found else quiet + 1
            if time.monotonic() > end and found:
                words = "\n  ".join(found)
                raise AssertionError(f"After {seconds:.0f} s of {self.played}:\n  {words}")
        assert not self.faults, f"{self.faults} in {self.played}"

    async def differences(self) -> list[str]:
        """What is not as it should be when nothing moves; empty when all is well."""
        found = await self._unrest()
        there = await self.phone.snapshot()
        wanted = {
            (name, uid): (standing.identity, sorted(standing.flags))
            for name, messages in there.items()
            for uid, standing in messages.items()
        }
        here = await self._placements()
        for place in sorted(wanted.keys() | here.keys()):
            if self.expunges_all and DELETED in wanted.get(place, (None, []))[1]:
                continue
            if wanted.get(place) != here.get(place):
                found.append(f"{place}: the server has {wanted.get(place)}, Tandem has {here.get(place)}")
        standing = {identity for identity, _ in wanted.values()}
        stored = await self._stored()
        found += [f"{identity} stands {count} times in the mailbox" for identity, count in stored.items() if count > 1]
        found += [f"{identity} is lost" for identity in (self._seen | standing) - stored.keys()]
        if not found:
            self._seen |= standing
            found += await self._misjudged()
        return found

    async def _unrest(self) -> list[str]:
        state = await fetch_value("SELECT state FROM mail_accounts WHERE id = $1", self.account_id)
        status = msgspec.json.decode(state)["status"]
        found = [] if status == "up_to_date" else [f"the account is {status}"]
        for row in await fetch(
            "SELECT i.kind, i.value, m.message_id, i.created_at FROM server_intents i "
            "JOIN messages m ON m.id = i.message_id WHERE i.account_id = $1 AND i.confirmed_at IS NULL",
            self.account_id,
        ):
            found.append(f"wish not confirmed: {row['kind']} {row['value']} of <{row['message_id']}>")
        for row in await fetch(
            "SELECT message_id FROM messages WHERE mailbox_id = $1 AND unplaced_at IS NOT NULL", self.mailbox_id
        ):
            found.append(f"<{row['message_id']}> is on its way")
        waiting = await fetch(
            "SELECT entrypoint, status FROM pgqueuer WHERE entrypoint IN ('carry_out', 'settle_removed')"
        )
        return found + [f"job {row['entrypoint']} is {row['status']}" for row in waiting]

    async def _placements(self) -> dict[tuple[str, int], tuple[Identity, list[str]]]:
        rows = await fetch(
            "SELECT f.name, p.uid, m.raw_digest, ARRAY(SELECT jsonb_array_elements_text(p.flags)) AS flags "
            "FROM placements p JOIN folders f ON f.id = p.folder_id JOIN messages m ON m.id = p.message_id "
            "WHERE f.account_id = $1",
            self.account_id,
        )
        return {
            (row["name"], row["uid"]): (await self._identity(row["raw_digest"]), sorted(row["flags"])) for row in rows
        }

    async def _stored(self) -> Counter[Identity]:
        """Also what was moved into another mailbox since: it lies in this account as before."""
        rows = await fetch(
            "SELECT raw_digest FROM messages WHERE coalesce(moved_from, mailbox_id) = $1", self.mailbox_id
        )
        return Counter([await self._identity(row["raw_digest"]) for row in rows])

    async def _identity(self, digest: str) -> Identity:
        if digest not in self._identities:
            self._identities[digest] = Identity.of(await load_raw(digest))
        return self._identities[digest]

    async def _misjudged(self) -> list[str]:
        """Conversations whose status, read state, star or tag is not what the one place of their one message says."""
        rows = await fetch(
            "SELECT c.id, c.status, c.starred, c.tag_ids, bool_or(p.flags ? '\\Flagged') AS flagged, "
            "bool_or(p.flags ? $2) AS marked, (SELECT count(*) = 1 FROM messages g "
            "WHERE g.conversation_id = c.id) AS alone, min(f.role) AS role, min(f.name) AS name, "
            "bool_or(p.seen) AS seen, max(c.last_arrival) AS last_arrival FROM conversations c "
            "JOIN messages m ON m.conversation_id = c.id AND m.gone_at IS NULL "
            "JOIN placements p ON p.message_id = m.id JOIN folders f ON f.id = p.folder_id "
            "WHERE c.mailbox_id = $1 AND c.joined_into IS NULL AND NOT p.flags ? '\\Deleted' GROUP BY c.id "
            "HAVING count(*) = 1 AND min(m.direction) = 'incoming'",
            self.mailbox_id,
            TAG,
        )
        meaning = {"inbox": "open", "archive": "done", "junk": "spam", "trash": "trash"}
        found = []
        for row in rows:
            expected = meaning.get(row["role"])
            if expected is not None and row["status"] != expected:
                found.append(f"conversation {row['id']} is {row['status']}, its mail stands in {row['name']}")
            if row["alone"] and row["starred"] != row["flagged"]:
                found.append(f"conversation {row['id']}: starred is {row['starred']}, Flagged is {row['flagged']}")
            tagged = self.tag_id in row["tag_ids"]
            if row["alone"] and tagged != row["marked"]:
                found.append(f"conversation {row['id']}: tagged is {tagged}, its keyword is {row['marked']}")
            if self.personal:
                detail = await self.person.get(f"/conversations/{row['id']}", ConversationDetail)
                unread = detail.mark.forced_unread or detail.row.last_arrival > detail.mark.read_up_to
                if unread == row["seen"]:
                    found.append(f"conversation {row['id']} is {'un' * unread}read, Seen is {row['seen']}")
        return found


async def _connect(mailbox_id: int, user: str, password: str, port: int, security: str) -> int:
    """Give the mailbox its account, connected now, held by this test; answers its id."""
    await execute("DELETE FROM mail_accounts WHERE mailbox_id = $1", mailbox_id)
    row = await fetch_row(
        "INSERT INTO mail_accounts (mailbox_id, address, username, imap_host, imap_port, imap_security, smtp_host, "
        "smtp_port, smtp_security, smtp_username, credentials, state, connected_at, lease_holder, lease_until) "
        "SELECT id, address, $2, '127.0.0.1', $3, $6, '127.0.0.1', 1, 'none', '', $4, "
        "json_build_object('mailbox_id', id, 'status', 'connecting')::jsonb, $5, 'a test', now() + interval '1 day' "
        "FROM mailboxes WHERE id = $1 RETURNING id",
        mailbox_id,
        user,
        port,
        seal_passwords(settings(), Passwords(imap=password, smtp="")),
        datetime.now(UTC),
        security,
    )
    assert row is not None
    return row["id"]


def _letter(*, answers: str = "", message_id: str = "", text: str = "") -> bytes:
    """A mail like no other: its own correspondent, its own subject, so that it begins its own conversation."""
    number = next(_numbers)
    return write_mail(
        subject=f"Matter {number}",
        text=f"{text} This is mail {number}.\n",
        sender=f"Customer {number} <customer{number}@customer.example>",
        answers=answers,
        message_id=message_id,
    )
