"""What is known of the clock of whom one writes to, and how it is known."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from backend.contacts.clocks import _zone_of_domain, _zone_of_mail
from backend.contacts.contracts import Contact, CreateContact, MergeContacts, RecipientClock, SaveContact
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver, write_mail

CARLA = "carla@customer.example"
WINTER, SUMMER = datetime(2026, 1, 15, 12, tzinfo=UTC), datetime(2026, 7, 15, 12, tzinfo=UTC)


def at(hours: float, days_ago: int = 0) -> datetime:
    return datetime.now(timezone(timedelta(hours=hours))) - timedelta(days=days_ago)


async def clock(who: Member, address: str = CARLA) -> RecipientClock:
    return await who.get("/addresses/clock", RecipientClock, address=address)


async def told(who: Member, address: str = CARLA) -> tuple[str, str]:
    known = await clock(who, address)
    return known.time_zone, known.source


async def test_nothing_is_made_up(api: Api) -> None:
    assert await told(api.ana, "somebody@company.com") == ("", "")
    assert await told(api.ana, "somebody@start-up.io") == ("", "")


async def test_the_country_of_a_domain_is_a_weak_guess(api: Api) -> None:
    assert await told(api.ana, "Somebody@Laden.DE") == ("Europe/Berlin", "domain")
    assert await told(api.ana, "somebody@shop.co.uk") == ("Europe/London", "domain")


async def test_the_newest_mail_says_more_than_the_domain(api: Api) -> None:
    await deliver(api.support, write_mail(at=at(-3, days_ago=2)))
    newest = at(5.5)
    await deliver(api.support, write_mail(at=newest))
    known = await clock(api.ana)
    assert (known.time_zone, known.source, known.offset) == ("Asia/Kolkata", "mail", 330)
    assert known.seen_at is not None and abs(known.seen_at - newest) < timedelta(seconds=1)
    assert (known.name, known.contact_id is not None) == ("Carla Customer", True)


async def test_utc_says_nothing_and_an_older_mail_that_does_is_taken(api: Api) -> None:
    await deliver(api.support, write_mail(at=at(9, days_ago=2)))
    await deliver(api.support, write_mail(at=datetime.now(UTC)))
    assert await told(api.ana) == ("Etc/GMT-9", "mail")


async def test_what_a_person_set_counts_until_it_is_taken_away(api: Api) -> None:
    await deliver(api.support, write_mail(at=at(9)))
    contact_id = (await clock(api.ana)).contact_id
    contact = await api.ana.get(f"/contacts/{contact_id}", Contact)
    fields = {name: getattr(contact, name) for name in ("name", "company", "phone", "notes", "addresses")}
    wanted = SaveContact(version=contact.version, time_zone="America/Lima", **fields)
    assert (await api.ana.put(f"/contacts/{contact_id}", wanted, Contact)).time_zone == "America/Lima"
    assert await told(api.jonas) == ("America/Lima", "contact")
    kept = await api.ana.put(f"/contacts/{contact_id}", SaveContact(version=contact.version + 1, **fields), Contact)
    assert kept.time_zone == "America/Lima"  # left out: it stays
    away = SaveContact(version=contact.version + 2, time_zone="", **fields)
    await api.ana.put(f"/contacts/{contact_id}", away, Contact)
    assert await told(api.ana) == ("Etc/GMT-9", "mail")


async def test_a_zone_that_does_not_exist_is_refused(api: Api) -> None:
    wanted = CreateContact(name="Vento", addresses=["info@vento.example"], time_zone="Europe/Atlantis")
    refusal = await api.ana.refused("POST", "/contacts", wanted)
    assert (refusal.status, list(refusal.details["fields"])) == (422, ["time_zone"])


async def test_a_merged_contact_keeps_the_zone_of_either(api: Api) -> None:
    one = await api.ana.post("/contacts", CreateContact(name="Vento", addresses=["a@vento.example"]), Contact)
    zoned = CreateContact(name="Vento", addresses=["b@vento.example"], time_zone="Asia/Tokyo")
    other = await api.ana.post("/contacts", zoned, Contact)
    await api.ana.post(f"/contacts/{one.id}/merge", MergeContacts(other_id=other.id), Contact)
    assert await told(api.ana, "a@vento.example") == ("Asia/Tokyo", "contact")


async def test_who_does_not_see_the_mail_is_told_nothing_of_it(api: Api) -> None:
    await deliver(api.support, write_mail(at=at(9)))
    for stranger in (api.tom, api.mallory):
        assert await clock(stranger) == RecipientClock(name="", contact_id=None, time_zone="", source="")


@pytest.mark.parametrize(
    ("country", "moment", "minutes", "zone"),
    [
        ("DE", WINTER, 60, "Europe/Berlin"),
        ("DE", SUMMER, 120, "Europe/Berlin"),
        ("DE", SUMMER, 60, "Etc/GMT-1"),  # not the clock of Germany then
        ("AU", WINTER, 600, "Australia/Brisbane"),
        ("AU", WINTER, 660, "Australia/Hobart"),
        ("GB", WINTER, 0, "Europe/London"),
        ("GB", SUMMER, 0, ""),
        ("", WINTER, 345, "Asia/Kathmandu"),
        ("", WINTER, -210, ""),
        ("", WINTER, 840, "Etc/GMT-14"),
        ("", WINTER, -720, "Etc/GMT+12"),
        ("", WINTER, -780, ""),
    ],
)
def test_a_country_is_known_by_what_its_clocks_show_that_day(
    country: str, moment: datetime, minutes: int, zone: str
) -> None:
    assert _zone_of_mail(country, moment, minutes) == zone


@pytest.mark.parametrize(
    ("country", "zone"), [("PT", "Europe/Lisbon"), ("IN", "Asia/Kolkata"), ("US", ""), ("RU", ""), ("XX", ""), ("", "")]
)
def test_a_country_with_clocks_far_apart_is_no_guess(country: str, zone: str) -> None:
    assert _zone_of_domain(country, WINTER) == zone
