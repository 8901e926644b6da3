"""Files on their way up, in parts that each are in the blob store for good."""

from piccolo.columns import BigInt, BigSerial, Boolean, ForeignKey, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults import TimestamptzNow
from piccolo.table import Table

from backend.compose.tables import Draft
from backend.people.tables import User


class Upload(Table, tablename="uploads"):
    """A file that one person sends up for one draft. A link can lead to it; then it stays for as long as that does."""

    id = BigSerial(primary_key=True)
    user_id = ForeignKey(User, null=False, on_delete=OnDelete.cascade, index=True)
    draft_id = ForeignKey(Draft, null=True, default=None, on_delete=OnDelete.set_null, index=True)
    filename = Text()
    content_type = Text()
    size = BigInt(help_text="Of the whole file, in bytes.")
    modified = BigInt(default=0, help_text="What the file's own program says of when it was changed, in any unit.")
    received = BigInt(default=0, help_text="Of these, how many are stored.")
    link_days = BigInt(default=0, help_text="Of a file for a link: how long that is to lead to it. 0: to be attached.")
    used = Boolean(default=False, help_text="It was attached, or linked to.")
    touched_at = Timestamptz(default=TimestamptzNow(), help_text="When something of it came for the last time.")


class UploadPart(Table, tablename="upload_parts"):
    """Some of an upload's bytes; `begins` says which. All parts together have no gaps and do not overlap."""

    id = BigSerial(primary_key=True)
    upload_id = ForeignKey(Upload, null=False, on_delete=OnDelete.cascade, index=True)
    begins = BigInt()
    size = BigInt()
    digest = Text(help_text="SHA-256: its key in the blob store.")
