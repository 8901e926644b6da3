"""What people type for a day or a size, read. Pure."""

import re
from datetime import date, timedelta

MONTHS = "january february march april may june july august september october november december".split()  # noqa: SIM905
DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()  # noqa: SIM905
_AGO = re.compile(r"(\d{1,4}) ?([dwmy])(?:ays?|eeks?|onths?|ears?)?(?: ago)?")
_ISO = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?")
_WRITTEN = re.compile(r"(\d{1,2})([./-])(\d{1,2})(?:[./-](\d{4})?)?")
_SIZE = re.compile(r"(\d{1,9}(?:[.,]\d{1,3})?) ?([kmg]?)i?(?:b|bytes?)?")
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}
SHORTEST_NAME = 3
FIRST_YEAR = 1970

Span = tuple[date, date]
"""The first day of it, and the first one after it."""


def read_days(text: str, today: date) -> Span | None:
    """A day, month or year as people type it; None for what is none.

    `2026-11-30`, `30.11.2026`, `11/30/2026`, `2026-11`, `2026`, `yesterday`, `monday` (the last one), `november`,
    `7d`, `2w`, `3m`, `1y` (so long ago).
    """
    words = " ".join(text.lower().replace("_", " ").split())
    try:
        found = _named(words, today) or _ago(words, today) or _iso(words) or _as_written(words, today)
    except (ValueError, OverflowError):  # no such day
        return None
    return found if found is not None and found[0].year >= FIRST_YEAR else None


def read_size(text: str) -> int | None:
    """Bytes: `500k`, `5M`, `1.5 MB`; None for what is no size."""
    match = _SIZE.fullmatch(text.strip().lower())
    return round(float(match[1].replace(",", ".")) * _UNITS[match[2]]) if match else None


def _named(words: str, today: date) -> Span | None:
    if words in ("today", "yesterday"):
        return _day(today if words == "today" else today - timedelta(days=1))
    name, _, year = words.partition(" ")
    if len(name) < SHORTEST_NAME:
        return None
    for number, day in enumerate(DAYS):
        if day.startswith(name) and not year:
            return _day(today - timedelta(days=(today.weekday() - number) % 7))
    for number, month in enumerate(MONTHS, start=1):
        if month.startswith(name) and (not year or re.fullmatch(r"\d{4}", year)):
            return _month(int(year) if year else today.year - (number > today.month), number)
    return None


def _ago(words: str, today: date) -> Span | None:
    match = _AGO.fullmatch(words)
    if match is None:
        return None
    count, unit = int(match[1]), match[2]
    if unit in "dw":
        return _day(today - timedelta(days=count * (7 if unit == "w" else 1)))
    months = today.year * 12 + today.month - 1 - count * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    last = (_month(year, month + 1)[1] - timedelta(days=1)).day
    return _day(date(year, month + 1, min(today.day, last)))


def _iso(words: str) -> Span | None:
    match = _ISO.fullmatch(words)
    if match is None:
        return None
    year, month, day = (int(each) if each else 0 for each in match.groups())
    if day:
        return _day(date(year, month, day))
    return _month(year, month) if month else (date(year, 1, 1), date(year + 1, 1, 1))


def _as_written(words: str, today: date) -> Span | None:
    """Day before month, as most of the world writes; with a slash and a month that cannot be, the other way round."""
    match = _WRITTEN.fullmatch(words)
    if match is None:
        return None
    day, month = int(match[1]), int(match[3])
    if month > 12 and match[2] == "/":
        day, month = month, day
    if match[4]:
        return _day(date(int(match[4]), month, day))
    this_year = date(today.year, month, day)
    return _day(this_year if this_year <= today else date(today.year - 1, month, day))


def _day(day: date) -> Span:
    return day, day + timedelta(days=1)


def _month(year: int, month: int) -> Span:
    return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)
