"""From a key in the command palette to the frame that shows what fits, as the page itself sees it.

    python -m tests.bench.palette --json [--conversations 5000] [--rounds 3]

`measure(page)` types words letter by letter into the palette of a page, as a person does who looks for something; each
letter is one sample, and so is the key that opens it. tests/bench/interface.py does that in its large mailbox; alone,
it is done among 5,000 conversations with as many people, made by COPY. The last line on stdout is one JSON object.
"""

import argparse
import asyncio
import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from playwright.async_api import Page

from tests.bench.figures import postgres_facts, say, spread, surroundings
from tests.bench.people import Desk, chromium
from tests.servers.product import Product

CONVERSATIONS = 5_000
WORDS = (
    "brake", "wheel", "order", "invoice", "saddle", "delivery", "cracked", "spoke", "battery", "warranty", "question",
    "second", "loop", "damaged", "transit", "photos", "address", "change", "return", "refund", "pedal", "chain",
    "light", "helmet", "child", "seat", "mudguard", "rim", "tyre", "display",
)  # fmt: skip
FIRST = ("Karin", "Mateus", "Lena", "Priya", "Gil", "Dana", "Eva", "Tom", "Bashir", "Odile", "Sanna", "Jago")
LAST = ("Hartmann", "Oliveira", "Wirth", "Shah", "Cohen", "Brook", "Varga", "Keller", "Qadri", "Farthing", "Whitlock")
TYPED = (
    "brake cracked",
    "sad",
    "invoice hart",
    "assign",
    "matol",
    "e",
    "refund 41",
    "unassigned",
    "kd",
    "zzz",
    "settings",
)
"""What people type: words, parts of them, letters of names, a command, a mailbox's list, and what nothing fits."""

# From the event's own time to the task after the frame, which the browser runs once it has painted.
WATCH = """() => {
  const watched = window.paletteKeys !== undefined;
  window.paletteKeys = [];
  if (watched) return;
  const painted = () => new Promise((resolve) => requestAnimationFrame(() => {
    const after = new MessageChannel();
    after.port1.onmessage = () => resolve(performance.now());
    after.port2.postMessage(0);
  }));
  document.addEventListener("keydown", (event) => {
    const opens = event.ctrlKey && event.key === "k";
    if (!opens && !event.target.closest?.(".palette")) return;
    const began = event.timeStamp;
    const one = { key: event.key, ms: null };
    window.paletteKeys.push(one);
    painted().then((at) => {
      one.ms = at - began;
      one.shown = document.querySelectorAll(".palette-entry").length;
      one.words = document.querySelector(".palette-field input")?.value;
    });
  }, true);
}"""


async def move_in(dsn: str, mailbox_id: int, conversations: int = CONVERSATIONS) -> None:
    """Conversations and contacts for the mailbox, by COPY: the same ones each time."""
    dice = random.Random(7)
    now = datetime.now(UTC)
    people = [
        (f"{dice.choice(FIRST)} {dice.choice(LAST)}", f"person{n}@customer.example") for n in range(conversations)
    ]
    database = await asyncpg.connect(dsn)
    try:
        await database.copy_records_to_table(
            "conversations",
            columns=["mailbox_id", "subject", "correspondents", "message_count", "snippet", "last_at"],
            records=[
                (
                    mailbox_id,
                    " ".join(dice.choices(WORDS, k=dice.randint(3, 8))).capitalize() + f" {n}",
                    json.dumps([{"name": name, "address": address}]),
                    1,
                    "The frame has a scratch below the saddle.",
                    now - timedelta(minutes=n * 7),
                )
                for n, (name, address) in enumerate(people)
            ],
        )
        first = await database.fetchval("SELECT coalesce(max(id), 0) + 1 FROM contacts")
        await database.copy_records_to_table(
            "contacts", columns=["id", "name", "company"], records=[(first + n, p[0], "") for n, p in enumerate(people)]
        )
        await database.copy_records_to_table(
            "contact_addresses",
            columns=["contact_id", "address"],
            records=[(first + n, p[1]) for n, p in enumerate(people)],
        )
        await database.copy_records_to_table(
            "contact_mailboxes",
            columns=["contact_id", "mailbox_id", "last_at"],
            records=[(first + n, mailbox_id, now - timedelta(minutes=n)) for n in range(len(people))],
        )
        await database.execute("ANALYZE conversations, contacts, contact_addresses, contact_mailboxes")
    finally:
        await database.close()


async def measure(page: Page, rounds: int = 3, words: int = len(TYPED), pause_ms: float = 90) -> list[float]:
    """Milliseconds from each key to its painted frame, of so many words typed in each round. The page stands before a
    list, with the palette closed."""
    await page.evaluate(WATCH)
    for number in range(rounds + 1):
        if number == 1:  # the first of everything loads code
            await page.evaluate("window.paletteKeys.length = 0")
        for each in TYPED[:words]:
            await _look_for(page, each, pause_ms)
    told = await page.evaluate("window.paletteKeys")
    return [each["ms"] for each in told if each["key"] not in ("Escape", "Control") and each["ms"] is not None]


async def _look_for(page: Page, words: str, pause_ms: float) -> None:
    await page.keyboard.press("Control+k")
    await page.locator(".palette input").wait_for()
    for letter in words:
        await page.keyboard.press("Space" if letter == " " else letter)
        await page.wait_for_timeout(pause_ms)
    await page.keyboard.press("ArrowDown")
    await page.wait_for_timeout(pause_ms)
    await page.keyboard.press("Escape")
    await page.locator(".palette").wait_for(state="detached")


async def run(conversations: int, rounds: int) -> dict[str, Any]:
    """The palette alone; answers the JSON object."""
    async with Product() as product:
        ana = await product.set_up()
        mailbox = await product.group_mailbox(ana, "Support", "support@northwind.example", [ana])
        await move_in(product.dsn, mailbox.id, conversations)
        async with chromium() as browser:
            desk = await Desk.open(browser, ana)
            await _index_has_come(desk.page)
            say("typing into the palette")
            figures = spread(await measure(desk.page, rounds))
        facts = await postgres_facts(product.dsn)
    return {"palette_ms": figures, "conversations": conversations, "postgres": facts} | surroundings()


async def _index_has_come(page: Page) -> None:
    """Until the palette finds the newest contact."""
    await page.wait_for_function("window.tandem?.palette !== undefined")
    await page.keyboard.press("Control+k")
    await page.locator(".palette input").press_sequentially("person0@customer")
    await page.locator(".palette-entry", has_text="person0@customer.example").wait_for()
    await page.keyboard.press("Escape")
    await page.locator(".palette").wait_for(state="detached")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.palette", description="How quickly the palette answers."
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of an indented object")
    parser.add_argument("--conversations", type=int, default=CONVERSATIONS)
    parser.add_argument("--rounds", type=int, default=3, help="of all words")
    chosen = parser.parse_args()
    figures = asyncio.run(run(chosen.conversations, chosen.rounds))
    print(json.dumps(figures, indent=None if chosen.json else 2), flush=True)


if __name__ == "__main__":
    main()
