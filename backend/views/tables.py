"""Views: what somebody wants to see again and again, saved."""

from piccolo.columns import JSONB, BigInt, BigSerial, ForeignKey, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults import TimestamptzNow
from piccolo.table import Table

from backend.people.tables import Team, User


class SavedView(Table, tablename="saved_views"):
    """`team_id` says which team a view of the kind `team` is shared with; without one it is its maker's again."""

    id = BigSerial(primary_key=True)
    name = Text()
    maker_id = ForeignKey(User, null=False, on_delete=OnDelete.cascade, index=True)
    shared = Text(default="nobody", help_text="nobody, team or everybody")
    team_id = ForeignKey(Team, null=True, default=None, on_delete=OnDelete.set_null)
    filters = JSONB(default="{}", help_text="A Filters of backend/views/contracts.py.")
    version = BigInt(default=1)
    created_at = Timestamptz(default=TimestamptzNow())
