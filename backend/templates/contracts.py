"""Templates as they cross the wire."""

from datetime import datetime
from typing import Literal

from backend.contracts import Contract
from backend.mail.contracts import MailAddress

TemplateKind = Literal["template", "snippet"]
SharedWith = Literal["nobody", "team", "everybody"]


class Template(Contract):
    """A whole mail, or a passage (a `snippet`, which has no subject). `uses` counts how often it went into a mail.

    `text` and `subject` hold merge fields; `fields` are those that they name.
    """

    id: int
    kind: TemplateKind
    name: str
    folder: str
    maker_id: int
    shared: SharedWith
    team_id: int | None
    subject: str
    text: str
    fields: list[str]
    uses: int
    last_used_at: datetime | None
    version: int
    updated_at: datetime


class SaveTemplate(Contract):
    """`version` is the one that was changed: a stale one is refused, with the newer one in the details."""

    name: str
    text: str
    kind: TemplateKind = "template"
    folder: str = ""
    shared: SharedWith = "nobody"
    team_id: int | None = None
    subject: str = ""
    version: int = 0


class RenderFor(Contract):
    """Whom and what a text is rendered for: the contact is that of the first of `to`.

    `given` says what fields hold that nobody knows, by their names: `contact.phone`.
    """

    to: list[MailAddress] = []
    mailbox_id: int | None = None
    conversation_id: int | None = None
    given: dict[str, str] = {}


class FillIn(Contract):
    """A template goes into a draft, filled in for who stands there in To, saved or not."""

    to: list[MailAddress] = []
    given: dict[str, str] = {}


class RenderText(RenderFor):
    """A text that is not saved (yet); with `examples` every field holds its example."""

    subject: str = ""
    text: str = ""
    examples: bool = False


class Rendered(Contract):
    """The text with its fields filled in, plain and as HTML. What has no value stands in brackets in them, and in
    `missing`, each once."""

    subject: str
    text: str
    missing: list[str]
    html: str = ""


class MergeField(Contract):
    """A field that templates can name, as `contact.first_name`."""

    name: str
    example: str
