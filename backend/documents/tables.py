"""The organisation's library of documents, and files that are shared by a link."""

from piccolo.columns import BigInt, BigSerial, Boolean, Bytea, ForeignKey, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults import TimestamptzNow
from piccolo.table import Table

from backend.compose.tables import Draft, Outgoing
from backend.people.tables import Team, User
from backend.uploads.tables import Upload


class Document(Table, tablename="documents"):
    """`team_id` says which team can use it; without one it is its maker's again."""

    id = BigSerial(primary_key=True)
    maker_id = ForeignKey(User, null=False, on_delete=OnDelete.restrict, index=True)
    name = Text()
    folder = Text(help_text="Words between slashes, or empty.")
    shared = Text(default="everybody", help_text="nobody, team or everybody")
    team_id = ForeignKey(Team, null=True, default=None, on_delete=OnDelete.set_null)
    updated_at = Timestamptz(default=TimestamptzNow())


class DocumentVersion(Table, tablename="document_versions"):
    """Every upload is kept. `number` counts them in one document, from 1."""

    id = BigSerial(primary_key=True)
    document_id = ForeignKey(Document, null=False, on_delete=OnDelete.cascade, index=True)
    number = BigInt()
    filename = Text()
    content_type = Text()
    size = BigInt()
    digest = Text(help_text="SHA-256: its key in the blob store.")
    uploader_id = ForeignKey(User, null=False, on_delete=OnDelete.restrict)
    uploaded_at = Timestamptz(default=TimestamptzNow())


class SharedFile(Table, tablename="shared_files"):
    """A file that whoever has the link of one mail can fetch, until it ends. The key itself stands in the mail alone.

    It belongs to a draft, then to the outgoing message that this became; with either it is gone. Where a mail went to
    each of several recipients, each of them has one of their own.
    """

    id = BigSerial(primary_key=True)
    key_hash = Bytea(unique=True, help_text="SHA-256 of the key.")
    maker_id = ForeignKey(User, null=False, on_delete=OnDelete.restrict)
    document_id = ForeignKey(Document, null=True, default=None, on_delete=OnDelete.set_null, index=True)
    draft_id = ForeignKey(Draft, null=True, default=None, on_delete=OnDelete.cascade, index=True)
    outgoing_id = ForeignKey(Outgoing, null=True, default=None, on_delete=OnDelete.cascade, index=True)
    filename = Text()
    content_type = Text()
    size = BigInt()
    digest = Text(help_text="As of one version: what is uploaded later is another file. Empty with an upload.")
    upload_id = ForeignKey(Upload, null=True, default=None, on_delete=OnDelete.set_null, index=True)
    for_whom = Text(default="all", help_text="all who get the mail; one of them; each: what theirs are made from.")
    ends_at = Timestamptz()
    closed = Boolean(default=False, help_text="Somebody ended it before.")
    views = BigInt(default=0)
    viewed_at = Timestamptz(null=True, default=None, help_text="The last time.")
    created_at = Timestamptz(default=TimestamptzNow())


class SharedFileView(Table, tablename="shared_file_views"):
    """That a shared file was fetched: when, and nothing of who it was."""

    id = BigSerial(primary_key=True)
    file_id = ForeignKey(SharedFile, null=False, on_delete=OnDelete.cascade, index=True)
    at = Timestamptz(default=TimestamptzNow())
