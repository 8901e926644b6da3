"""Organisation, people and teams as they cross the wire."""

from datetime import datetime
from typing import Literal

from msgspec import UNSET, UnsetType

from backend.contracts import Change, Contract, Moment
from backend.notifications.contracts import Digest, NotificationSettings

Role = Literal["owner", "admin", "member"]


class Organisation(Contract):
    """The installation itself."""

    name: str


class Person(Contract):
    """A user as every colleague sees them. `colour` is an index into the interface's avatar colours.

    `away_until`: when they are back; a moment that is past means nothing.
    """

    id: int
    name: str
    email: str
    role: Role
    active: bool
    colour: int
    away_until: datetime | None = None


class Team(Contract):
    id: int
    name: str
    member_ids: list[int]


class Me(Contract):
    """The signed-in person, with what is nobody else's business."""

    person: Person
    time_zone: str
    locale: str
    theme: Literal["system", "light", "dark"]
    notify: NotificationSettings = NotificationSettings()
    digest: Digest = "off"
    shortcuts: dict[str, str] = {}


class SetShortcuts(Contract):
    """The keys that the person gives to commands of the interface, by the commands' names: `e`, `E` with Shift, or one
    after another, `g w`. A command that is not named keeps its own."""

    shortcuts: dict[str, str]


class SetUp(Contract):
    """First run: the organisation and its owner."""

    organisation_name: str
    name: str
    email: str
    password: str


class SetUpState(Contract):
    """Whether the installation still waits for its owner, and whether system mail can be sent."""

    needs_set_up: bool
    organisation_name: str
    can_mail_passwords: bool


class SignIn(Contract):
    email: str
    password: str


class UpdateOrganisation(Change):
    name: str | UnsetType = UNSET


class UpdateProfile(Change):
    name: str | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET
    locale: str | UnsetType = UNSET
    theme: Literal["system", "light", "dark"] | UnsetType = UNSET
    away_until: Moment | UnsetType | None = UNSET
    """Away until this moment; None: here again."""


class ChangePassword(Contract):
    current: str
    new: str


class ForgotPassword(Contract):
    email: str


class ResetPassword(Contract):
    token: str
    password: str


class PasswordLink(Contract):
    """A link to choose a new password, for an admin to hand over. It is shown once."""

    link: str
    expires_at: datetime


class UpdatePerson(Change):
    """What an admin may change of somebody: their role, and whether they can sign in."""

    role: Role | UnsetType = UNSET
    active: bool | UnsetType = UNSET


class CreateInvitation(Contract):
    email: str
    role: Role = "member"
    team_ids: list[int] = []
    mailbox_ids: list[int] = []


class Invitation(Contract):
    id: int
    email: str
    role: Role
    invited_by: int
    expires_at: datetime
    accepted: bool


class InvitationCreated(Contract):
    """`link` is shown once: only its hash is stored."""

    invitation: Invitation
    link: str
    mailed: bool


class ReadOffer(Contract):
    """Asks what the link with this secret offers."""

    token: str


class InvitationOffer(Contract):
    """What the invited person sees before accepting."""

    organisation_name: str
    email: str
    invited_by_name: str


class AcceptInvitation(Contract):
    token: str
    name: str
    password: str


class SaveTeam(Contract):
    name: str
    member_ids: list[int]


class CreateToken(Contract):
    name: str


class ApiToken(Contract):
    id: int
    name: str
    prefix: str
    created_at: datetime
    last_used_at: datetime | None


class TokenCreated(Contract):
    """`secret` is shown once: only its hash is stored."""

    token: ApiToken
    secret: str


AuditKind = Literal["entering", "people", "access", "mailboxes", "accounts", "tokens", "conversations", "operation"]
"""What an entry of the audit log is about. `access` is who can open which mailbox, by name or by team."""


class AuditEntry(Contract):
    """Who did what. `action` is a stable word, `subject` such as `mailbox:3`; no `actor_id`: the command line."""

    id: int
    at: datetime
    actor_id: int | None
    action: str
    subject: str
    detail: dict[str, object]


class AuditPage(Contract):
    items: list[AuditEntry]
    next_cursor: int | None


class OrganisationChanged(Contract, tag="organisation_changed"):
    organisation: Organisation


class PersonChanged(Contract, tag="person_changed"):
    person: Person


class TeamChanged(Contract, tag="team_changed"):
    team: Team


class TeamGone(Contract, tag="team_gone"):
    team_id: int


class MeChanged(Contract, tag="me_changed"):
    """To the person's own stream."""

    me: Me
