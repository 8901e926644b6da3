"""Web push: to whom, what it says, and what becomes of browsers that are gone."""

from collections.abc import Iterator

import msgspec
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec

from backend.conversations.contracts import AddComment, Assign, SetRead, SetVisibility
from backend.database.connection import execute, fetch, fetch_value
from backend.jobs import TryAgain
from backend.mailboxes.contracts import SetMailboxMembers
from backend.notifications.contracts import (
    Device,
    NotificationSettings,
    PushState,
    PushText,
    QuietHours,
    Wanted,
)
from backend.notifications.webpush import CURVE, Receiver, application_key, decode, encode, encrypt, public_key
from backend.settings import read_settings, settings
from backend.workers.push import send_push_for
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver, write_mail
from tests.servers.push_service import PushService, Subscriber


@pytest.fixture
def service() -> Iterator[PushService]:
    with PushService() as running:
        yield running


async def subscribed(person: Member, service: PushService) -> Subscriber:
    browser = service.subscribe()
    await person.post("/push/devices", browser.wanted(), Device)
    return browser


async def waiting() -> list[dict[str, int]]:
    """The payloads of the jobs that are to push."""
    rows = await fetch("SELECT payload FROM pgqueuer WHERE entrypoint = 'send_push' ORDER BY id")
    return [msgspec.json.decode(row["payload"]) for row in rows]


async def push() -> None:
    """Run what is to be pushed, as a worker does."""
    jobs = await waiting()
    await execute("DELETE FROM pgqueuer WHERE entrypoint = 'send_push'")
    for job in jobs:
        await send_push_for(settings())(**job)


async def mention(api: Api, number: int, text: str = "@Jonas, the recall is ours.") -> None:
    await api.ana.post(f"/conversations/{number}/comments", AddComment(text=text, mention_ids=[api.jonas.user_id]))


def texts(service: PushService, browser: Subscriber) -> list[PushText]:
    path = "/" + browser.endpoint.split("/", 3)[3]
    return [msgspec.json.decode(browser.read(each.body), type=PushText) for each in service.pushed if each.path == path]


# -- the form (RFC 8291, RFC 8292)


