"""The few React components of our own (assets/widgets): leaves that must answer without a round trip.

Everything else is Reflex's own elements. A widget owns what a person is typing; the server never writes it back.
"""

from __future__ import annotations

from typing import Any

import reflex as rx

TIPTAP = "3.35.0"
TIPTAP_PARTS = ("core", "pm", "starter-kit", "extensions", "extension-table", "extension-collaboration")
"""The editor of assets/widgets/compose/editor.jsx: docs/decisions/0025-the-editor.md. What these stand on is held by
reflex.lock, with its checksums."""
YJS = ("@tiptap/y-tiptap@3.0.9", "yjs@13.6.33", "y-protocols@1.0.7")
"""For drafts that several write together: docs/decisions/0031-writing-together.md."""

_passing: Any = rx.event.passthrough_event_spec  # its overloads stop at two values


class Mounted(rx.Component):
    """Says that React has taken over the page."""

    library = "$/public/widgets/mounted.jsx"
    tag = "Mounted"


class Ago(rx.Component):
    """A time as "9 min" or "Mon 10:42", kept current, with the exact time on hover; `clock`: always with the hour;
    `until`: a day that comes, "Tue" or "1 Dec"."""

    library = "$/public/widgets/ago.jsx"
    tag = "Ago"

    at: rx.Var[str]
    long: rx.Var[bool]
    clock: rx.Var[bool]
    until: rx.Var[bool]


class RichText(rx.Component):
    """Plain text with its links clickable."""

    library = "$/public/widgets/text.jsx"
    tag = "RichText"

    text: rx.Var[str]


class Formatted(rx.Component):
    """HTML that `frontend/inbox/comment_text.py` has made of a comment, and of nothing else."""

    library = "$/public/widgets/text.jsx"
    tag = "Formatted"

    html: rx.Var[str]


class MailFrame(rx.Component):
    """A mail's own HTML in a sandboxed frame as high as its content (see assets/widgets/frame.jsx)."""

    library = "$/public/widgets/frame.jsx"
    tag = "MailFrame"

    url: rx.Var[str]
    title: rx.Var[str]


class TheirDraft(rx.Component):
    """A colleague's formatted draft in a sandboxed frame, as it is written. `html` is what the server has stored."""

    library = "$/public/widgets/their_draft.jsx"
    tag = "TheirDraft"

    draft: rx.Var[int]
    html: rx.Var[str]
    title: rx.Var[str]


class CommentBox(rx.Component):
    """Where a comment is written: `@` completes people and teams, `#` conversations. `on_send` gets the text, and the
    ids of the users, teams and conversations that it names, and of its files.

    `seers` can be mentioned beside those who can open the mailbox; `closed`: the visibility, or `guest`. Naming
    somebody who does not see the conversation asks first, and then calls `on_share`.
    """

    library = "$/public/widgets/comment.jsx"
    tag = "CommentBox"

    people: rx.Var[Any]
    mailbox: rx.Var[int]
    seers: rx.Var[list[int]]
    closed: rx.Var[str]
    conversation: rx.Var[int]
    linkable: rx.Var[Any]
    on_find: rx.EventHandler[_passing(str)]
    on_send: rx.EventHandler[_passing(str, list[int], list[int], list[int], list[int])]
    on_share: rx.EventHandler[_passing(str, list[int], list[int], list[int], list[int])]


class CommentBeside(CommentBox):
    """The same box beside a composer: hidden until `@` names somebody in the mail that is written, or M is pressed."""

    library = "$/public/widgets/comment_beside.jsx"
    tag = "CommentBeside"


class CommentEditor(rx.Component):
    """The same box around a comment that was said: it stands there once what holds it is unfolded, and folds that again
    when the comment is saved."""

    library = "$/public/widgets/comment.jsx"
    tag = "CommentEditor"

    initial: rx.Var[str]
    people: rx.Var[Any]
    conversation: rx.Var[int]
    linkable: rx.Var[Any]
    on_find: rx.EventHandler[_passing(str)]
    on_send: rx.EventHandler[_passing(str, list[int], list[int], list[int], list[int])]


