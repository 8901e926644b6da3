"""Templates and snippets: what a team writes again and again."""

from piccolo.columns import BigInt, BigSerial, ForeignKey, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults import TimestamptzNow
from piccolo.table import Table

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
    uses = BigInt(default=0)
    last_used_at = Timestamptz(null=True, default=None)
    version = BigInt(default=1)
    created_at = Timestamptz(default=TimestamptzNow())
    updated_at = Timestamptz(default=TimestamptzNow())