def test_a_message_is_sealed_as_the_rfc_shows() -> None:
    """RFC 8291, appendix A."""
    own = ec.derive_private_key(int.from_bytes(decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")), CURVE)
    key = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    browser = Receiver("https://push.example.net/p/1", decode(key), decode("BTBZMqHH6r4Tts7J_aSIgg"))
    plain, salt = b"When I grow up, I want to be a watermelon", decode("DGv6ra1nlYgDCS1FRnbzlw")
    assert encode(encrypt(browser, plain, salt=salt, own=own)) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl"
        "7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_the_installations_key_comes_with_its_secret_key() -> None:
    """So whoever restores a backup with its key goes on pushing to the same browsers."""
    given = {"TANDEM_DATA": "/nowhere", "TANDEM_SECRET_KEY": "5a" * 32}
    here, there = read_settings(given), read_settings(given | {"TANDEM_DATA": "/elsewhere"})
    assert public_key(here) == public_key(there)
    assert public_key(here) != public_key(read_settings(given | {"TANDEM_SECRET_KEY": "5b" * 32}))
    assert application_key(here).key_size == 256


async def test_a_push_says_who_sends_it_and_only_its_browser_can_read_it(
    api: Api, private_servers: None, service: PushService
) -> None:
    browser, other = await subscribed(api.jonas, service), service.subscribe()
    await mention(api, await deliver(api.support))
    await push()
    [pushed] = service.pushed
    assert pushed.token["aud"] == service.origin
    assert pushed.token["key"] == (await api.jonas.get("/push", PushState)).public_key
    assert str(pushed.token["sub"]).startswith(("mailto:", "https://"))
    assert (pushed.headers["content-encoding"], pushed.headers["topic"]) == ("aes128gcm", "tandem-1")
    assert b"mentioned" in browser.read(pushed.body)
    with pytest.raises(InvalidTag):
        other.read(pushed.body)


# -- what it says


async def test_it_says_who_did_what_and_where_and_nothing_of_the_text(
    api: Api, private_servers: None, service: PushService
) -> None:
    browser = await subscribed(api.jonas, service)
    number = await deliver(api.support, write_mail(subject="Cracked wheel", text="Xylophonquark."))
    await mention(api, number, "@Jonas Zwieselbach")
    await push()
    [said] = texts(service, browser)
    assert (said.title, said.body) == ("Ana Ribeiro mentioned you", "Cracked wheel · Support")
    assert (said.tag, said.path.partition("&at=")[0]) == (
        f"tandem-{number}",
        f"/?mailbox={api.support}&conversation={number}",
    )
    plain = browser.read(service.pushed[0].body)
    assert b"Xylophonquark" not in plain and b"Zwieselbach" not in plain and len(plain) < 500


@pytest.mark.parametrize("visibility", ["private", "confidential"])
async def test_of_what_is_private_it_says_only_that_there_is_something(
    api: Api, private_servers: None, service: PushService, visibility: str
) -> None:
    browser = await subscribed(api.jonas, service)
    number = await deliver(api.support, write_mail(subject="Xylophonquark"))
    await api.ana.put(f"/conversations/{number}/visibility", {"visibility": visibility})
    await mention(api, number)
    await push()
    [said] = texts(service, browser)
    assert (said.title, said.body) == ("Something new in a private conversation", "")


async def test_ten_changes_in_a_minute_are_two_pushes_with_one_tag(
    api: Api, private_servers: None, service: PushService
) -> None:
    browser = await subscribed(api.jonas, service)
    number = await deliver(api.support)
    for _ in range(4):
        await mention(api, number)
    assert len(await waiting()) == 1
    await push()
    for _ in range(6):
        await mention(api, number)
    [again] = await fetch("SELECT execute_after - now() AS wait FROM pgqueuer WHERE entrypoint = 'send_push'")
    assert 30 < again["wait"].total_seconds() < 61
    await push()
    first, last = texts(service, browser)
    assert (first.title, last.title) == (
        "Ana Ribeiro mentioned you · 4 changes",
        "Ana Ribeiro mentioned you · 10 changes",
    )
    assert first.tag == last.tag


async def test_it_names_what_was_read_meanwhile(api: Api, private_servers: None, service: PushService) -> None:
    browser = await subscribed(api.jonas, service)
    read, fresh = await deliver(api.support), await deliver(api.support, write_mail(subject="Fresh"))
    await mention(api, read)
    await push()
    await api.jonas.put(f"/conversations/{read}/read", SetRead(read=True))
    await mention(api, fresh)
    await push()
    assert [each.read for each in texts(service, browser)] == [[], [f"tandem-{read}"]]


# -- to whom, and when not


@pytest.mark.parametrize(
    "why",
    ["read meanwhile", "out of sight", "lost the mailbox", "push off", "kind off", "quiet", "signed out", "too late"],
)
async def test_nothing_is_pushed(api: Api, private_servers: None, service: PushService, why: str) -> None:
    await subscribed(api.jonas, service)
    number = await deliver(api.support)
    await mention(api, number)
    assert len(await waiting()) == 1
    match why:
        case "read meanwhile":
            await api.jonas.post("/notifications/read", {})
        case "out of sight":
            await execute("DELETE FROM conversation_people")
            await api.ana.put(f"/conversations/{number}/visibility", SetVisibility(visibility="confidential"))
        case "lost the mailbox":
            members = SetMailboxMembers(member_ids=[api.ana.user_id], team_ids=[])
            await api.ana.put(f"/mailboxes/{api.support}/members", members)
        case "push off":
            await api.jonas.put("/me/notifications", NotificationSettings(mention=Wanted(push=False)))
        case "kind off":
            await execute("DELETE FROM pgqueuer; DELETE FROM notifications")
            await api.jonas.put("/me/notifications", NotificationSettings(mention=Wanted(on=False)))
            await mention(api, number)
        case "quiet":
            whole_day = QuietHours(on=True, begins="00:00", ends="00:00")
            await api.jonas.put("/me/notifications", NotificationSettings(quiet=whole_day))
        case "signed out":
            await api.jonas.post("/sign-out")
        case _:
            await execute("UPDATE notifications SET created_at = now() - interval '13 hours'")
    await push()
    assert service.pushed == []


async def test_what_is_not_wanted_by_push_makes_no_job(api: Api, private_servers: None, service: PushService) -> None:
    await subscribed(api.jonas, service)
    await api.jonas.put("/me/notifications", NotificationSettings(mention=Wanted(push=False)))
    number = await deliver(api.support)
    await mention(api, number)
    assert await waiting() == []
    await api.ana.put(f"/conversations/{number}/assignee", Assign(user_id=api.jonas.user_id))
    assert await waiting() == []  # one notification with the mention, which is the weightier


async def test_it_reaches_each_browser_of_the_person_and_nobody_elses(
    api: Api, private_servers: None, service: PushService
) -> None:
    browsers = [await subscribed(api.jonas, service) for _ in range(2)]
    stranger = await subscribed(api.mallory, service)
    await mention(api, await deliver(api.support))
    await push()
    assert [len(texts(service, each)) for each in (*browsers, stranger)] == [1, 1, 0]


# -- browsers that come and go


@pytest.mark.parametrize("status", [404, 410, 403, 400])
async def test_a_browser_that_is_gone_is_forgotten(
    api: Api, private_servers: None, service: PushService, status: int
) -> None:
    gone, here = await subscribed(api.jonas, service), await subscribed(api.jonas, service)
    service.answers["/" + gone.endpoint.split("/", 3)[3]] = status
    await mention(api, await deliver(api.support))
    await push()
    assert [each.endpoint for each in (await api.jonas.get("/push", PushState)).devices] == [here.endpoint]


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_what_may_pass_is_tried_again(api: Api, private_servers: None, service: PushService, status: int) -> None:
    browser = await subscribed(api.jonas, service)
    service.answers["/" + browser.endpoint.split("/", 3)[3]] = status
    await mention(api, await deliver(api.support))
    with pytest.raises(TryAgain, match=str(status)):
        await push()
    assert len((await api.jonas.get("/push", PushState)).devices) == 1


async def test_a_push_service_that_is_down_is_tried_again(api: Api, private_servers: None) -> None:
    with PushService() as service:
        await subscribed(api.jonas, service)
    await mention(api, await deliver(api.support))
    with pytest.raises(TryAgain):
        await push()


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.net/1",
        "https://127.0.0.1/1",
        "https://[::1]/1",
        "https://10.0.0.1/1",
        "https://169.254.169.254/latest",
        "https://localhost/1",
        "https://database.internal/1",
        "https://ana@push.example.net/1",
        "ftp://push.example.net/1",
        "https://push.example.net:99999/1",
        "https://push.example.net/" + "x" * 1000,
        "push",
    ],
)
async def test_an_address_that_leads_inward_or_nowhere_is_refused(
    api: Api, service: PushService, endpoint: str
) -> None:
    wanted = msgspec.structs.replace(service.subscribe().wanted(), endpoint=endpoint)
    assert (await api.jonas.refused("POST", "/push/devices", wanted)).status == 422
    assert (await api.jonas.get("/push", PushState)).devices == []


