"""What Northwind writes with: templates from the library, passages and links of its own, signatures, a footer.

Laid out once, at the start; whatever a visitor makes of it stays.
"""

from backend.demo.api import Api
from backend.demo.memory import Memory
from backend.links.contracts import SavedLink, SaveLink
from backend.templates.contracts import (
    AddFromLibrary,
    HouseStyle,
    LibraryTemplate,
    SaveSignature,
    SaveTemplate,
    Signature,
    Template,
)

FROM_THE_LIBRARY = (
    "support/acknowledge",
    "support/need-more-information",
    "support/delivery-delayed",
    "support/return-instructions",
    "support/refund-agreed",
    "support/resolved",
    "sales/first-answer",
    "sales/quote",
    "sales/follow-up",
)

PASSAGES = (
    SaveTemplate(
        name="Opening hours",
        kind="snippet",
        folder="Workshop",
        shared="everybody",
        text="The workshop is open from Tuesday to Saturday, nine to six. On Mondays we only pick up the phone.",
    ),
    SaveTemplate(
        name="Where the frame number is",
        kind="snippet",
        folder="Workshop",
        shared="everybody",
        text=(
            "Turn the bike on its saddle: the frame number stands under the bottom bracket, two letters and six "
            "digits. A photo of it is as good as the number."
        ),
    ),
    SaveTemplate(
        name="Test ride",
        kind="snippet",
        folder="Shop",
        shared="everybody",
        text=(
            "Come by for a test ride, {{ contact.first_name | default('whenever you like') }}: bring something with "
            "your name on it, and shoes that you would ride in."
        ),
    ),
)

LINKS = (
    SaveLink(
        kind="appointment",
        name="Workshop appointment",
        url="https://book.northwind.example/workshop?name={{ contact.first_name | default('') }}",
    ),
    SaveLink(kind="survey", name="How was the repair?", url="https://ask.northwind.example/repair"),
    SaveLink(kind="landing_page", name="Harbor, the cargo bike", url="https://northwind.example/harbor"),
    SaveLink(kind="deal_room", name="Offers for fleets", url="https://rooms.northwind.example/fleets"),
    SaveLink(kind="conference", name="Workshop room", url="https://meet.northwind.example/workshop"),
)

OWN_SIGNATURE = "<p>{{ me.name }}<br>Northwind Bikes</p>"
MAILBOX_SIGNATURES = {
    "support": "<p>{{ me.first_name }}, for the Northwind workshop<br>support@northwind.example</p>",
    "sales": "<p>{{ me.name }}<br>Northwind Bikes, the shop floor<br>sales@northwind.example</p>",
}
FOOTER = "<p>Northwind Bikes · Harbour Street 12 · open Tuesday to Saturday</p>"


async def lay_out(owner: Api, mailboxes: dict[str, int], memory: Memory) -> None:
    """Put everything in its place, going on where an earlier start was stopped. Raises `Refused`."""
    done = memory.table("stationery")

    async def once(key: str, method: str, path: str, body: object) -> None:
        if key not in done:
            await owner.send(method, path, body)
            done[key] = True
            memory.save()

    known = {each.name for each in await owner.get("/templates", list[Template])}
    names = {each.key: each.name for each in await owner.get("/template-library", list[LibraryTemplate])}
    for key in FROM_THE_LIBRARY:
        if names[key] not in known:
            await once(key, "POST", "/template-library", AddFromLibrary(key=key))
    for passage in PASSAGES:
        if passage.name not in known:
            await once(passage.name, "POST", "/templates", passage)
    await once("footer", "PUT", "/house-style", HouseStyle(footer=FOOTER))
    saved = {each.name for each in await owner.get("/links", list[SavedLink])}
    for link in LINKS:
        if link.name not in saved:
            await once(link.name, "POST", "/links", link)
    for key, html in MAILBOX_SIGNATURES.items():
        path = f"/mailboxes/{mailboxes[key]}/signature"
        if not (stands := await owner.get(path, Signature)).html:
            await once(path, "PUT", path, SaveSignature(html=html, version=stands.version))


async def sign(person: Api, memory: Memory, key: str) -> None:
    """A signature for somebody, once. Raises `Refused`."""
    done = memory.table("signatures")
    if key in done:
        return
    if not (stands := await person.get("/me/signature", Signature)).html:
        await person.send("PUT", "/me/signature", SaveSignature(html=OWN_SIGNATURE, version=stands.version))
    done[key] = True
    memory.save()
