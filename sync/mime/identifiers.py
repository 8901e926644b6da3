"""Message identifiers (RFC 5322 section 3.6.4) and dates (section 3.3), read from what mail really carries."""

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz

from sync.mime.characters import clean_line

MAX_ID_LENGTH = 600
MAX_IDS = 400
_ANGLED = re.compile(r"<([^<>]{1,2000})>")
_BARE = re.compile(r"[^\s<>,;\"()@]{1,250}@[^\s<>,;\"()@]{1,250}")
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def read_identifiers(value: str) -> tuple[str, ...]:
    """The identifiers in a References, In-Reply-To or Message-ID value: in order, without brackets, each once.

    White space inside an identifier (from careless folding) is removed. Of more than 400, the first 10 and the
    last 390 are kept: the beginning names the thread, the end the nearest relatives.
    """
    value = value[:200_000]
    found = ["".join(text.split()) for text in _ANGLED.findall(value)] or _BARE.findall(value)
    unique = list(dict.fromkeys(clean_line(text) for text in found if 0 < len(text) <= MAX_ID_LENGTH))
    unique = [text for text in unique if text]
    return tuple(unique if len(unique) <= MAX_IDS else unique[:10] + unique[10 - MAX_IDS :])


def read_message_id(value: str) -> str | None:
    """The identifier of a Message-ID header, or None. One without brackets is taken as it stands."""
    found = read_identifiers(value)
    if found:
        return found[0]
    bare = clean_line(value).strip("<> ")
    return bare if bare and " " not in bare and len(bare) <= MAX_ID_LENGTH else None


def read_date(value: str) -> datetime | None:
    """A Date header as an aware moment in UTC, or None when it makes no sense or lies before 1970."""
    try:
        parts = parsedate_tz(value[:200])
        if parts is None:
            return None
        offset = timedelta(seconds=parts[9] or 0)
        zone = timezone(offset) if abs(offset) < timedelta(hours=24) else UTC
        moment = datetime(*parts[:5], min(parts[5], 59), tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return moment if _EARLIEST <= moment < _LATEST else None


def read_received_date(values: list[str]) -> datetime | None:
    """The moment of the newest Received header that carries one: its text after the last semicolon."""
    for value in values[:20]:
        moment = read_date(value.rpartition(";")[2].strip())
        if moment is not None:
            return moment
    return None
