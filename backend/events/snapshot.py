"""The snapshot that a client begins with: everything of one moment, and the stream positions of that moment."""

from backend.access.asker import Asker
from backend.contracts import StreamPosition
from backend.conversations.queries import list_everything
from backend.database.connection import fetch_value, snapshot
from backend.events.contracts import Snapshot
from backend.events.record import ORGANISATION, mailbox_stream, positions, user_stream
from backend.mailboxes.queries import read_mailboxes
from backend.notifications.queries import read_notifications
from backend.people.contracts import Organisation
from backend.people.queries import read_me, read_people, read_teams
from backend.tags.queries import read_tags
from backend.views.queries import read_views

MOST_CONVERSATIONS = 5_000


async def take_snapshot(asker: Asker, *, conversations: bool) -> Snapshot:
    """The person's snapshot; with `conversations` every row that they see, the newest 5,000 at most."""
    async with snapshot():
        mailboxes = await read_mailboxes(asker)
        notifications = await read_notifications(asker, cursor=None)
        streams = [ORGANISATION, user_stream(asker.user_id), *(mailbox_stream(m.id) for m in mailboxes)]
        return Snapshot(
            me=await read_me(asker),
            organisation=Organisation(name=await fetch_value("SELECT name FROM organisation") or ""),
            people=await read_people(),
            teams=await read_teams(),
            tags=await read_tags(),
            views=await read_views(asker),
            mailboxes=mailboxes,
            notifications=notifications.items,
            unread_notifications=notifications.unread,
            conversations=await list_everything(asker, MOST_CONVERSATIONS) if conversations else [],
            positions=[
                StreamPosition(stream=stream, position=position)
                for stream, position in (await positions(streams)).items()
            ],
        )
