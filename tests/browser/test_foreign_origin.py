"""A page of another origin, in the browser of somebody who is signed in: their cookie opens nothing there.

Two pages try: one of another site (the browser keeps the cookie back, as it is SameSite=Lax), and one of the same
site but another port, to whose requests the browser does add the cookie: there the server alone stands guard.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.async_api import Page, Response, expect

from backend.people.contracts import Me
from backend.people.sessions import COOKIE
from tests.servers.chromium import Seat, Seats
from tests.servers.office import Office
from tests.servers.website import Website

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

HOSTS = {"another site": "localhost", "another port": "127.0.0.1"}

SOCKET = """address => new Promise(done => {
    const socket = new WebSocket(address.replace("http", "ws"));
    socket.onopen = () => { done("open"); socket.close(); };
    socket.onerror = () => done("refused");
})"""

WRITES = """async target => {
    const json = (method, path, body, headers) => fetch(target + path, {
        method, credentials: "include", body: JSON.stringify(body), ...headers,
    }).then(answer => answer.status, () => "refused");
    const plain = { mode: "no-cors" };
    const typed = { headers: { "content-type": "application/json", "x-csrf-token": "guessed" } };
    const told = [];
    for (const how of [plain, typed]) {
        told.push(await json("POST", "/api/v1/sign-out", {}, how));
        told.push(await json("POST", "/api/v1/me/tokens", { name: "stolen" }, how));
        told.push(await json("POST", "/api/v1/notifications/read", {}, how));
    }
    told.push(await json("PATCH", "/api/v1/me", { name: "Mallory" }, typed));
    navigator.sendBeacon(target + "/api/v1/sign-out", new Blob(["{}"], { type: "text/plain" }));
    return told;
}"""

READ = """address => fetch(address, { credentials: "include" }).then(answer => answer.text(), () => "refused")"""

FORM = """target => {
    document.body.innerHTML = `<form method=post enctype=text/plain action="${target}/api/v1/sign-out">
        <input name='{"a":"' value='"}'></form>`;
    document.forms[0].submit();
}"""


@pytest.fixture(scope="module")
def evil() -> Iterator[Website]:
    page = b"<!doctype html><title>A prize for you</title><body>"
    with Website({"/": ("text/html", page)}) as website:
        yield website


class Answers:
    """What the product answered to a foreign page, by path."""

    def __init__(self, seat: Seat, target: str) -> None:
        self.seen: list[Response] = []
        seat.context.on("response", lambda answer: self.seen.append(answer) if target in answer.url else None)

    async def with_cookie(self) -> int:
        """How many of the requests carried the session."""
        headers = [await answer.request.all_headers() for answer in self.seen]
        return sum(COOKIE in each.get("cookie", "") for each in headers)


async def visiting(seat: Seat, office: Office, website: Website, host: str) -> Page:
    """Jonas signs in, and falls for a link."""
    await seat.sign_in(office.jonas)
    await seat.page.goto(website.url(host))
    await expect(seat.page).to_have_title("A prize for you")
    return seat.page


@pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS.keys())
async def test_a_foreign_page_changes_nothing(office: Office, seats: Seats, evil: Website, host: str) -> None:
    seat = await seats.at(office.product)
    page = await visiting(seat, office, evil, host)
    answers = Answers(seat, office.product.url)
    told = await page.evaluate(WRITES, office.product.url)
    assert all(answer in (0, "refused") for answer in told), "a foreign page could read an answer"
    await page.evaluate(FORM, office.product.url)
    await page.wait_for_url(f"{office.product.url}/**")
    assert len(answers.seen) >= 4
    assert {answer.status for answer in answers.seen} <= {401, 403, 405}
    carried = await answers.with_cookie()
    assert (carried > 0) == (host == "127.0.0.1"), "the page on another port must have tried with the cookie"
    me = await office.jonas.get("/me", Me)
    assert me.person.name == "Jonas Dahl"
    assert await office.jonas.get("/me/tokens") == []


@pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS.keys())
async def test_a_foreign_page_reads_nothing(office: Office, seats: Seats, evil: Website, host: str) -> None:
    seat = await seats.at(office.product)
    page = await visiting(seat, office, evil, host)
    for path in ("/api/v1/me", "/api/v1/snapshot", f"/api/v1/mailboxes/{office.support.id}/conversations", "/"):
        assert await page.evaluate(READ, office.product.url + path) == "refused", path


@pytest.mark.parametrize("path", ["/api/v1/live", "/_event/?EIO=4&transport=websocket&token=stolen"])
@pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS.keys())
async def test_a_foreign_page_opens_no_socket(
    office: Office, seats: Seats, evil: Website, host: str, path: str
) -> None:
    seat = await seats.at(office.product)
    page = await visiting(seat, office, evil, host)
    assert await page.evaluate(SOCKET, office.product.url + path) == "refused"
    # The same from a page of ours: so it was the origin that was refused.
    await page.goto(office.product.url)
    assert await page.evaluate(SOCKET, office.product.url + path) == "open"


async def test_a_foreign_page_does_not_poll_either(office: Office, seats: Seats, evil: Website) -> None:
    """socket.io speaks over plain requests, too, where a socket is refused."""
    seat = await seats.at(office.product)
    page = await visiting(seat, office, evil, "127.0.0.1")
    async with page.expect_response(f"{office.product.url}/_event/**") as polled:
        await page.evaluate(
            "address => fetch(address, { mode: 'no-cors', credentials: 'include' }).catch(() => null)",
            f"{office.product.url}/_event/?EIO=4&transport=polling&token=stolen",
        )
    assert (await polled.value).status in (400, 403)


@pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS.keys())
async def test_a_foreign_page_cannot_frame_ours(office: Office, seats: Seats, evil: Website, host: str) -> None:
    """Framed, a person could be made to click where they do not see."""
    seat = await seats.at(office.product)
    page = await visiting(seat, office, evil, host)
    await page.evaluate(
        """target => new Promise(done => {
            const frame = document.body.appendChild(document.createElement("iframe"));
            frame.onload = done;
            frame.src = target;
        })""",
        office.product.url,
    )
    inside = page.frames[1]
    assert not inside.url.startswith(office.product.url)
    await page.wait_for_timeout(500)
    assert await inside.locator("button, form").count() == 0