async def test_a_name_that_leads_inward_is_not_connected_to(api: Api, service: PushService) -> None:
    """It may have led elsewhere when the browser subscribed."""
    await subscribed_by_hand(api.jonas, service)
    await mention(api, await deliver(api.support))
    await push()
    assert service.pushed == [] and (await api.jonas.get("/push", PushState)).devices == []


async def subscribed_by_hand(person: Member, service: PushService) -> None:
    wanted = service.subscribe().wanted()
    await execute(
        "INSERT INTO push_devices (user_id, name, endpoint, p256dh, auth) VALUES ($1, '', $2, $3, $4)",
        person.user_id,
        f"http://localhost:{service.port}/1",
        wanted.p256dh,
        wanted.auth,
    )


@pytest.mark.parametrize("wrong", [{"p256dh": "AAAA"}, {"auth": "AAAA"}, {"p256dh": "B" * 87}, {"auth": "!"}])
async def test_keys_that_are_none_are_refused(
    api: Api, private_servers: None, service: PushService, wrong: dict[str, str]
) -> None:
    wanted = msgspec.structs.replace(service.subscribe().wanted(), **wrong)
    assert (await api.jonas.refused("POST", "/push/devices", wanted)).status == 422


async def test_a_browser_is_one_device_and_goes_to_who_signs_in_there(
    api: Api, private_servers: None, service: PushService
) -> None:
    browser = await subscribed(api.jonas, service)
    await api.jonas.post("/push/devices", browser.wanted("Kitchen"), Device)
    [device] = (await api.jonas.get("/push", PushState)).devices
    assert (device.name, device.here) == ("Kitchen", True)
    await api.ana.post("/push/devices", browser.wanted(), Device)
    assert (await api.jonas.get("/push", PushState)).devices == []
    stolen = msgspec.structs.replace(service.subscribe().wanted(), endpoint=browser.endpoint)
    assert (await api.mallory.refused("POST", "/push/devices", stolen)).status == 409


async def test_ones_own_device_is_removed_and_nobody_elses(
    api: Api, private_servers: None, service: PushService
) -> None:
    await subscribed(api.jonas, service)
    [device] = (await api.jonas.get("/push", PushState)).devices
    assert (await api.ana.refused("DELETE", f"/push/devices/{device.id}")).status == 404
    await api.jonas.delete(f"/push/devices/{device.id}")
    assert await fetch_value("SELECT count(*) FROM push_devices") == 0
