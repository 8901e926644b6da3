"""Northwind's document library: what its people attach or link to again and again, in folders, some in two versions.

Filed once, at the start; whatever a visitor makes of it stays.
"""

from dataclasses import dataclass

from backend.demo.api import Api
from backend.demo.attachments import pdf
from backend.demo.memory import Memory
from backend.demo.painting import photo
from backend.demo.people import OWNER
from backend.documents.contracts import Document, SaveDocument


@dataclass(frozen=True)
class Paper:
    """A document; ``versions`` are the file names with the lines of each page, the oldest first. A name that ends in
    .jpg is a picture of what its line names. With ``team`` only that may use it; ``by`` is one of them."""

    name: str
    folder: str
    versions: tuple[tuple[str, tuple[str, ...]], ...]
    team: str = ""
    by: str = OWNER.key


CONTRACT = "Service contract for fleets"
"""Mei sends this one as a link."""

_HOURS = "Open Tuesday to Saturday, nine to six. support@northwind.example"
PAPERS = (
    Paper(
        "Price list",
        "Shop",
        (
            (
                "northwind-prices-2025.pdf",
                ("Price list 2025", "", "Harbor, cargo bike   4,890 EUR", "Loop 7, city bike   2,190 EUR",
                 "Pebble 16, child's bike   389 EUR", "", "With 19 % VAT. Valid until 31 December 2025."),
            ),
            (
                "northwind-prices-2026.pdf",
                ("Price list 2026", "", "Harbor, cargo bike   4,990 EUR", "Harbor with child bench   5,240 EUR",
                 "Loop 7, city bike   2,240 EUR", "Pebble 12, child's bike   329 EUR",
                 "Pebble 16, child's bike   399 EUR", "", "With 19 % VAT. Valid until 31 December 2026."),
            ),
        ),
    ),
    Paper(
        "Harbor: sizes and loads",
        "Shop/Data sheets",
        (
            (
                "harbor-data-sheet.pdf",
                ("Harbor, cargo bike", "", "Length 2.54 m, width 0.70 m", "Weight 38 kg with a 500 Wh battery",
                 "Load at the front 100 kg, all together 200 kg", "Fits riders from 1.58 m to 1.95 m"),
            ),
        ),
    ),
    Paper("Harbor, from the side", "Shop/Data sheets", (("harbor-side.jpg", ("harbor-side.jpg",)),)),
    Paper(
        CONTRACT,
        "Contracts",
        (
            (
                "service-contract-fleets-draft.pdf",
                ("Service contract for fleets", "", "Two inspections a year, at your place", "Draft, prices open"),
            ),
            (
                "service-contract-fleets.pdf",
                ("Service contract for fleets", "", "Two inspections a year, at your place",
                 "Worn parts at cost, a loan bike within 24 hours", "18 EUR a bike and month, from eight bikes on", "",
                 "Notice: three months to the end of a quarter."),
            ),
        ),
        team="Commercial",
        by="mei",
    ),
    Paper(
        "Warranty terms",
        "Workshop",
        (
            (
                "warranty-terms.pdf",
                ("Warranty", "", "Frame: ten years. Motor and battery: two years, or 500 charges.",
                 "Worn parts are not covered: pads, chain, tyres, cables.", "", _HOURS),
            ),
        ),
    ),
    Paper(
        "Return form",
        "Workshop/Returns",
        (
            ("return-form.pdf", ("Return form", "", "Order ______  Frame number ______  What is wrong ______")),
            (
                "return-form-v2.pdf",
                ("Return form", "", "Order ______  Frame number ______", "What is wrong ______", "",
                 "[ ] repair   [ ] exchange   [ ] money back", "", "Please put this page into the box."),
            ),
        ),
    ),
    Paper(
        "Travelling with the battery",
        "Workshop",
        (
            (
                "battery-travel.pdf",
                ("Travelling with the battery", "", "By train: yes, in the bike.", "By plane: no, above 160 Wh.",
                 "By parcel: only through us, as dangerous goods.", "", _HOURS),
            ),
        ),
    ),
)  # fmt: skip


async def file_documents(apis: dict[str, Api], teams: dict[str, int], memory: Memory) -> None:
    """Put every paper in its folder, going on where an earlier start was stopped. Raises `Refused`."""
    done = memory.table("documents")
    for paper in PAPERS:
        if paper.name in done:
            continue
        api = apis[paper.by]
        known = {each.name: each for each in await api.get("/documents", list[Document])}
        document = known.get(paper.name)
        if document is None:
            first = _file(*paper.versions[0])
            document = known.get(first[0].rpartition(".")[0]) or await api.upload("/documents", *first, Document)
            shared = SaveDocument(name=paper.name, folder=paper.folder)
            if paper.team:
                shared = SaveDocument(name=paper.name, folder=paper.folder, shared="team", team_id=teams[paper.team])
            document = await api.put(f"/documents/{document.id}", shared, Document)
        for version in paper.versions[len(document.versions) :]:
            await api.upload(f"/documents/{document.id}/versions", *_file(*version), Document)
        done[paper.name] = True
        memory.save()


def _file(name: str, lines: tuple[str, ...]) -> tuple[str, bytes, str]:
    if name.endswith(".jpg"):
        return name, photo(lines[0]), "image/jpeg"
    return name, pdf(list(lines)), "application/pdf"
