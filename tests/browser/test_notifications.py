"""Following, and what is told of it: in the list, on the desktop, by push; one click leads to the very place."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest
from playwright.async_api import BrowserContext, Page, expect

from backend.conversations.contracts import AddComment, ConversationPage
from backend.notifications.contracts import MarkNotificationsRead, NotificationPage, PushState, PushText
from backend.people.contracts import Me
from tests.servers.chromium import Seats
from tests.servers.office import Office
from tests.servers.push_service import PushService

pytestmark = pytest.mark.browser


async def number_of(office: Office, subject: str) -> int:
    for _ in range(100):
        page = await office.ana.get(f"/mailboxes/{office.support.id}/conversations", ConversationPage)
        if found := [item.row.id for item in page.items if item.row.subject == subject]:
            return found[0]
        await asyncio.sleep(0.2)
    raise AssertionError(f"{subject} has not arrived")


async def shown(page: Page) -> list[str]:
    """The notifications that the browser shows at this moment."""
    return await page.evaluate(
        "navigator.serviceWorker.ready.then((it) => it.getNotifications()).then((all) => all.map((one) => one.title))"
    )


async def until(page: Page, wanted: list[str]) -> None:
    for _ in range(100):
        if await shown(page) == wanted:
            return
        await page.wait_for_timeout(100)
    raise AssertionError(f"the browser shows {await shown(page)}, not {wanted}")


async def test_who_follows_is_told_and_led_to_the_place(office: Office, seats: Seats) -> None:
    await office.jonas.post("/notifications/read", MarkNotificationsRead())
    await office.receive("Fork to be bent back", "\n".join(f"Line {line}" for line in range(120)))
    jonas = await seats.at(office.product, office.jonas)
    page = await jonas.open()
    await page.locator(".row", has_text="Fork to be bent back").click(timeout=15_000)
    pane = page.get_by_role("article", name="Fork to be bent back")
    follow = pane.get_by_role("button", name="Follow")
    await expect(follow).to_have_attribute("aria-pressed", "false")
    await page.keyboard.press("w")
    await expect(follow).to_have_attribute("aria-pressed", "true")
    await expect(pane.get_by_label("About the sender").get_by_text("Jonas Dahl")).to_be_visible()

    # Jonas looks at another one meanwhile; three comments are one notification.
    await office.receive("Something else")
    await page.locator(".row", has_text="Something else").click(timeout=15_000)
    path = f"/conversations/{await number_of(office, 'Fork to be bent back')}/comments"
    for text in ("It is bent.", "Badly.", "We order a new one."):
        await office.ana.post(path, AddComment(text=text))
    bell = page.locator(".rail").get_by_role("button", name="Notifications")
    await expect(bell).to_have_text("1")
    await bell.click()
    notice = page.locator(".notice").first
    await expect(notice).to_contain_text("Ana commented · 3 changes")
    await notice.click()
    comment = pane.locator(".cmt", has_text="We order a new one.")
    await expect(comment).to_have_attribute("data-sought", "yes")
    await expect(comment).to_be_in_viewport()
    await expect(bell).to_have_text("")

    # The address that a push opens leads there, too.
    told = (await office.jonas.get("/notifications", NotificationPage)).items[0]
    await page.goto(told.path)
    await expect(comment).to_have_attribute("data-sought", "yes")
    await page.keyboard.press("w")
    await expect(follow).to_have_attribute("aria-pressed", "false")
    assert jonas.complaints == []


async def test_the_desktop_is_told_unless_one_looks_and_what_is_read_is_taken_back(
    office: Office, seats: Seats
) -> None:
    await office.receive("Pedals creak")
    jonas = await seats.at(office.product, office.jonas)
    await jonas.context.grant_permissions(["notifications"])
    page = await jonas.open()
    await expect(page.locator(".row", has_text="Pedals creak")).to_be_visible(timeout=15_000)
    number = await number_of(office, "Pedals creak")
    elsewhere = await look_elsewhere(jonas.context, page)
    await office.ana.post(
        f"/conversations/{number}/comments", AddComment(text="@Jonas", mention_ids=[office.jonas.user_id])
    )
    await until(page, ["Ana Ribeiro mentioned you"])
    # Read on another device: it is taken back here.
    await office.jonas.post("/notifications/read", {"conversation_id": number})
    await until(page, [])
    await elsewhere.close()
    assert jonas.complaints == []


async def look_elsewhere(context: BrowserContext, page: Page) -> Page:
    """Another tab, of another site, is in front: a headless browser tells all tabs that they are, unless told."""
    session = await context.new_cdp_session(page)
    await session.send("Emulation.setFocusEmulationEnabled", {"enabled": False})
    other = await context.new_page()
    await other.goto("about:blank")
    await other.bring_to_front()
    return other


async def test_a_push_is_shown_and_its_click_opens_the_place(office: Office, seats: Seats) -> None:
    await office.receive("Bell is mute")
    jonas = await seats.at(office.product, office.jonas)
    await jonas.context.grant_permissions(["notifications"])
    page = await jonas.open()
    await expect(page.locator(".row", has_text="Bell is mute")).to_be_visible(timeout=15_000)
    number = await number_of(office, "Bell is mute")
    said = await office.ana.post(f"/conversations/{number}/comments", AddComment(text="Ring."), dict)
    path = f"/?mailbox={office.support.id}&conversation={number}&at=c{said['id']}"
    await page.evaluate("navigator.serviceWorker.ready.then(() => 0)")
    elsewhere = await look_elsewhere(jonas.context, page)
    first = PushText(tag=f"tandem-{number}", title="Ana commented", body="Bell is mute", path=path)
    second = msgspec.structs.replace(first, title="Ana commented · 2 changes", again=True)
    await deliver(jonas.context, page, office, first)
    await until(page, ["Ana commented"])
    await deliver(jonas.context, page, office, second)
    await until(page, ["Ana commented · 2 changes"])
    # A click, as the browser tells the service worker of it.
    [worker] = [each for each in jonas.context.service_workers if each.url.endswith("/push.js")]
    await worker.evaluate(
        "registration.getNotifications().then(([notification]) => "
        "dispatchEvent(Object.assign(new NotificationEvent('notificationclick', { notification }))))"
    )
    await expect(page.locator(".cmt", has_text="Ring.")).to_have_attribute("data-sought", "yes")
    await until(page, [])
    await elsewhere.close()
    assert jonas.complaints == []


async def deliver(context: BrowserContext, page: Page, office: Office, text: PushText) -> None:
    """Let the browser's push service bring this, as the tools for developers can."""
    session = await context.new_cdp_session(page)
    found: list[dict[str, str]] = []
    session.on("ServiceWorker.workerRegistrationUpdated", lambda told: found.extend(told["registrations"]))
    await session.send("ServiceWorker.enable")
    while not (ids := [each["registrationId"] for each in found if each["scopeURL"] == f"{office.product.url}/"]):
        await page.wait_for_timeout(50)
    fields = {name: getattr(text, name) for name in text.__struct_fields__}
    await session.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": office.product.url, "registrationId": ids[0], "data": json.dumps(fields)},
    )
    await session.detach()


