"""How quickly people see what happens: the product on Dovecot with a used mailbox and five people signed in.

    python -m tests.bench.live --json
    python -m tests.bench.live --json --busy

Two people sit at a real Chromium, three use programs of their own on the live socket. Measured are, in this order:
clicks on conversations, what one person does until the other sees it, mail until it stands in the lists, memory
throughout, and a second start. With `--busy` only mail is measured, once as ever and once while the same worker brings
over another account for the first time. Progress goes to stderr; the last line on stdout is one JSON object, described
in docs/benchmarks.md.
"""

import argparse
import asyncio
import json
import random
import re
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime, localtime, make_msgid
from typing import Any

from backend.accounts.contracts import AccountSettings
from backend.mailboxes.contracts import CreateMailbox, MailboxSettings
from tests.bench.control import ControlClient
from tests.bench.figures import postgres_facts, say, spread, surroundings
from tests.bench.memory import MemoryPeaks
from tests.bench.old_mail import SUPPORT, old_mail
from tests.bench.people import ROW, Desk, chromium, pane, row
from tests.bench.real_mail import MailWriter
from tests.servers.dovecot import Dovecot
from tests.servers.live_client import LiveClient
from tests.servers.product import Product, Visitor
from tests.servers.smtp import RecordingSmtp

USER = "support"
WARM_UP = 3
"""Samples of each kind that are thrown away: the first of everything loads code."""
FLOORS = {
    "push_to_dom_ms": 150,
    "action_to_dom_ms": 100,
    "click_to_conversation_ms": 60,
    "web_rss_mb": 300,
    "worker_rss_mb": 300,
    "start_seconds": 5,
}
BUSY_FLOORS = {"push_to_dom_ms": 150, "busy_push_to_dom_ms": 250}
BUSY_USER = "ana"
BUSY_MESSAGES = 20_000
"""Enough for the first sync to last while mails are measured."""
_MARK = re.compile(r"NB-\d{5}")


@dataclass
class Office:
    """The running product, its people, and what was measured."""

    product: Product
    dovecot: Dovecot
    smtp: RecordingSmtp
    samples: int
    chance: random.Random = field(default_factory=lambda: random.Random(3))
    people: list[Visitor] = field(default_factory=list)
    mailbox: MailboxSettings | None = None
    figures: dict[str, Any] = field(default_factory=dict)

    async def begin(self, conversations: int) -> None:
        """Set up five people and their mailbox, and fetch its mail."""
        ana = await self.product.set_up()
        names = ("Jonas Weber", "Tom Berg", "Lena Fischer", "Maria Costa")
        emails = [f"{name.split()[0].lower()}@northwind.example" for name in names]
        self.people = [ana, *[await self.product.invite(ana, *each) for each in zip(names, emails, strict=True)]]
        self.mailbox = await self.product.group_mailbox(ana, "Support", "support@northwind.example", self.people)
        began = time.monotonic()
        await self.product.connect_account(ana, self.mailbox, self.dovecot, self.smtp, user=USER)
        await self.product.synced(ana, self.mailbox)
        self.figures["first_sync_seconds"] = round(time.monotonic() - began, 1)
        say(f"{conversations} conversations fetched in {self.figures['first_sync_seconds']} s")

    async def sit_down(self, stack: AsyncExitStack) -> list[Desk]:
        """Two people at Chromium, the others with live clients."""
        browser = await stack.enter_async_context(chromium())
        desks = [await Desk.open(browser, visitor) for visitor in self.people[:2]]
        for visitor in self.people[2:]:
            client = LiveClient(self.product.url, {"cookie": visitor.cookie_header})
            await client.start()
            stack.push_async_callback(client.stop)
        self.figures["signed_in"] = {"browsers": len(desks), "clients": len(self.people) - len(desks)}
        return desks

    async def breathe(self, shortest: float = 0.2, longest: float = 0.5) -> None:
        """The pause of a person between two things, in seconds."""
        await asyncio.sleep(self.chance.uniform(shortest, longest))


