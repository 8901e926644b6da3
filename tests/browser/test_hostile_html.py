"""Attacks from the shared test data, received as mail and opened in the interface: nothing runs, leaves or escapes.

The attacks stand where a sender can put them: in the HTML, in the plain text, in the subject, in the sender's name and
in the names of attachments. Many are packed into one mail, each followed by a mark: where all marks are seen, all of
the mail was shown. An attack that swallows what comes after it gets a mail of its own.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage

import msgspec
import pytest
from playwright.async_api import BrowserContext, Page, Request, expect

from backend.conversations.contracts import ConversationDetail, ConversationPage
from backend.mailboxes.contracts import MailboxSettings
from tests.servers.chromium import Seat, Seats
from tests.servers.office import Office
from tests.servers.product import Visitor
from tests.servers.website import Website
from tests.shared import needs_shared
from tests.sync.mime.hostile_markup import SETS, contexts, payloads, sanitised

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

# Ends whatever an attack may have begun, so that the next one in the same mail is read as it would be alone.
END = (
    "\"'>--></style></script></textarea></title></xmp></noscript></noembed></noframes></iframe></svg></math>"
    "</template></select></table>"
)
PACKED = 250
"""Attacks in one mail."""
HARMLESS = (
    "<p>Hello</p><img src='https://pictures.example/a.png'><blockquote type=cite>Earlier</blockquote><p>mark-0-0-</p>"
)
NOTES = """
window.ran = [];
for (const name of ["alert", "confirm", "prompt", "print", "open"])
    window[name] = (...given) => { window.ran.push(name + " " + given.join()); };
