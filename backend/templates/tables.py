"""Templates and snippets: what a team writes again and again."""

from piccolo.columns import BigInt, BigSerial, ForeignKey, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults import TimestamptzNow
from piccolo.table import Table

from backend.mailboxes.tables import Mailbox
from backend.people.tables import Team, User


class Template(Table, tablename="templates"):
    """`team_id` says which team it is shared with; without one it is its maker's again."""

    id = BigSerial(primary_key=True)
    kind = Text(default="template", help_text="template: a whole mail with a subject; snippet: a passage")
    name = Text()
    folder = Text(help_text="Words between slashes, or empty.")
    maker_id = ForeignKey(User, null=False, on_delete=OnDelete.cascade, index=True)
    shared = Text(default="nobody", help_text="nobody, team or everybody")
    team_id = ForeignKey(Team, null=True, default=None, on_delete=OnDelete.set_null)
    subject = Text()
    text = Text(help_text="With merge fields (backend/templates/language.py).")
    html = Text(null=True, default=None, help_text="None: plain text; else `text` is what it says.")
    uses = BigInt(default=0)
    last_used_at = Timestamptz(null=True, default=None)
    version = BigInt(default=1)
    created_at = Timestamptz(default=TimestamptzNow())
    updated_at = Timestamptz(default=TimestamptzNow())


class TemplatePicture(Table, tablename="template_pictures"):
    """A picture in a template, a signature or the footer, which name it by `cid:` and its content-id."""

    id = BigSerial(primary_key=True)
    content_id = Text(unique=True)
    maker_id = ForeignKey(User, null=False, on_delete=OnDelete.cascade, index=True)
    filename = Text()
    content_type = Text()
    size = BigInt()
    digest = Text(help_text="SHA-256: its key in the blob store.")
    created_at = Timestamptz(default=TimestamptzNow())


class Signature(Table, tablename="signatures"):
    """Of a person, or of a mailbox: one each at most."""

    id = BigSerial(primary_key=True)
    user_id = ForeignKey(User, null=True, default=None, unique=True, on_delete=OnDelete.cascade)
    mailbox_id = ForeignKey(Mailbox, null=True, default=None, unique=True, on_delete=OnDelete.cascade)
    html = Text(help_text="With merge fields.")
    version = BigInt(default=1)
    updated_at = Timestamptz(default=TimestamptzNow())
