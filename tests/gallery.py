"""Pictures of the library's templates, as they are received: docs/gallery.md.

    python -m tests.gallery [key ...]

Each is filled in, saved as a draft, sent through the outbox to a real SMTP server, read back from the bytes that the
server took, cleaned, and shown by Chromium as our reading pane shows it: in light and in dark, 640 and 360 pixels wide.
"""

import argparse
import asyncio
import hashlib
import io
import logging
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.async_api import async_playwright

from backend.compose.contracts import CreateDraft, Draft, Outgoing, SaveDraft, SendDraft
from backend.database.embedded import EmbeddedPostgres
from backend.mail.contracts import MailAddress
from backend.mailboxes.contracts import CreateMailbox, MailboxSettings
from backend.people.contracts import Me, SetUp
from backend.templates.filling import example_values
from backend.templates.language import render
from backend.templates.library import ShippedTemplate, shipped_templates, with_examples
from backend.workers.outgoing import Sender
from sync.mime.page import document
from sync.mime.parse import parse_message
from sync.mime.sanitise import sanitise_html
from tests.servers.api import Caller, running
from tests.servers.api import environment as settings_of_this_process
from tests.servers.chromium import ARGUMENTS
from tests.servers.sending import CUSTOMER, connect_account
from tests.servers.smtp import RecordingSmtp
from tests.servers.tandem import PROJECT, command, environment

PLACE = PROJECT / "docs" / "gallery"
MADE_OF = PLACE / "made-of.txt"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTHS = (640, 360)
COLOURS = 24


def picture_of(template: ShippedTemplate, width: int, scheme: str) -> Path:
    return PLACE / f"{template.key.replace('/', '-')}-{width}-{scheme}.webp"


def made_of(templates: Iterable[ShippedTemplate]) -> str:
    """What pictures were made of, a line for each template: the test sees by it that none is older than its mail."""
    digests = ((each.key, hashlib.sha256(with_examples(each.html, each.gaps).encode())) for each in templates)
    return "".join(f"{key} {digest.hexdigest()[:16]}\n" for key, digest in sorted(digests))


async def received(dsn: str, smtp: RecordingSmtp, templates: Iterable[ShippedTemplate]) -> dict[str, bytes]:
    """Each template's mail, as the SMTP server took it."""
    mails: dict[str, bytes] = {}
    async with running(dsn) as application:
        ana = Caller(application)
        given = SetUp(
            organisation_name="Northwind Bikes",
            name="Ana Ribeiro",
            email="ana@northwind.example",
            password="a long enough sentence",
        )
        me = await ana.post("/set-up", given, Me)
        create = CreateMailbox(
            kind="group", name="Support", address="support@northwind.example", member_ids=[me.person.id]
        )
        mailbox_id = (await ana.post("/mailboxes", create, MailboxSettings)).id
        await connect_account(mailbox_id, smtp)
        for template in templates:
            await Sender().send((await send(ana, mailbox_id, template)).id)
            mails[template.key] = smtp.messages[-1].raw
            assert len(mails) == len(smtp.messages)
    return mails


async def send(ana: Caller, mailbox_id: int, template: ShippedTemplate) -> Outgoing:
    subject, html = (
        render(with_examples(each, template.gaps), example_values(), html=each is template.html).text
        for each in (template.subject, template.html)
    )
    draft = await ana.post("/drafts", CreateDraft(kind="new", mailbox_id=mailbox_id), Draft)
    to = [MailAddress(name=CUSTOMER.name, address=CUSTOMER.address)]
    given = SaveDraft(version=draft.version, to=to, cc=[], bcc=[], subject=subject, text="", html=html)
    saved = await ana.put(f"/drafts/{draft.id}", given, Draft)
    return await ana.post(f"/drafts/{draft.id}/send", SendDraft(version=saved.version, undo_seconds=0), Outgoing)


def page_of(raw: bytes, *, dark: bool) -> str:
    """The mail as the reading pane shows it, with the room that stands around it there."""
    clean = sanitise_html(parse_message(raw).html or "", inline_images={}, show_remote=False, proxy_url=None)
    page = document(clean.html, dark=dark, declares_dark=clean.declares_dark)
    return page.replace("</style></head>", "body { padding: 14px }</style></head>", 1)


async def photograph(mails: dict[str, bytes], templates: Iterable[ShippedTemplate]) -> list[str]:
    """Writes the pictures; answers what was wider than its page."""
    wide: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(ARGUMENTS))
        for width in WIDTHS:
            for scheme in SCHEMES:
                page = await browser.new_page(viewport={"width": width, "height": 200}, color_scheme=scheme)
                for template in templates:
                    path = picture_of(template, width, scheme)
                    await page.set_content(page_of(mails[template.key], dark=scheme == "dark"))
                    if await page.evaluate("document.documentElement.scrollWidth") > width:
                        wide.append(path.name)
                    path.write_bytes(small(await page.screenshot(full_page=True)))
                await page.close()
        await browser.close()
    return wide


def small(shot: bytes) -> bytes:
    """In the colours that it has most of: they are enough for words on flat grounds, and weigh a fifth."""
    with Image.open(io.BytesIO(shot)) as opened:
        picture = opened.convert("RGB")
    parts = iter(picture.tobytes())
    pixels = list(zip(parts, parts, parts, strict=True))
    counted = Counter(pixels)
    kept = [color for color, _ in counted.most_common(COLOURS)]
    nearest = {color: bytes(min(kept, key=partial(_apart, color))) for color in counted}
    few = Image.frombytes("RGB", picture.size, b"".join(map(nearest.__getitem__, pixels)))
    out = io.BytesIO()
    few.save(out, "WEBP", lossless=True, quality=60, method=4)
    return out.getvalue()


def _apart(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description="Takes the pictures of docs/gallery.md.")
    parser.add_argument("keys", nargs="*", help="of these templates only")
    keys = parser.parse_args().keys
    chosen = [each for each in shipped_templates() if not keys or each.key in keys]
    PLACE.mkdir(exist_ok=True)
    logging.disable(logging.WARNING)
    with (
        tempfile.TemporaryDirectory(prefix="tandem-gallery-") as name,
        EmbeddedPostgres(Path(name)) as server,
        RecordingSmtp() as smtp,
        settings_of_this_process(Path(name), TANDEM_LOG_LEVEL="error", TANDEM_ALLOW_PRIVATE_SERVERS="yes"),
    ):
        migration = environment(Path(name), TANDEM_DATABASE_URL=server.dsn)
        subprocess.run(command("migrate"), env=migration, cwd=PROJECT, check=True)
        mails = asyncio.run(received(server.dsn, smtp, chosen))
        wide = asyncio.run(photograph(mails, chosen))
    MADE_OF.write_text(made_of(shipped_templates()), "utf-8")
    sizes = [path.stat().st_size for path in PLACE.glob("*.webp")]
    print(f"{len(sizes)} pictures, {sum(sizes) / 1e6:.1f} MB, the largest {max(sizes) / 1e3:.0f} KB")
    for each in wide:
        print(f"wider than its page: {each}")


if __name__ == "__main__":
    main()