async def test_the_worker_pushes_what_happens(office: Office) -> None:
    await office.receive("Chain is dry")
    number = await number_of(office, "Chain is dry")
    with PushService() as service:
        browser = service.subscribe()
        await office.jonas.post("/push/devices", browser.wanted())
        said = AddComment(text="@Jonas", mention_ids=[office.jonas.user_id])
        await office.ana.post(f"/conversations/{number}/comments", said)
        [pushed] = await asyncio.to_thread(service.wait_for, 1)
        text = msgspec.json.decode(browser.read(pushed.body), type=PushText)
        assert (text.title, text.body) == ("Ana Ribeiro mentioned you", "Chain is dry · Support")
        [device] = (await office.jonas.get("/push", PushState)).devices
        await office.jonas.delete(f"/push/devices/{device.id}")


async def test_what_one_is_told_of_is_set_on_a_page(office: Office, seats: Seats) -> None:
    ana = await seats.at(office.product, office.ana)
    await ana.context.grant_permissions(["notifications"])
    page = await ana.open("/settings/notifications/")
    box = page.get_by_label("A comment in what I follow: push")
    await expect(box).to_be_checked()
    await box.uncheck()
    await page.get_by_label("Hold back desktop and push").check()
    await page.get_by_label("From").fill("18:30")
    await page.get_by_label("Sunday").uncheck()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved")).to_be_visible()
    await expect(page.get_by_role("button", name="Turn push on")).to_be_visible()
    notify = (await office.ana.get("/me", Me)).notify
    assert (notify.comment.on, notify.comment.desktop, notify.comment.push) == (True, True, False)
    assert (notify.quiet.on, notify.quiet.begins, notify.quiet.days) == (True, "18:30", (0, 1, 2, 3, 4, 5))
    await page.reload()
    await expect(box).not_to_be_checked()
    await expect(page.get_by_label("From")).to_have_value("18:30")
    assert ana.complaints == []
