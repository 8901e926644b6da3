"""How quickly a mailbox of 50,000 messages is searched, beside notmuch on the same mail in the same run.

    python -m tests.bench.search --json

Mail of real sizes (tests/bench/real_mail.py) is stored by the actions that store what a mail server sends, and lies in
a Maildir for notmuch; both are made once and kept. Ten typical searches are asked through the API in this process, and
of notmuch by its command; what is asked of both finds the newest fifty. Progress goes to stderr; the last line on
stdout is one JSON object, described in docs/benchmarks.md.
"""

import argparse
import asyncio
import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from backend.database.connection import execute, fetch, fetch_value
from backend.database.embedded import EmbeddedPostgres
from backend.events.record import action
from backend.mail.actions import Fetched, store_fetched
from backend.mail.word_index import enter_words
from backend.mailboxes.contracts import CreateMailbox, MailboxSettings
from backend.people.contracts import Me, SetUp, SignIn
from backend.search.contracts import FoundPage
from sync.mime.parse import parse_message
from tests.bench.figures import percentile, postgres_facts, say, surroundings
from tests.bench.kept import kept_folder
from tests.bench.peers import found, notmuch_new, versions
from tests.bench.real_mail import MailWriter
from tests.bench.sync import migrate
from tests.servers.api import PASSWORD, Caller, running
from tests.servers.api import environment as settings_of_this_process
from tests.servers.delivery import folder_of

ADDRESS = "ana@northwind.example"
MADE = "made.json"
KEY = "5a" * 32
AT_ONCE = 250
NEWEST = 50
FLOORS = {"p95_ms": 25.0, "worst_ratio": 1.0}


@dataclass(frozen=True)
class Search:
    """The same question twice."""

    name: str
    ours: str
    theirs: str


async def make(folder: Path, messages: int) -> None:
    """Store the mail here and in the Maildir; notes how long that took."""
    mailbox_id = await fetch_value("SELECT min(id) FROM mailboxes")
    maildir = folder / "mail" / "INBOX" / "cur"
    maildir.mkdir(parents=True)
    for side in ("new", "tmp"):
        (maildir.parent / side).mkdir()
    inbox = await folder_of(mailbox_id, "inbox")
    writer, stored, number = MailWriter(), 0.0, 0
    for chunk in _chunks(writer.messages(messages), AT_ONCE):
        fetched = []
        for raw in chunk:
            number += 1
            (maildir / f"{number}.bench:2,S").write_bytes(raw)
            at = datetime.now(UTC)
            fetched.append(
                Fetched(uid=number, flags=frozenset({"\\Seen"}), received_at=at, raw=raw, parsed=parse_message(raw))
            )
        began = time.perf_counter()
        async with action(None):
            await store_fetched(inbox, fetched, arrived=False)
        stored += time.perf_counter() - began
        if number % 5_000 == 0:
            say(f"{number} messages stored")
    began = time.perf_counter()
    await enter_words()
    indexed = time.perf_counter() - began
    await execute("ANALYZE")
    theirs = notmuch_new(folder / "mail", folder)
    notes = {
        "store_seconds_per_1000": round(stored / messages * 1000, 3),
        "index_seconds_per_1000": round(indexed / messages * 1000, 3),
        "notmuch_new_seconds_per_1000": round(theirs / messages * 1000, 3),
    }
    (folder / MADE).write_text(json.dumps(notes))


def _chunks(raws: Iterator[bytes], size: int) -> Iterator[list[bytes]]:
    chunk: list[bytes] = []
    for raw in raws:
        chunk.append(raw)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