async def measure_clicks(office: Office, desk: Desk) -> dict[str, Any]:
    """Clicks on rows: now the next one, which stands ready in the page, now any that is before the eyes."""
    opened: list[dict[str, Any]] = []
    selected = 0
    for number in range(office.samples + WARM_UP):
        if number % 6 == 5:
            await desk.scroll_list(office.chance.choice((330, 670)))
            await office.breathe(0.4, 0.6)
        rows = [(each, found[0]) for each, text in await desk.rows() if (found := _MARK.search(text))]
        ids = [each for each, _ in rows]
        choice = ids.index(selected) + 1 if selected in ids[:-1] and number % 2 else office.chance.randrange(len(rows))
        if ids[choice] == selected:
            choice -= 1
        selected, mark = rows[choice]
        opened.append(await desk.open_conversation(selected, mark))
        await office.breathe()
    counted = opened[WARM_UP:]
    parts: dict[str, list[float]] = defaultdict(list)
    for each in counted:
        kind = ("ready" if each["ready"] else "fetched") + ("_html" if each["html"] else "_text")
        parts[kind].append(each["painted_ms"])
    return spread([each["painted_ms"] for each in counted]) | {
        "content_in_dom": spread([each["content_ms"] for each in counted]),
        "by_kind": {kind: spread(times) for kind, times in sorted(parts.items())},
    }


async def measure_actions(office: Office, acting: Desk, watching: Desk) -> dict[str, Any]:
    """One person assigns, comments, closes; the other has the same conversation open."""
    for desk in (acting, watching):
        await desk.begin_again()
    times: dict[str, list[float]] = defaultdict(list)
    number = 0
    while number < office.samples + WARM_UP:
        conversation_id, text = (await acting.rows())[0]
        found = _MARK.search(text)
        assert found is not None
        for desk in (watching, acting):
            await desk.open_conversation(conversation_id, found[0])
        for kind, act in (("assign", _assign), ("comment", _comment), ("done", _close)):
            await office.breathe()
            await act(acting, watching, conversation_id, office.people, number)
            taken = await watching.seen(kind) - await acting.clicked()
            if number >= WARM_UP:
                times[kind].append(taken)
            number += 1
        await office.breathe()
    everything = [each for kind in times.values() for each in kind]
    return spread(everything) | {"by_kind": {kind: spread(each) for kind, each in sorted(times.items())}}


async def _assign(acting: Desk, watching: Desk, conversation_id: int, people: Sequence[Visitor], number: int) -> None:
    to = people[number % len(people)]
    assert to.me is not None
    initials = "".join(word[0] for word in to.me.person.name.split())
    await watching.expect("assign", f"{row(conversation_id)} .meta .mini", text=initials)
    await acting.page.locator(f"{pane(conversation_id)} [data-menu=assign]").click()
    await acting.page.locator(f'[data-panel=assign] [data-act=assign][data-user="{to.user_id}"]').click()


async def _comment(acting: Desk, watching: Desk, conversation_id: int, people: Sequence[Visitor], number: int) -> None:
    text = f"Let us send a new one, number {number}."
    await watching.expect("comment", f"{pane(conversation_id)} .cmt", text=text)
    box = acting.page.locator(f"{pane(conversation_id)} .comment-box")
    await box.locator("textarea").fill(text)
    await box.get_by_role("button", name="Comment", exact=True).click()


async def _close(acting: Desk, watching: Desk, conversation_id: int, people: Sequence[Visitor], number: int) -> None:
    await watching.expect("done", row(conversation_id), absent=True)
    await acting.page.locator(f"{pane(conversation_id)} [data-act=done]").click()


