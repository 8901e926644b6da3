"""Templates as they cross the wire."""

from datetime import datetime
from typing import Literal

from backend.contracts import Contract
from backend.mail.contracts import MailAddress

TemplateKind = Literal["template", "snippet"]
SharedWith = Literal["nobody", "team", "everybody"]


class Template(Contract):
    """A whole mail, or a passage (a `snippet`, which has no subject). `uses` counts how often it went into a mail.

    `text` and `subject` hold merge fields; `fields` are those that they name. One that is `formatted` has `html`, too,
    which comes with one template, not with lists; its `text` is what that says.
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
    formatted: bool = False
    html: str | None = None


class SaveTemplate(Contract):
    """`version` is the one that was changed: a stale one is refused, with the newer one in the details.

    With `html`, which is cleaned before it is stored, the text is taken from that, and `text` counts for nothing.
    Pictures in it are named by `cid:` and the content-id that they got when they were sent up.
    """

    name: str
    text: str
    kind: TemplateKind = "template"
    folder: str = ""
    shared: SharedWith = "nobody"
    team_id: int | None = None
    subject: str = ""
    version: int = 0
    html: str | None = None


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
    html: str | None = None


class Rendered(Contract):
    """The text with its fields filled in, plain and as HTML. What has no value stands in brackets in them, and in
    `missing`, each once."""

    subject: str
    text: str
    missing: list[str]
    html: str = ""
    styles: str = ""
    """Of a preview: the style sheet that the mail leaves with, if any."""


class MergeField(Contract):
    """A field that templates can name, as `contact.first_name`."""

    name: str
    example: str


class TemplatePicture(Contract):
    """A picture that templates and signatures can show as `cid:` and this."""

    content_id: str


FindingKind = Literal["taken_out", "style", "link", "picture", "remote", "field", "size", "too_large"]


class ImportFinding(Contract):
    """One thing to know about an import, in words; `items` name what it is about."""

    kind: FindingKind
    text: str
    items: list[str] = []


class ImportedTemplate(Contract):
    """What an import makes, to be looked at, named and saved; of it only the pictures are kept already. Without `html`
    it is plain text."""

    name: str
    subject: str
    text: str
    html: str | None
    findings: list[ImportFinding]


class LibraryTemplate(Contract):
    """A template that comes with Tandem: added, it is a copy of the organisation's own. `about` says when to use it."""

    key: str
    name: str
    folder: str
    about: str
    subject: str
    text: str
    html: str


class AddFromLibrary(Contract):
    key: str


class Signature(Contract):
    """What stands below a mail, with merge fields; empty with `version` 0: there is none."""

    html: str
    version: int


class SaveSignature(Contract):
    """`version` is the one that was changed: a stale one is refused. Empty `html` takes the signature away."""

    html: str
    version: int


class Signatures(Contract):
    """The signatures that a draft can have, as they will read; None where there is none."""

    person: Rendered | None
    mailbox: Rendered | None


Font = Literal["Arial", "Verdana", "Tahoma", "Trebuchet MS", "Georgia", "Times New Roman", "Courier New"]
"""Those that computers and phones have."""


class HouseStyle(Contract):
    """How the organisation's mail looks: typeface and size (in pixels) of what has none of its own, and what stands
    below every mail, as HTML with merge fields."""

    font: Font = "Arial"
    size: int = 14
    footer: str = ""
