"""Makes the files that the demo's mails carry: small, valid, and about what their mail is about."""

import random
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.demo.corpus import Attachment, Correspondent
from backend.demo.painting import photo


@dataclass(frozen=True)
class Occasion:
    """The mail that a file is attached to."""

    subject: str
    author: Correspondent
    when: datetime


@dataclass(frozen=True)
class AttachedFile:
    name: str
    content_type: str
    content: bytes


_ITEMS = (
    ("Brake pads, organic, pair", 1490), ("Chain 11-speed 136 links", 3290), ("Rear light 1240", 2450),
    ("Inner tube 20 x 2.15", 890), ("Workshop, hour", 6200), ("Battery 500 Wh, refurbished", 38900),
    ("Rain cover Harbor", 14900), ("Spokes 2.3 mm, set", 2760), ("Freight", 1850), ("Key copy", 1200),
    ("Display mount", 1950), ("Child bench Harbor, straps", 8400), ("Derailleur hanger", 1690),
)  # fmt: skip


def make_file(attachment: Attachment, occasion: Occasion) -> AttachedFile:
    """The file's bytes: always the same for the same name, subject and time."""
    chance = random.Random(zlib.crc32(f"{attachment.name}\n{occasion.subject}".encode()))
    name, kind = attachment.name, attachment.kind
    if kind == "photo":
        return AttachedFile(name, "image/jpeg", photo(name))
    if kind == "pdf":
        return AttachedFile(name, "application/pdf", pdf(_page(name, occasion, chance)))
    text, content_type = {
        "csv": (_table, "text/csv"),
        "txt": (_notes, "text/plain"),
        "ics": (_event, "text/calendar"),
        "vcf": (_card, "text/vcard"),
    }[kind]
    return AttachedFile(name, content_type, text(occasion, chance).encode())


def pdf(lines: list[str]) -> bytes:
    """A valid PDF of one page: a headline and lines of text; what Latin-1 lacks becomes ``?``."""
    operators = [
        "BT",
        "/F1 17 Tf",
        "56 778 Td",
        f"({_escaped(lines[0])}) Tj",
        "/F2 10 Tf",
        "14 TL",
        "0 -16 Td",
    ]
    for line in lines[1:]:
        operators += ["T*", f"({_escaped(line)}) Tj"]
    stream = "\n".join((*operators, "ET")).encode("cp1252", "replace")
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica{} /Encoding /WinAnsiEncoding >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 6 0 R"
        b" /Resources << /Font << /F1 4 0 R /F2 5 0 R >> >> >>",
        font.format("-Bold").encode(),
        font.format("").encode(),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    written = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets: list[int] = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    written += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    written += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(written)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _page(name: str, occasion: Occasion, chance: random.Random) -> list[str]:
    title = name.rsplit(".", 1)[0].replace("_", " ").replace("-", " ").capitalize()
    lines = [title, "", occasion.author.name, occasion.author.address, f"{occasion.when:%d.%m.%Y}", ""]
    lines += [f"Re: {occasion.subject}", "", ""]
    total = 0
    for item, cents in chance.sample(_ITEMS, chance.randrange(2, 6)):
        count = chance.choice((1, 1, 1, 2, 4))
        total += count * cents
        lines.append(f"{count} x {item}   {count * cents / 100:,.2f} EUR")
    lines += ["", f"Total   {total / 100:,.2f} EUR", "", f"Ref. {chance.randrange(80000, 90000)}"]
    return lines


def _table(occasion: Occasion, chance: random.Random) -> str:
    day = occasion.when.date() - timedelta(days=30)
    rows = ["date,item,quantity,price_eur"]
    for _ in range(chance.randrange(8, 20)):
        day += timedelta(days=chance.randrange(1, 4))
        item, cents = chance.choice(_ITEMS)
        rows.append(f'{day},"{item}",{chance.randrange(1, 9)},{cents / 100:.2f}')
    return "\r\n".join(rows) + "\r\n"


def _notes(occasion: Occasion, chance: random.Random) -> str:
    lines = [occasion.subject, f"{occasion.when:%Y-%m-%d %H:%M}", ""]
    for number in range(chance.randrange(5, 12)):
        when = occasion.when - timedelta(minutes=chance.randrange(7, 40) * (12 - number))
        lines.append(
            f"{when:%H:%M:%S}  {chance.choice(('assist', 'battery', 'motor', 'light'))}"
            f"  {chance.choice(('ok', 'ok', 'E07', 'retry', 'level'))} {chance.randrange(1, 100)}"
        )
    return "\n".join(lines) + "\n"


def _event(occasion: Occasion, chance: random.Random) -> str:
    start = (occasion.when + timedelta(days=chance.randrange(3, 15))).replace(
        hour=chance.randrange(9, 17), minute=0, second=0, microsecond=0
    )
    return "\r\n".join((
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Demo//EN", "METHOD:PUBLISH", "BEGIN:VEVENT",
        f"UID:{chance.getrandbits(64):016x}@{occasion.author.address.rsplit('@', 1)[1]}",
        f"DTSTAMP:{occasion.when:%Y%m%dT%H%M%SZ}", f"DTSTART:{start:%Y%m%dT%H%M%SZ}",
        f"DTEND:{start + timedelta(hours=1):%Y%m%dT%H%M%SZ}", f"SUMMARY:{_ical(occasion.subject)}",
        f"ORGANIZER;CN={_ical(occasion.author.name)}:mailto:{occasion.author.address}",
        "END:VEVENT", "END:VCALENDAR", "",
    ))  # fmt: skip


def _card(occasion: Occasion, chance: random.Random) -> str:
    given, _, family = occasion.author.name.rpartition(" ")
    name = f"{_ical(family)};{_ical(given)};;;"
    phone = f"+351 900 000 {chance.randrange(100, 999)}"
    return "\r\n".join((
        "BEGIN:VCARD", "VERSION:3.0", f"N:{name}", f"FN:{_ical(occasion.author.name)}",
        f"EMAIL;TYPE=INTERNET:{occasion.author.address}", f"TEL;TYPE=CELL:{phone}", "END:VCARD", "",
    ))  # fmt: skip


def _ical(text: str) -> str:
    return text.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")