async def typical() -> list[Search]:
    """Ten searches with words of this mail: from one that a few messages hold to one that most do."""
    rows = await fetch(
        "SELECT word, ndoc FROM ts_stat('SELECT search FROM message_words WHERE message_id % 10 = 0') "
        "WHERE word ~ '^[a-z]{4,12}$' ORDER BY ndoc DESC, word"
    )
    words = [row["word"] for row in rows]
    most, often, some, seldom = words[5], words[len(words) // 100], words[len(words) // 12], words[len(words) // 2]
    name = await fetch_value("SELECT sender ->> 'name' FROM messages ORDER BY id DESC LIMIT 1")
    first, last = name.lower().split()
    subject = (await fetch_value("SELECT subject FROM messages ORDER BY id DESC LIMIT 1")).split()[1]
    text = await fetch_value("SELECT body_text FROM messages ORDER BY id DESC LIMIT 1")
    phrase = " ".join(text.lower().split()[4:6])
    not_some = f"{often} and not {some}"
    day = (await fetch_value("SELECT percentile_disc(0.8) WITHIN GROUP (ORDER BY date) FROM messages")).date()
    return [
        Search("a word that few hold", f"{seldom} ", seldom),
        Search("a word that some hold", f"{some} ", some),
        Search("a word that most hold", f"{most} ", most),
        Search("two words", f"{often} {some} ", f"{often} and {some}"),
        Search("a phrase", f'"{phrase}"', f'"{phrase}"'),
        Search("a beginning", some[:4], f"{some[:4]}*"),
        Search("a sender", f"from:{first} from:{last} ", f"from:{first} and from:{last}"),
        Search("a word of the subject", f"subject:{subject} ", f"subject:{subject}"),
        Search(
            "words, not one, and a day",
            f"{often} -{some} before:{day} ",
            f"{not_some} and date:..{day - timedelta(days=1)}",
        ),
        Search(
            "with a file, one of two words",
            f"has:attachment {some} OR {seldom} ",
            f"tag:attachment and ({some} or {seldom})",
        ),
    ]


def notmuch(folder: Path, query: str) -> float:
    """Milliseconds of its command for the newest of what it finds."""
    arguments = (found("notmuch"), "--config", str(folder / "notmuch-config"), "search", "--sort=newest-first")
    began = time.perf_counter()
    subprocess.run(
        [*arguments, f"--limit={NEWEST}", query],
        check=True,
        capture_output=True,
        env=os.environ | {"HOME": str(folder)},
    )
    return (time.perf_counter() - began) * 1000


async def ask(ana: Caller, folder: Path, searches: list[Search], rounds: int) -> dict[str, Any]:
    """Each search by turns, here and there, so that both have the same neighbours on the machine."""
    ours: dict[str, list[float]] = {each.name: [] for each in searches}
    theirs: dict[str, list[float]] = {each.name: [] for each in searches}
    hits: dict[str, int] = {}
    for number in range(rounds + 2):  # the first two rounds fill caches
        for each in searches:
            began = time.perf_counter()
            page = await ana.get("/search", FoundPage, q=each.ours)
            took = (time.perf_counter() - began) * 1000
            peer = await asyncio.to_thread(notmuch, folder, each.theirs)
            hits[each.name] = len(page.items)
            if number >= 2:
                ours[each.name].append(took)
                theirs[each.name].append(peer)
    every = [took for times in ours.values() for took in times]
    by_search = {
        name: {
            "p50_ms": round(percentile(times, 50), 2),
            "p95_ms": round(percentile(times, 95), 2),
            "notmuch_p50_ms": round(percentile(theirs[name], 50), 2),
            "ratio": round(percentile(times, 50) / percentile(theirs[name], 50), 2),
            "shown": hits[name],
        }
        for name, times in ours.items()
    }
    return {
        "p50_ms": round(percentile(every, 50), 2),
        "p95_ms": round(percentile(every, 95), 2),
        "worst_ratio": max(each["ratio"] for each in by_search.values()),
        "notmuch_p50_ms": round(percentile([took for times in theirs.values() for took in times], 50), 2),
        "searches": by_search,
    }


async def measure(folder: Path, dsn: str, messages: int, rounds: int) -> dict[str, Any]:
    async with running(dsn) as application:
        ana = Caller(application)
        if (folder / MADE).exists():
            await ana.post("/sign-in", SignIn(email=ADDRESS, password=PASSWORD), Me)
        else:
            set_up = SetUp(organisation_name="Northwind Bikes", name="Ana Ribeiro", email=ADDRESS, password=PASSWORD)
            await ana.post("/set-up", set_up, Me)
            own = CreateMailbox(kind="personal", name="Ana Ribeiro", address=ADDRESS)
            await ana.post("/mailboxes", own, MailboxSettings)
            await make(folder, messages)
        figures = await ask(ana, folder, await typical(), rounds)
        made = json.loads((folder / MADE).read_text())
        return {"messages": messages} | figures | made | {"postgres": await postgres_facts(dsn)}


def run(messages: int, rounds: int) -> dict[str, Any]:
    folder = kept_folder(f"search-{messages}", MADE)
    with (
        EmbeddedPostgres(folder) as server,
        settings_of_this_process(folder, TANDEM_SECRET_KEY=KEY, TANDEM_LOG_LEVEL="error"),
    ):
        migrate(folder, server.dsn)
        figures = asyncio.run(measure(folder, server.dsn, messages, rounds))
    missed = [name for name, most in FLOORS.items() if figures[name] > most]
    return figures | surroundings() | {"peers": versions(), "floors": FLOORS, "floors_missed": missed}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=20, help="of all ten searches")
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")
    arguments = parser.parse_args()
    figures = run(arguments.messages, arguments.rounds)
    print(json.dumps(figures) if arguments.json else json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
