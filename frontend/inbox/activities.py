"""What was done with a conversation, as grey lines in the flow."""

from __future__ import annotations

from backend.conversations.contracts import Activity
from frontend.faces import first_name
from frontend.inbox.entries import EntryView, entry_of
from frontend.view import View

STATUS_WORDS = {
    "open": "opened this again",
    "done": "marked this done",
    "trash": "moved this to Trash",
    "spam": "marked this as spam",
}
STATUS_ELSEWHERE = {
    "open": "This was moved back to the inbox in the mail account",
    "done": "This was moved away from the inbox in the mail account",
    "trash": "This was deleted in the mail account",
    "spam": "This was moved to spam in the mail account",
}
"""Where another mail program did it, and nobody here."""
VISIBILITY_WORDS = {
    "open": "opened this to the mailbox",
    "private": "made this private",
    "confidential": "made this confidential",
}


def activity_entry(view: View, activity: Activity) -> EntryView:
    entry = entry_of(f"a{activity.id}", "activity")
    entry["id"] = activity.id
    entry["at"] = activity.at.isoformat()
    entry["text"] = activity_words(view, activity)
    return entry


def activity_words(view: View, activity: Activity) -> str:
    """One activity as a sentence without its time."""
    actor = view.people.get(activity.actor_id or 0)
    who = "You" if actor and actor.id == view.me.person.id else first_name(actor.name) if actor else "Tandem"
    match activity.kind:
        case "assigned":
            if activity.subject_id == activity.actor_id:
                return f"{who} took this"
            return f"{who} assigned {_person(view, activity.subject_id)}"
        case "assigned_in_turn":
            name = _person(view, activity.subject_id)
            return f"{name[:1].upper()}{name[1:]} got this in turn"
        case "unassigned":
            return f"{who} gave this back"
        case "assigned_team":
            team = view.teams.get(activity.subject_id or 0)
            return f"{who} assigned {team.name if team else 'a team'}"
        case "reopened":
            return "New mail opened this again"
        case "status":
            if actor is None:
                return STATUS_ELSEWHERE.get(activity.value, "This was changed in the mail account")
            return f"{who} {STATUS_WORDS.get(activity.value, 'changed this')}"
        case "visibility":
            return f"{who} {VISIBILITY_WORDS.get(activity.value, 'changed who sees this')}"
        case "joined":
            if actor is not None:
                return f"{who} merged {_others(activity.value)} into this one"
            return "Another conversation was joined into this one"
        case "moved":
            return f"{who} moved this{_from_where(view, activity.value)} to {_where(view, activity.subject_id)}"
        case "split":
            return f"{who} split a mail off into a conversation of its own"
        case "split_from":
            return f"{who} split this off another conversation"
        case "unjoined":
            return f"{who} took a merge back"
        case "shared" | "unshared":
            shown = _person(view, activity.subject_id)
            return f"{who} shared this with {shown}" if activity.kind == "shared" else f"{who} took this from {shown}"
        case "shared_team" | "unshared_team":
            named = view.teams.get(activity.subject_id or 0)
            shown = named.name if named else "a team"
            return (
                f"{who} shared this with {shown}" if activity.kind == "shared_team" else f"{who} took this from {shown}"
            )
        case "added":
            return f"{who} added {_person(view, activity.subject_id)}"
        case "tagged" | "untagged":
            did = "added" if activity.kind == "tagged" else "removed"
            elsewhere = "" if actor else " in the mail account"
            return f"{who if actor else 'Somebody'} {did} the tag {activity.value}{elsewhere}"
        case "starred" | "unstarred":
            did = "added a star" if activity.kind == "starred" else "took the star away"
            where = "" if actor else " in the mail account"
            return f"{who if actor else 'Somebody'} {did}{where}"
        case "took_over":
            owner = view.people.get(activity.subject_id or 0)
            whose = (
                "your" if owner and owner.id == view.me.person.id else f"{first_name(owner.name)}’s" if owner else "a"
            )
            return f"{who} took over {whose} reply"
        case "blocked":
            return f"{who} blocked {activity.value}"
        case "unblocked":
            return f"{who} took back the block of {activity.value}"


def _where(view: View, mailbox_id: int | None) -> str:
    return view.mailbox_name(mailbox_id or 0) or "another mailbox"


def _from_where(view: View, number: str) -> str:
    name = view.mailbox_name(int(number)) if number.isdecimal() else ""
    return f" from {name}" if name else ""


def _others(number: str) -> str:
    return "another conversation" if number in ("", "1") else f"{number} other conversations"


def _person(view: View, person_id: int | None) -> str:
    person = view.people.get(person_id or 0)
    if person is None:
        return "somebody"
    return "you" if person.id == view.me.person.id else first_name(person.name)
