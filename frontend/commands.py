"""Every command of the interface, once: the list of keys, the palette and the keyboard itself read it here.

A command with a key is also a control on the page that says so (`data-key`, the key that the command has unless the
person gave it another). A command that no control on the page can carry out now is not offered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

from frontend.components.sections import SECTIONS


@dataclass(frozen=True, slots=True)
class Command:
    """Something that a person can have done.

    `key`: one sign, or two after each other (`g w`). `at`: which control does it, where that is not the one with the
    key. `to`: the page or list that it leads to. `also`: words that it is found by beside its own. `fixed`: its key
    stays, for the browser or the field that one types in knows it as that.
    """

    name: str
    text: str
    group: str
    icon: str
    key: str = ""
    at: str = ""
    to: str = ""
    also: str = ""
    fixed: bool = False
    admins: bool = False


LIST, ONE, GO, EVERYWHERE, SETTINGS = "Conversations", "This conversation", "Go to", "Everywhere", "Settings"

COMMANDS: tuple[Command, ...] = (
    Command("next", "Next conversation", LIST, "arrow-down", "j", also="down"),
    Command("previous", "Previous conversation", LIST, "arrow-up", "k", also="up"),
    Command("read", "Read", LIST, "book-open", "Enter", also="open", fixed=True),
    Command("back", "Back to the list", LIST, "arrow-left", "u", also="close"),
    Command("choose", "Choose", LIST, "square-check", "x", also="select tick"),
    Command("choose-all", "Choose all", LIST, "list-checks", "X", also="select tick"),
    Command("choose-none", "Choose none", LIST, "x", at='.many-bar [data-act="unmark"]', also="deselect clear"),
    Command("filter", "Filter", LIST, "list-filter", at=".filter-button"),
    Command("read-all", "Mark everything here read", LIST, "mail-check", at='[aria-label="Mark everything here read"]'),
    Command("empty-trash", "Empty Trash", LIST, "trash", at='[data-act="empty-trash"]', also="delete"),
    Command("reply", "Reply", ONE, "reply", "r", also="answer"),
    Command("reply-all", "Reply to all", ONE, "reply-all", "a", also="answer"),
    Command("forward", "Forward", ONE, "forward", "f"),
    Command("comment", "Comment", ONE, "comment", "m", also="mention note"),
    Command("assign", "Assign to a person or team", ONE, "user-plus", "i", also="give"),
    Command("assign-me", "Assign to me", ONE, "user-check", "I", also="take"),
    Command("unassign", "Assign to nobody", ONE, "user-x", at='[data-act="assign"]:not([data-user])', also="unassign"),
    Command("remind", "Remind me", ONE, "clock", "h", also="snooze later reminder"),
    Command("tags", "Tags", ONE, "tag", "l", also="label"),
    Command("follow", "Follow", ONE, "bell-plus", "w", also="watch unfollow"),
    Command("star", "Star", ONE, "star", "s", also="flag"),
    Command("share", "Share", ONE, "users", "S"),
    Command("merge", "Merge", ONE, "merge", "M", also="join"),
    Command("unmerge", "Take the merge back", ONE, "split", at='[data-act="unmerge"]', also="split"),
    Command("move", "Move to mailbox", ONE, "move", "v"),
    Command("done", "Done", ONE, "check", "e", also="archive close"),
    Command("reopen", "Move to Open", ONE, "undo", at='[data-act="open"]:not([data-if-status])', also="reopen open"),
    Command("read-mark", "Mark read", ONE, "mail-open", at='[data-act="read"]'),
    Command("unread", "Mark unread", ONE, "mail", at='[data-act="unread"]'),
    Command("spam", "Mark as spam", ONE, "shield-alert", at='[data-act="spam"]', also="junk"),
    Command(
        "not-spam", "Not spam", ONE, "shield-check", at='[data-act="open"][data-if-status="spam"]', also="junk ham"
    ),
    Command("block", "Block sender", ONE, "ban", at='[data-act="block"]'),
    Command("contact", "Open contact", ONE, "contact", at='[data-act="contact"]', also="customer"),
    Command(
        "see-open", "Open to the mailbox", ONE, "lock-open", at='[data-visibility="open"]', also="public visibility"
    ),
    Command("see-private", "Make private", ONE, "lock", at='[data-visibility="private"]', also="visibility"),
    Command(
        "see-few", "Make confidential", ONE, "shield", at='[data-visibility="confidential"]', also="visibility secret"
    ),
    Command("trash", "Move to Trash", ONE, "trash", "#", also="delete remove"),
    Command("delete", "Delete for good", ONE, "trash", at='[data-act="delete"]', also="remove"),
    Command("undo", "Undo", ONE, "undo", "z", also="take back"),
    Command("go-work", "My work", GO, "circle-check", "g w", to="/?list=mine", also="assigned to me mine"),
    Command("go-mentions", "Mentions", GO, "at-sign", "g m", to="/?list=mentions"),
    Command("go-reminders", "Reminders", GO, "clock", "g r", to="/?list=reminders", also="snoozed"),
    Command("go-shared", "Shared with me", GO, "users", "g h", to="/?list=shared"),
    Command("go-drafts", "Drafts", GO, "pencil", "g d", to="/drafts/"),
    Command("go-outbox", "Outbox", GO, "send", "g o", to="/outbox/", also="sent scheduled"),
    Command("go-contacts", "Contacts", GO, "contact", "g c", to="/contacts/", also="people customers"),
    Command("go-settings", "Settings", GO, "settings", "g s", to="/settings/", also="profile preferences"),
    Command("compose", "New mail", EVERYWHERE, "square-pen", "c", also="compose write"),
    Command("search", "Search", EVERYWHERE, "search", "/", also="find"),
    Command("palette", "Jump to anything", EVERYWHERE, "command", "Ctrl k", also="command palette", fixed=True),
    Command("send", "Send", EVERYWHERE, "send", "Ctrl Enter", fixed=True),
    Command("notices", "Notifications", EVERYWHERE, "bell", at='[data-menu="notifications"]'),
    Command(
        "away-day", "Away until tomorrow", EVERYWHERE, "moon", at='[data-absent="tomorrow"]', also="absent holiday"
    ),
    Command("away-week", "Away until Monday", EVERYWHERE, "moon", at='[data-absent="monday"]', also="absent holiday"),
    Command("here", "I am back", EVERYWHERE, "sun", at='[data-absent="back"]', also="away absent"),
    Command("keys", "Keyboard shortcuts", EVERYWHERE, "keyboard", "?", also="help keys"),
    Command("sign-out", "Sign out", EVERYWHERE, "log-out", at='[data-act="sign-out"]', also="log out leave"),
    *(
        Command(
            f"set-{path.strip('/').rpartition('/')[2]}", text, SETTINGS, icon, to=path, also="settings", admins=admins
        )
        for _, admins, entries in SECTIONS
        for icon, text, path in entries
    ),
)

BY_NAME = {command.name: command for command in COMMANDS}
CHANGEABLE = tuple(command for command in COMMANDS if not command.fixed)


class KeyView(TypedDict):
    """The key that a command has now, as the browser names it and as people say it. `own`: the person chose it."""

    key: str
    label: str
    own: bool


def keys_now(shortcuts: Mapping[str, str]) -> dict[str, KeyView]:
    """The keys of all commands, with those that the person has given to some. What a person's key takes from another
    command (of a release that knew it not, or by a program) that one has no more."""
    own = {name: key for name, key in shortcuts.items() if name in BY_NAME and not BY_NAME[name].fixed}
    taken = set(own.values())
    return {
        command.name: KeyView(key=key, label=label_of(key), own=command.name in own)
        for command in COMMANDS
        if command.key or command.name in own
        for key in [own.get(command.name, "" if command.key in taken else command.key)]
    }


def label_of(key: str) -> str:
    """How people say it: `E`, `Shift I`, `G then W`, `Ctrl K`."""
    first, _, second = key.partition(" ")
    if first == "Ctrl":
        return f"Ctrl {second.capitalize()}"
    if second:
        return f"{label_of(first)} then {label_of(second)}"
    if len(key) == 1 and key.isalpha() and key.isupper():
        return f"Shift {key}"
    return key.upper() if len(key.upper()) == 1 else key


def conflict(shortcuts: Mapping[str, str], name: str, key: str) -> Command | None:
    """Which command has this key, or keeps it from being pressed: where `g` begins others, it is none itself."""
    for other, view in keys_now(shortcuts).items():
        if other != name and view["key"] and _collide(view["key"], key):
            return BY_NAME[other]
    return None


def _collide(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other} ") or other.startswith(f"{one} ")
