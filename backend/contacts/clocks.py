"""What time it is for whom one writes to, as far as that can be known; and how it is known.

What a person entered at the contact counts. Else the newest of their mails that the asking person sees tell how far
their clock was from UTC; where that fits a country whose name their domain ends with, it is that country's clock, which
also knows summer time, else a fixed one. A domain alone is a weak guess, and none where the country has several clocks.
UTC itself says little, for many programs write it wherever they run.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.parser import BytesHeaderParser
from email.utils import parsedate_tz
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from backend.access.asker import Asker
from backend.access.fetch import SEES
from backend.contacts.contracts import RecipientClock
from backend.contacts.queries import contact_of_address, storable
from backend.database.connection import Row, fetch

HALF_A_YEAR = timedelta(days=182)
NEWEST = 5
"""Mails that are looked at."""
LONGEST_HEAD = 32_768
"""Bytes in which the Date of a mail is looked for."""

_FOR_EVERYBODY = frozenset(
    [
        "ac",
        "ag",
        "ai",
        "am",
        "as",
        "bz",
        "cc",
        "cd",
        "co",
        "cx",
        "dj",
        "eu",
        "fm",
        "gd",
        "gg",
        "gl",
        "im",
        "io",
        "la",
        "ly",
        "me",
        "ms",
        "mu",
        "nu",
        "pw",
        "sc",
        "sh",
        "st",
        "su",
        "tk",
        "to",
        "tv",
        "vc",
        "vg",
        "ws",
    ]
)
"""Ends of domains that are a country's by name and anybody's by use."""

_FIXED = {
    210: "Asia/Tehran", 270: "Asia/Kabul", 330: "Asia/Kolkata", 345: "Asia/Kathmandu", 390: "Asia/Yangon",
    525: "Australia/Eucla", 570: "Australia/Darwin", -570: "Pacific/Marquesas",
}  # fmt: skip
"""Minutes before UTC where clocks never change; whole hours have names of their own (Etc/GMT-1)."""


async def clock_of(asker: Asker, address: str) -> RecipientClock:
    """The clock of whoever has this address. An empty `time_zone`: nothing is known of it."""
    address = storable(address).strip().lower()
    contact = await contact_of_address(asker, address)
    contact_id = contact.id if contact else None
    name = contact.name if contact else ""
    if contact is not None and contact.time_zone:
        return RecipientClock(name=name, contact_id=contact_id, time_zone=contact.time_zone, source="contact")
    country = _country(address)
    for moment, minutes in await _newest(asker, address):
        if zone := _zone_of_mail(country, moment, minutes):
            return RecipientClock(
                name=name, contact_id=contact_id, time_zone=zone, source="mail", seen_at=moment, offset=minutes
            )
    zone = _zone_of_domain(country, datetime.now(UTC))
    return RecipientClock(name=name, contact_id=contact_id, time_zone=zone, source="domain" if zone else "")


async def _newest(asker: Asker, address: str) -> list[tuple[datetime, int]]:
    """When they wrote their newest mails, and how many minutes their clock was before UTC then."""
    records = await fetch(
        "SELECT m.date, substring(r.content FOR $4) AS head FROM messages m "
        "JOIN conversations c ON c.id = m.conversation_id JOIN raw_messages r ON r.digest = m.raw_digest "
        "WHERE lower(m.sender ->> 'address') = $2 AND m.gone_at IS NULL AND NOT m.hidden AND NOT m.automatic "
        "AND m.date > now() - interval '1 year' AND r.content IS NOT NULL "
        f"AND {SEES.format(user='$1')} ORDER BY m.date DESC, m.id DESC LIMIT $3",
        asker.user_id,
        address,
        NEWEST,
        LONGEST_HEAD,
    )
    return [written for record in records if (written := _written(record)) is not None]


def _written(record: Row) -> tuple[datetime, int] | None:
    parsed = parsedate_tz(str(BytesHeaderParser().parsebytes(record["head"]).get("Date", "")))
    if parsed is None or parsed[9] is None or parsed[9] % 900 or abs(parsed[9]) > 14 * 3600:
        return None  # -0000 (RFC 5322, 3.3): the writer does not tell
    return record["date"], parsed[9] // 60


def _country(address: str) -> str:
    """The country by whose name the address ends; empty where that says nothing."""
    end = address.rpartition("@")[2].rpartition(".")[2]
    return "" if end in _FOR_EVERYBODY else "GB" if end == "uk" else end.upper()


@cache
def _zones() -> dict[str, list[str]]:
    """The clocks of each country (ISO 3166) where people live, from the table that the IANA database brings along."""
    found: dict[str, list[str]] = {}
    table = files("tzdata") / "zoneinfo" / "zone.tab"
    for line in table.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#") and "\tAntarctica/" not in line:
            country, _, zone = line.split("\t")[:3]
            found.setdefault(country, []).append(zone)
    return found


def _minutes(zone: str, moment: datetime) -> int:
    before = moment.astimezone(ZoneInfo(zone)).utcoffset()
    return (before or timedelta(0)) // timedelta(minutes=1)


def _zone_of_mail(country: str, moment: datetime, minutes: int) -> str:
    fitting = [zone for zone in _zones().get(country, ()) if _minutes(zone, moment) == minutes]
    if fitting:
        # That of the most of them, summer and winter: Australia's first one is an island's.
        years = [tuple(_minutes(zone, moment + half) for half in (timedelta(0), HALF_A_YEAR)) for zone in fitting]
        return fitting[years.index(max(years, key=years.count))]
    if minutes == 0:
        return ""
    if minutes % 60:
        return _FIXED.get(minutes, "")
    hours = minutes // 60
    return f"Etc/GMT{-hours:+d}" if -12 <= hours <= 14 else ""


def _zone_of_domain(country: str, now: datetime) -> str:
    """The first clock of a country whose clocks are an hour apart at most: that of its greatest towns."""
    zones: Sequence[str] = _zones().get(country, ())
    apart = [_minutes(zone, now) for zone in zones]
    return zones[0] if zones and max(apart) - min(apart) <= 60 else ""
