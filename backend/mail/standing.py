"""What it means for a conversation where its messages stand on the server: open, done, spam or trash.

Pure. A conversation stands where the most wanted of its incoming messages stands: in the inbox before put away, put
away before junk, junk before trash; Sent and Drafts say nothing. When that *changes*, because somebody moved mail in
another program, the status follows. What does not change it never follows: a status that a person gave here stays as
long as the mail stands where it stood.

A move is seen as "gone here" and "new there", in either order and maybe seconds apart. So a message that stands
nowhere counts as standing where it stood last, until it turns up elsewhere or a time of grace is over
(`backend.mail.actions.settle_removed`); then it was deleted.
"""

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Literal

from backend.conversations.contracts import Status
from backend.mail.places import Place, Where

GRACE = timedelta(seconds=10)
"""How long a message that stands in no folder may be on its way to another one."""

Standing = Place | Literal["filed", "sent"] | None
"""Where a conversation stands; None when none of its messages is known to stand anywhere. Filed in a folder of one's
own is done, and yet another place: mail that the server sorted there as it came is open until somebody moves it. What
stands in Sent or Drafts alone keeps its status, and follows when it is moved on."""

_ORDER: tuple[Standing, ...] = ("inbox", "filed", "done", "junk", "trash", "sent")
_STATUS: dict[Standing, Status] = {"inbox": "open", "filed": "done", "done": "done", "junk": "spam", "trash": "trash"}
_MEANS: dict[Where, Standing] = {
    "inbox": "inbox",
    "done": "done",
    "other": "filed",
    "junk": "junk",
    "trash": "trash",
    "sent": "sent",
    "drafts": "sent",
}


def standing(places: Iterable[Where]) -> Standing:
    """Where a conversation stands whose incoming messages stand in these places."""
    found = {_MEANS[place] for place in places}
    return next((place for place in _ORDER if place in found), None)


def begins_with(place: Where, *, arrived: bool) -> Status:
    """The status of a conversation that begins with a message in this place.

    History that stands in Sent alone waits for nobody; mail that is just being sent elsewhere is worth seeing.
    """
    if arrived and place == "other":
        return "open"  # sorted there on the server as it came: nobody has seen it yet
    means = _MEANS[place]
    return _STATUS.get(means, "open" if arrived else "done")


def follows(
    before: Standing, after: Standing, status: Status, *, by_person: bool, moved: bool, wished: Collection[str] = ()
) -> Status:
    """The status of a conversation whose standing went from `before` to `after`.

    `moved`: its messages were moved on the server; else other messages joined it there, and then the word of a person
    (`by_person`: the status was last given here) counts for more. `wished` are the kinds of wishes for its messages
    that the server has not confirmed: what is wished here wins over what the server tells.
    """
    if after not in _STATUS or before == after or "place" in wished:
        return status
    if by_person and (before is None or not moved):
        return status
    return _STATUS[after]
