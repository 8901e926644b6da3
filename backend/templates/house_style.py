"""How the organisation's mail looks: typeface, size, and what stands below every mail."""

import asyncio

import msgspec

from backend.access.asker import Asker
from backend.database.connection import execute, fetch_value
from backend.errors import Unacceptable
from backend.events.record import action
from backend.people.audit import audit
from backend.people.checks import refuse
from backend.templates.contracts import Font, HouseStyle
from backend.templates.language import TemplateError
from backend.templates.markup import clean_markup
from sync.mime.composed import composed_text, pictures_in

STACKS: dict[Font, str] = {
    "Arial": "Arial,Helvetica,sans-serif",
    "Verdana": "Verdana,Geneva,sans-serif",
    "Tahoma": "Tahoma,Geneva,sans-serif",
    "Trebuchet MS": "'Trebuchet MS',Tahoma,sans-serif",
    "Georgia": "Georgia,'Times New Roman',serif",
    "Times New Roman": "'Times New Roman',Times,serif",
    "Courier New": "'Courier New',Courier,monospace",
}
"""With what stands in for it where it is missing."""
SMALLEST, LARGEST = 11, 20
LONGEST_FOOTER = 20_000


async def read_house_style() -> HouseStyle:
    stored = await fetch_value("SELECT settings->'mail' FROM organisation WHERE id = 1")
    return msgspec.json.decode(stored, type=HouseStyle) if stored else HouseStyle()


async def set_house_style(asker: Asker, given: HouseStyle) -> HouseStyle:
    """For every mail that is sent from now on. Raises Unacceptable for a size that nobody can read, or a footer that is
    no template."""
    if not SMALLEST <= given.size <= LARGEST:
        raise refuse("size", f"Mail is written in {SMALLEST} to {LARGEST} pixels.", "Choose a size between them.")
    style = msgspec.structs.replace(given, footer=await asyncio.to_thread(_checked, given.footer))
    async with action(asker.user_id):
        await execute(
            "UPDATE organisation SET settings = jsonb_set(settings, '{mail}', $1::text::jsonb) WHERE id = 1",
            msgspec.json.encode(style).decode(),
        )
        await audit(
            asker.user_id,
            "house_style_set",
            "organisation",
            font=style.font,
            size=style.size,
            footer=bool(style.footer),
        )
    return style


def look_of(style: HouseStyle) -> str:
    """The declarations that dress a mail."""
    return f"font-family:{STACKS[style.font]};font-size:{style.size}px;line-height:1.5"


def _checked(footer: str) -> str:
    if len(footer) > LONGEST_FOOTER:
        raise Unacceptable("This is too long for a footer.", "It stands below every mail: leave something out.")
    try:
        html = clean_markup(footer)
    except TemplateError as fault:
        raise Unacceptable(fault.message, fault.remedy, fields={"footer": fault.message}) from fault
    return html if composed_text(html).strip() or pictures_in(html) else ""