class Composer(rx.Component):
    """Where a mail is written, the same everywhere. It owns recipients, subject and text until they are sent."""

    library = "$/public/widgets/composer.jsx"
    lib_dependencies: list[str] = [*(f"@tiptap/{name}@{TIPTAP}" for name in TIPTAP_PARTS), *YJS]
    tag = "Composer"

    draft: rx.Var[Any]
    files: rx.Var[dict[int, Any]]
    meetings: rx.Var[dict[int, Any]]
    status: rx.Var[dict[int, Any]]
    suggestions: rx.Var[Any]
    on_save: rx.EventHandler[_passing(int, dict)]
    on_send: rx.EventHandler[_passing(int, dict, bool, bool, dict)]
    on_discard: rx.EventHandler[_passing(int)]
    on_fold: rx.EventHandler[_passing(int)]
    on_query: rx.EventHandler[_passing(str)]
    on_attached: rx.EventHandler[_passing(int)]
    on_detach: rx.EventHandler[_passing(int, int)]
    on_keep: rx.EventHandler[_passing(int, str, dict)]
    on_yield: rx.EventHandler[_passing(int, dict)]
    on_renew: rx.EventHandler[_passing(int)]


class Kept(rx.Component):
    """Gives the server what a browser that crashed had kept of drafts; `on_apart` hears when such a draft is gone or
    says something else, and what was written became a draft of one's own."""

    library = "$/public/widgets/kept.jsx"
    tag = "Kept"

    me: rx.Var[int]
    on_apart: rx.EventHandler[rx.event.no_args_event_spec]


class Writer(rx.Component):
    """The composer's editor in a form: `on_write` hears the HTML. Give it a `key` to begin anew."""

    library = "$/public/widgets/writer.jsx"
    lib_dependencies: list[str] = [f"@tiptap/{name}@{TIPTAP}" for name in TIPTAP_PARTS]
    tag = "Writer"

    initial: rx.Var[str]
    label: rx.Var[str]
    on_write: rx.EventHandler[_passing(str)]


class MailPreview(rx.Component):
    """A mail as it will look, on a desk, a phone, and in the dark."""

    library = "$/public/widgets/preview.jsx"
    tag = "MailPreview"

    html: rx.Var[str]
    styles: rx.Var[str]


class TemplateImport(rx.Component):
    """HTML from elsewhere, sent up to be read: `on_made` gets what came of it (`ImportedTemplate`)."""

    library = "$/public/widgets/template_import.jsx"
    tag = "TemplateImport"

    on_made: rx.EventHandler[_passing(dict)]
    on_close: rx.EventHandler[rx.event.no_args_event_spec]


class Documents(rx.Component):
    """The organisation's documents, as the settings show them; `shares`: with whom the person can share one."""

    library = "$/public/widgets/documents.jsx"
    tag = "Documents"

    shares: rx.Var[Any]