async def measure_pushes(
    office: Office, desks: Sequence[Desk], *, going_on: Callable[[], Awaitable[bool]] | None = None
) -> dict[str, Any]:
    """Mail into Dovecot; from the moment the control client is told until the row stands in each browser's list.

    Dovecot gathers what happens for half a second after the last thing it told a client of. So mails keep more than
    a second apart: then every client, the control and our watcher alike, has to wait for the same half second.
    It ends early when that which is to be `going_on` is over.
    """
    for desk in desks:
        await desk.begin_again()
    times: list[float] = []
    earlier: list[str] = []
    async with ControlClient(office.dovecot, USER) as control:
        for number in range(max(1, office.samples * 2 // 3) + WARM_UP):
            word = f"P{number:04d}x{office.chance.randrange(10**6)}"
            raw, message_id = _new_mail(office.chance, word, earlier)
            earlier.append(message_id)
            for desk in desks:
                await desk.expect(word, f"{ROW} .snip", text=word)
            told = control.next_mail()
            await office.dovecot.deliver(USER, raw)
            at = await asyncio.wait_for(told, 15) * 1000
            seen = [await desk.seen(word) for desk in desks]
            if going_on is not None and not await going_on():
                break
            if number >= WARM_UP or going_on is not None:
                times += [each - at for each in seen]
            await office.breathe(1.3, 1.7)
    return spread(times)


async def measure_busy_pushes(office: Office, desks: Sequence[Desk]) -> dict[str, Any]:
    """The same while another account of this worker is in its first sync, from its beginning to its end."""
    ana = office.people[0]
    own = CreateMailbox(kind="personal", name="Ana Ribeiro", address="ana@northwind.example")
    mailbox = await ana.post("/mailboxes", own, MailboxSettings)
    await office.product.connect_account(ana, mailbox, office.dovecot, office.smtp, user=BUSY_USER)

    async def syncing() -> bool:
        account = await ana.get(f"/mailboxes/{mailbox.id}/account", AccountSettings)
        fetched = max(office.figures.get("busy_messages_fetched", 0), account.state.done)
        office.figures["busy_messages_fetched"] = fetched
        return account.state.status in ("connecting", "syncing")

    return await measure_pushes(office, desks, going_on=syncing)


def _new_mail(chance: random.Random, word: str, earlier: Sequence[str]) -> tuple[bytes, str]:
    """A mail whose text begins with `word`, and its Message-ID. Every third answers an earlier one."""
    mail = EmailMessage()
    mail["From"] = f"Customer {word} <{word}@customers.example>"
    mail["To"] = SUPPORT
    mail["Subject"] = f"A question about {word}"
    mail["Date"] = format_datetime(localtime())
    mail["Message-ID"] = message_id = make_msgid(domain="customers.example")
    if earlier and chance.random() < 1 / 3:
        mail["In-Reply-To"] = mail["References"] = chance.choice(earlier)
    text = f"{word} is what I ordered. " + "It has not come yet, and I wonder where it is. " * chance.randint(1, 40)
    mail.set_content(text)
    if chance.random() < 0.5:
        mail.add_alternative(f"<html><body><p>{text}</p></body></html>", subtype="html")
    return bytes(mail), message_id


async def run(conversations: int, samples: int, *, busy: bool = False) -> dict[str, Any]:
    """The whole benchmark; answers the JSON object."""
    figures: dict[str, Any] = {"benchmark": "live", "conversations": conversations} | surroundings()
    say("starting the product (and compiling the interface, if its sources changed)")
    with Dovecot() as dovecot, RecordingSmtp() as smtp:
        dovecot.fill(USER, "INBOX", old_mail(conversations))
        if busy:
            dovecot.fill(BUSY_USER, "INBOX", MailWriter().messages(BUSY_MESSAGES))
        async with Product() as product:
            office = Office(product, dovecot, smtp, samples, figures=figures)
            async with AsyncExitStack() as stack:
                peaks = await stack.enter_async_context(MemoryPeaks(product))
                await office.begin(conversations)
                ana, jonas = await office.sit_down(stack)
                if not busy:
                    say(f"clicking on {samples} conversations")
                    figures["click_to_conversation_ms"] = await measure_clicks(office, ana)
                    say(f"doing {samples} things that the other sees")
                    figures["action_to_dom_ms"] = await measure_actions(office, ana, jonas)
                say("delivering mails, some two seconds apart")
                figures["push_to_dom_ms"] = await measure_pushes(office, [ana, jonas])
                if busy:
                    say("the same beside a first sync")
                    figures["busy_push_to_dom_ms"] = await measure_busy_pushes(office, [ana, jonas])
                figures["postgres"] = await postgres_facts(product.dsn)
            figures |= {f"{part}_rss_mb": round(peak, 1) for part, peak in peaks.mb.items()}
            say("starting a second time")
            await product.stop()
            figures["start_seconds"] = round(await product.start(), 2)
    floors = BUSY_FLOORS if busy else FLOORS
    return figures | {"floors": floors, "floors_missed": missed(figures, floors)}


def missed(figures: dict[str, Any], floors: Mapping[str, float]) -> list[str]:
    """The floors that these figures do not meet; of times, by their p95."""
    values = {name: figures[name]["p95"] if isinstance(figures[name], dict) else figures[name] for name in floors}
    return [name for name, most in floors.items() if values[name] > most]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.live", description="How quickly people see what happens."
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of an indented object")
    parser.add_argument("--conversations", type=int, default=2000)
    parser.add_argument("--samples", type=int, default=60, help="of each kind")
    parser.add_argument("--busy", action="store_true", help="mail alone, also while another account is fetched")
    chosen = parser.parse_args()
    figures = asyncio.run(run(chosen.conversations, chosen.samples, busy=chosen.busy))
    print(json.dumps(figures, indent=None if chosen.json else 2), flush=True)


if __name__ == "__main__":
    main()