"""
LOOK = """id => {
    const pane = document.querySelector(`.pane[data-pane="${id}"]`);
    if (!pane?.querySelector(".thread section")) return null;
    const outline = new Set(), addresses = [];
    for (const node of pane.querySelectorAll("*")) {
        outline.add(node.localName + " " + node.getAttributeNames().sort().join(" "));
        for (const name of ["href", "src", "action", "formaction", "data"])
            if (node.hasAttribute(name)) addresses.push(node.getAttribute(name));
    }
    const frame = pane.querySelector("iframe.mail-frame");
    const inside = frame?.contentDocument;
    if (frame && !inside?.body?.childNodes.length) return null;
    const active = inside ? [...inside.querySelectorAll("*")].filter(node =>
        ["script", "iframe", "object", "embed", "form", "svg", "math", "base", "link"].includes(node.localName)
        || node.getAttributeNames().some(name => name.startsWith("on"))) : [];
    return {
        outline: [...outline], addresses, ran: window.ran, same: window.stillTheSamePage === true,
        globals: Object.getOwnPropertyNames(window).filter(name => !/^\\d+$/.test(name)),
        text: inside ? inside.documentElement.textContent : pane.querySelector(".thread").textContent,
        active: active.map(node => node.outerHTML.slice(0, 200)),
        links: inside ? [...inside.links].map(link => [link.protocol, link.target, link.rel].join(" ")) : [],
        loaded: !frame || inside.readyState === "complete",
    };
}"""


@dataclass
class Attack:
    """One mail. `marks` are the words that must be seen in it."""

    raw: bytes
    marks: list[str]


@dataclass
class Watch:
    """What a browser did that no mail may make it do."""

    own: str
    seen: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext, page: Page) -> None:
        context.on("request", self.note_request)
        context.on("page", lambda other: self.seen.append(f"opened {other.url}"))
        page.on("dialog", lambda dialog: self.seen.append(f"dialog {dialog.message}"))
        page.on("framenavigated", lambda frame: self.note_address("went to", frame.url))
        page.on("download", lambda download: self.seen.append(f"download {download.url}"))

    def note_request(self, request: Request) -> None:
        self.note_address("asked for", request.url)

    def note_address(self, what: str, address: str) -> None:
        if not address.startswith((f"{self.own}/", "data:", "blob:", "about:")):
            self.seen.append(f"{what} {address}")


def mail(number: int, html: str, words: str, date: str = "Tue, 03 Mar 2026 10:00:00 +0000") -> bytes:
    """An attack in every place that a sender fills in."""
    written = EmailMessage()
    words = words.encode("utf-8", "replace").decode()
    short = "".join(character for character in words[:150] if character.isprintable())
    written["From"] = Address(f"{number} {short}", f"attacker{number}", "hostile.example")
    written["To"] = "target@northwind.example"
    written["Subject"] = f"{number} {short}"
    written["Message-ID"] = f"<{number}@hostile.example>"
    written["Date"] = date
    written.set_content(words)
    written.add_alternative(html.encode("utf-8", "replace").decode(), subtype="html")
    written.add_attachment(b"x", maintype="application", subtype="octet-stream", filename=f"{short}.bin")
    return written.as_bytes()


def packed(attacks: Iterable[str], size: int) -> Iterator[tuple[list[str], bool]]:
    """Attacks in mails of `size`; those that swallow what follows alone (and True)."""
    together: list[str] = []
    for attack in attacks:
        if "<p>mark</p>" not in sanitised(f"<div>{attack}{END}</div><p>mark</p>").html:
            yield [attack], True
            continue
        together.append(attack)
        if len(together) == size:
            yield together, False
            together = []
    if together:
        yield together, False


def attacks(*, everything: bool) -> list[Attack]:
    """The mails. Not `everything`: all that can be packed, and a sample of the others."""
    found = dict.fromkeys(attack for name in SETS for attack in payloads(name))
    mails: list[list[str]] = []
    alone: list[list[str]] = []
    for some, swallows in packed(found, PACKED):
        (alone if swallows else mails).append(some)
    if everything:
        mails += alone
        nested = dict.fromkeys(
            markup for name in SETS if name != "xss-payloadbox" for each in payloads(name) for markup in contexts(each)
        )
        mails += [some for some, swallows in packed(nested, PACKED) if not swallows]
    else:
        mails += random.Random(1).sample(alone, 15)
    return [_attack(number, some) for number, some in enumerate(mails, start=1)]


def _attack(number: int, some: list[str]) -> Attack:
    marks = [f"mark-{number}-{place}-" for place in range(len(some))]
    html = "<p>Have a look:</p>" + "".join(
        f"<div>{attack}{END}</div><p>{mark}</p>" for attack, mark in zip(some, marks, strict=True)
    )
    words = some[number % len(some)]
    return Attack(mail(number, html, words), marks if len(some) > 1 else [])


@dataclass
class Target:
    """Tom, whose mailbox holds nothing but attacks and, on top, one harmless mail."""

    office: Office
    tom: Visitor
    mailbox: MailboxSettings
    user: str

    async def receive(self, attacks: list[Attack]) -> dict[int, int]:
        """Let the mails lie in the account and connect it; answers the number of the mail in each conversation."""
        harmless = mail(0, HARMLESS, "https://bikes.example/ is harmless", "Wed, 04 Mar 2026 10:00:00 +0000")
        self.office.dovecot.fill(self.user, "INBOX", [*(each.raw for each in attacks), harmless])
        product, ana = self.office.product, self.office.ana
        await product.connect_account(ana, self.mailbox, self.office.dovecot, self.office.smtp, user=self.user)
        await product.synced(ana, self.mailbox)
        found: dict[int, int] = {}
        cursor: dict[str, str] = {}
        while True:
            path = f"/mailboxes/{self.mailbox.id}/conversations"
            page = await self.tom.get(path, ConversationPage, view="all", limit=200, **cursor)
            found |= {item.row.id: int(item.row.subject.partition(" ")[0]) for item in page.items}
            if page.next_cursor is None:
                assert sorted(found.values()) == list(range(len(attacks) + 1))
                return found
            cursor = {"cursor": page.next_cursor}


@pytest.fixture
async def target(office: Office, mail_user: str) -> Target:
    tom = await office.product.invite(office.ana, "Tom Abel", f"tom.{mail_user}@northwind.example")
    mailbox = await office.product.group_mailbox(office.ana, "Target", f"{mail_user}@northwind.example", [tom])
    return Target(office, tom, mailbox, mail_user)


class Look(msgspec.Struct):
    """What stands in a pane and in the frame of its mail: see LOOK."""

    outline: set[str]
    addresses: list[str]
    ran: list[str]
    same: bool
    globals: set[str]
    text: str
    active: list[str]
    links: list[str]
    loaded: bool


async def look_at(page: Page, conversation_id: int) -> Look:
    """Wait until the selected conversation stands there with its frame loaded, and look."""
    ready = f"id => {{ const seen = ({LOOK})(id); return seen && seen.loaded && seen.text.length > 0 && seen }}"
    seen = await page.wait_for_function(ready, arg=conversation_id, timeout=30_000)
    return msgspec.convert(await seen.json_value(), Look)


async def next_one(page: Page, before: int) -> int:
    """Move on to the next conversation, as a person does; answers its id."""
    await page.keyboard.press("j")
    await page.wait_for_function("id => tandem.selected && tandem.selected !== id", arg=before)
    return await page.evaluate("tandem.selected")


async def hover(page: Page, conversation_id: int) -> None:
    """Move the mouse into the frame, for what waits for that."""
    box = await page.locator(f'.pane[data-pane="{conversation_id}"] iframe').bounding_box()
    if box is not None:
        for share in (0.2, 0.5):
            await page.mouse.move(box["x"] + box["width"] * share, box["y"] + min(box["height"], 400) * share)


async def nothing_happens(target: Target, seat: Seat, attacks: list[Attack]) -> None:
    numbers = await target.receive(attacks)
    watch = Watch(target.office.product.url)
    watch.over(seat.context, seat.page)
    page = seat.page
    await page.add_init_script(NOTES)
    await page.goto(f"/?mailbox={target.mailbox.id}")
    await expect(page.get_by_role("heading", name="Target")).to_be_visible(timeout=30_000)
    await expect(page.locator(".row").first).to_be_visible(timeout=30_000)
    await page.evaluate("window.stillTheSamePage = true")
    harmless, at = None, 0
    opened: set[int] = set()
    while len(opened) < len(numbers):
        at = await next_one(page, at)
        number = numbers[at]
        seen = await look_at(page, at)
        if harmless is None:
            assert number == 0
            harmless = seen
        await hover(page, at)
        assert watch.seen == [] and seen.ran == [] and seen.same, f"mail {number}: {watch.seen} {seen.ran}"
        assert seat.complaints == [], f"mail {number}"
        assert seen.active == [], f"mail {number}"
        assert seen.outline <= harmless.outline, f"mail {number} brought {seen.outline - harmless.outline}"
        assert seen.globals <= harmless.globals, f"mail {number} left {seen.globals - harmless.globals}"
        for address in seen.addresses:
            assert address.startswith(("/", f"{watch.own}/")), f"mail {number}: {address}"
        for link in seen.links:
            protocol, where, relation = link.split(" ", 2)
            assert protocol in ("http:", "https:", "mailto:", "tel:"), f"mail {number}: {link}"
            assert where == "_blank" and "noopener" in relation, f"mail {number}: {link}"
        missing = [mark for mark in attacks[number - 1].marks if mark not in seen.text] if number else []
        assert not missing, f"mail {number} was not shown as a whole: {missing[:3]}"
        opened.add(at)
    await by_their_own_address(target, seat, watch, opened)


async def by_their_own_address(target: Target, seat: Seat, watch: Watch, conversations: set[int]) -> None:
    """The document of a mail in a tab of its own, without our frame around it."""
    # A browser looks for an icon at the root by itself.
    await seat.context.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    for conversation_id in sorted(conversations):
        detail = await target.tom.get(f"/conversations/{conversation_id}", ConversationDetail)
        for body in detail.bodies:
            if body.html_url:
                await seat.page.goto(f"{body.html_url}?quoted=1", wait_until="load")
                assert seat.page.url.startswith(watch.own + body.html_url)
                assert watch.seen == [] and seat.complaints == [], f"conversation {conversation_id}"


@needs_shared
async def test_nothing_runs_leaves_or_escapes(target: Target, seats: Seats) -> None:
    seat = await seats.at(target.office.product, target.tom)
    await nothing_happens(target, seat, attacks(everything=False))


@needs_shared
@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_nothing_runs_leaves_or_escapes_wherever_it_stands(target: Target, seats: Seats) -> None:
    seat = await seats.at(target.office.product, target.tom)
    await nothing_happens(target, seat, attacks(everything=True))


PLAIN = """id => {
    const text = document.querySelector(`.pane[data-pane="${id}"] section[data-message] .plain`);
    const nodes = text ? [...text.querySelectorAll("*")] : [];
    return text && {
        tags: [...new Set(nodes.map(node => node.localName))].sort(),
        protocols: [...new Set(nodes.filter(node => node.href).map(node => node.protocol))].sort(),
        handlers: nodes.flatMap(node => node.getAttributeNames()).filter(name => name.startsWith("on")),
        words: text.textContent,
    };
}"""


@needs_shared
async def test_attacks_in_plain_text_stay_text(target: Target, seats: Seats) -> None:
    everything = [line for name in SETS for attack in payloads(name) for line in attack.splitlines() if line.strip()]
    some = random.Random(2).sample(sorted(set(everything)), 200)
    mails = [plain_mail(number, some[number * 20 - 20 : number * 20]) for number in range(1, 11)]
    numbers = await target.receive([Attack(raw, []) for raw in mails])
    seat = await seats.at(target.office.product, target.tom)
    watch = Watch(target.office.product.url)
    watch.over(seat.context, seat.page)
    await seat.page.add_init_script(NOTES)
    page = await seat.open(f"/?mailbox={target.mailbox.id}")
    await expect(page.locator(".row")).to_have_count(len(numbers), timeout=30_000)
    at = await next_one(page, 0)
    for _ in mails:
        at = await next_one(page, at)
        shown = await (await page.wait_for_function(PLAIN, arg=at, timeout=30_000)).json_value()
        assert set(shown["tags"]) <= {"a"} and shown["handlers"] == []
        assert set(shown["protocols"]) <= {"http:", "https:", "mailto:"}
        assert f"the end of {numbers[at]}" in shown["words"]
    assert watch.seen == [] and seat.complaints == [] and await page.evaluate("window.ran") == []


def plain_mail(number: int, lines: list[str]) -> bytes:
    written = EmailMessage()
    written["From"] = f"attacker{number}@hostile.example"
    written["Subject"] = f"{number} in plain text"
    written["Message-ID"] = f"<{number}.plain@hostile.example>"
    written["Date"] = "Tue, 03 Mar 2026 10:00:00 +0000"
    text = "\n".join([*lines, f"the end of {number}"])
    written.set_content(text.encode("utf-8", "replace").decode())
    return written.as_bytes()


async def test_remote_images_come_when_asked_for_and_through_us_alone(target: Target, seats: Seats) -> None:
    """Their server learns that somebody looks only when somebody wants it to, and not who."""
    picture = base64.b64decode("R0lGODdhAQABAIAAAP///////ywAAAAAAQABAAACAkQBADs=")
    with Website({"/seen.gif": ("image/gif", picture), "/ground.gif": ("image/gif", picture)}) as website:
        remote = website.url()
        html = (
            f"<p>Our summer sale</p><img id=seen src='{remote}/seen.gif?reader=17' alt='Sale'>"
            f"<table background='{remote}/ground.gif'><tr><td>x</table>"
            f"<link rel=stylesheet href='{remote}/style.css'><style>@import '{remote}/more.css';</style>"
            f"<img src='{remote}/not-there.gif'><script src='{remote}/script.js'></script>"
        )
        await target.receive([Attack(mail(1, html, "Our summer sale"), [])])
        seat = await seats.at(target.office.product, target.tom)
        watch = Watch(target.office.product.url)
        watch.over(seat.context, seat.page)
        page = await seat.open(f"/?mailbox={target.mailbox.id}")
        await page.locator(".row", has_text="1 Our summer sale").click()
        pane = page.get_by_role("article", name="1 Our summer sale")
        frame = pane.frame_locator("iframe")
        await expect(frame.get_by_text("Our summer sale")).to_be_visible(timeout=30_000)
        await expect(pane.get_by_text("Images from the sender’s servers are not loaded.")).to_be_visible()
        assert await frame.locator("img[src]").count() == 0
        assert website.visits == [] and watch.seen == []

        await pane.get_by_role("button", name="Show images").click()
        image = frame.get_by_alt_text("Sale")
        await expect(image).to_have_js_property("naturalWidth", 1, timeout=30_000)
        await expect(pane.get_by_role("button", name="Show images")).to_be_hidden()
        await page.wait_for_load_state("networkidle")
        assert {visit.path for visit in website.visits} <= {"/seen.gif?reader=17", "/ground.gif", "/not-there.gif"}
        assert "/seen.gif?reader=17" in {visit.path for visit in website.visits}
        for visit in website.visits:
            assert visit.headers["user-agent"] == "Tandem"
            assert not {"cookie", "referer", "origin", "x-forwarded-for", "accept-language"} & set(visit.headers)
        assert watch.seen == []