class Bridge(rx.Component):
    """Passes what assets/js/desk.js decided at once (selection, done, scrolling) on to the state."""

    library = "$/public/widgets/bridge.jsx"
    tag = "Bridge"

    theme: rx.Var[str]
    locale: rx.Var[str]
    time_zone: rx.Var[str]
    on_select: rx.EventHandler[_passing(int)]
    on_status: rx.EventHandler[_passing(int, str)]
    on_assign: rx.EventHandler[_passing(int, int, int, str)]
    on_listing: rx.EventHandler[_passing(str, int, str)]
    on_window: rx.EventHandler[_passing(int)]
    on_unread: rx.EventHandler[_passing(int)]
    on_remind: rx.EventHandler[_passing(int, str, str, bool)]
    on_tag: rx.EventHandler[_passing(int, int, bool)]
    on_star: rx.EventHandler[_passing(int, bool)]
    on_new_tag: rx.EventHandler[_passing(int, str)]
    on_visibility: rx.EventHandler[_passing(int, str)]
    on_away: rx.EventHandler[_passing(str)]
    on_many: rx.EventHandler[_passing(list[int], dict)]
    on_mark_all: rx.EventHandler[rx.event.no_args_event_spec]
    on_empty_trash: rx.EventHandler[rx.event.no_args_event_spec]
    on_share: rx.EventHandler[_passing(int, int, int, bool)]
    on_merge: rx.EventHandler[_passing(list[int])]
    on_unmerge: rx.EventHandler[_passing(int, int)]
    on_split: rx.EventHandler[_passing(int, int, bool, bool, str)]
    on_move: rx.EventHandler[_passing(list[int], int)]
    on_find_mergeable: rx.EventHandler[_passing(int, str)]
    on_reply: rx.EventHandler[_passing(int, str, int)]
    on_looking: rx.EventHandler[_passing(int, str)]


class PresenceBoard(rx.Component):
    """Takes who is where, for the rows and feet that show it (see assets/widgets/here.jsx)."""

    library = "$/public/widgets/here.jsx"
    tag = "PresenceBoard"

    here: rx.Var[dict[int, Any]]


class HereFaces(rx.Component):
    """On a row: who else is in the conversation now."""

    library = "$/public/widgets/here.jsx"
    tag = "HereFaces"

    conversation: rx.Var[int]


class HereLine(rx.Component):
    """At the foot of a conversation: who else reads it, and who writes."""

    library = "$/public/widgets/here.jsx"
    tag = "HereLine"

    conversation: rx.Var[int]


class AtIt(rx.Component):
    """Of a draft: `now` while its author writes at it, `otherwise` when not."""

    library = "$/public/widgets/here.jsx"
    tag = "AtIt"

    conversation: rx.Var[int]
    author: rx.Var[int]
    now: rx.Var[str]
    otherwise: rx.Var[str]


class Teller(rx.Component):
    """Tells what happened outside the page, and takes back what was read (assets/js/notify.js)."""

    library = "$/public/widgets/teller.jsx"
    tag = "Teller"

    me: rx.Var[int]
    telling: rx.Var[Any]
    unread: rx.Var[Any]
    on_saw: rx.EventHandler[_passing(int)]
    on_device: rx.EventHandler[_passing(dict)]


class PushHere(rx.Component):
    """Whether this browser may show notifications, and is pushed to, with the buttons that change it."""

    library = "$/public/widgets/teller.jsx"
    tag = "PushHere"

    me: rx.Var[int]
    available: rx.Var[bool]
    public_key: rx.Var[str]
    on_device: rx.EventHandler[_passing(dict)]
    on_gone: rx.EventHandler[_passing(str)]


class Keep(rx.Component):
    """Renders what it holds again only when `value` says something else."""

    library = "$/public/widgets/keep.jsx"
    tag = "Keep"

    value: rx.Var[Any]


keep = Keep.create
mounted = Mounted.create
ago = Ago.create
rich_text = RichText.create
formatted = Formatted.create
mail_frame = MailFrame.create
their_draft = TheirDraft.create
comment_box = CommentBox.create
comment_beside = CommentBeside.create
comment_editor = CommentEditor.create
template_import = TemplateImport.create
documents_widget = Documents.create
composer = Composer.create
kept = Kept.create
writer = Writer.create
mail_preview = MailPreview.create
bridge = Bridge.create
presence_board = PresenceBoard.create
here_faces = HereFaces.create
here_line = HereLine.create
at_it = AtIt.create
teller = Teller.create
push_here = PushHere.create


def away_words(face: Any) -> rx.Component:
    """Beside a name: until when the person is away."""
    return rx.cond(face.away != "", rx.el.small("away until ", ago(at=face.away, until=True), class_name="away"))
