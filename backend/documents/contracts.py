"""Documents and shared files as they cross the wire."""

from datetime import datetime
from typing import Literal

from backend.contracts import Contract
from backend.mail.contracts import MailAddress

SharedWith = Literal["nobody", "team", "everybody"]


class DocumentVersion(Contract):
    """An upload, fetched from `/api/v1/documents/{id}/versions/{number}`. `size` in bytes."""

    number: int
    filename: str
    content_type: str
    size: int
    uploader_id: int
    uploaded_at: datetime


class Document(Contract):
    """A document of the library, its newest version first. `changeable`: by the person who asks."""

    id: int
    name: str
    folder: str
    maker_id: int
    shared: SharedWith
    team_id: int | None
    changeable: bool
    updated_at: datetime
    versions: list[DocumentVersion]


class SaveDocument(Contract):
    """Its name, its place, and who can use it."""

    name: str
    folder: str = ""
    shared: SharedWith = "everybody"
    team_id: int | None = None


class LinkDocument(Contract):
    """For so many days whoever has the link can fetch the newest version."""

    days: int = 30


class MadeLink(Contract):
    """What goes into the text of a mail. The address is told once; we keep only what recognises it."""

    url: str
    ends_at: datetime
    text: str
    html: str


class SharedFile(Contract):
    """A file that a mail of the conversation links to. `views` counts how often it was fetched, as far as one can tell:
    not by us, and not by programs that say what they are. `recipient`: whose own link it is; None: of all."""

    id: int
    outgoing_id: int
    filename: str
    size: int
    at: datetime
    ends_at: datetime
    closed: bool
    views: int
    viewed_at: datetime | None
    recipient: MailAddress | None = None


class SharedFileViews(Contract):
    """The moments, the last one first; the newest thousand."""

    at: list[datetime]
