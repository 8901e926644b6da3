"""Set-up, signing in, one's own account, people, teams, invitations and the audit log over HTTP."""

from datetime import date
from typing import Any

from litestar import Request, Response, Router, delete, get, patch, post, put
from litestar.datastructures import Cookie

from backend.access.asker import Asker
from backend.access.classes import access
from backend.notifications.contracts import NotificationSettings
from backend.outgoing_servers.system import can_mail
from backend.people import queries
from backend.people.actions import entering, invitations, organisation, passwords, profile, teams
from backend.people.contracts import (
    AcceptInvitation,
    ApiToken,
    AuditKind,
    AuditPage,
    ChangePassword,
    CreateInvitation,
    CreateToken,
    ForgotPassword,
    Invitation,
    InvitationCreated,
    InvitationOffer,
    Me,
    Organisation,
    PasswordLink,
    Person,
    ReadOffer,
    ResetPassword,
    SaveTeam,
    SetShortcuts,
    SetUp,
    SetUpState,
    SignIn,
    Team,
    TokenCreated,
    UpdateOrganisation,
    UpdatePerson,
    UpdateProfile,
)
from backend.people.sessions import COOKIE, SESSION_LIFETIME
from backend.settings import Settings

AnyRequest = Request[Any, Any, Any]


def _settings(request: AnyRequest) -> Settings:
    return request.app.state.settings


def _host(request: AnyRequest) -> str:
    return request.client.host if request.client else ""


def _user_agent(request: AnyRequest) -> str:
    return request.headers.get("user-agent", "")


def _cookie(request: AnyRequest, value: str, seconds: int) -> Cookie:
    return Cookie(
        key=COOKIE,
        value=value,
        max_age=seconds,
        path="/",
        httponly=True,
        samesite="lax",
        secure=_settings(request).public_url.startswith("https://"),
    )


def _signed_in(request: AnyRequest, entered: tuple[Me, str], status: int) -> Response[Me]:
    me, cookie = entered
    lifetime = int(SESSION_LIFETIME.total_seconds())
    return Response(me, status_code=status, cookies=[_cookie(request, cookie, lifetime)])


@get("/set-up", **access("public"))
async def read_set_up(request: AnyRequest) -> SetUpState:
    """Whether the installation still waits for its owner."""
    return await queries.read_set_up_state(can_mail=await can_mail(_settings(request)))


@post("/set-up", **access("public"))
async def set_up(request: AnyRequest, data: SetUp) -> Response[Me]:
    """First run: the organisation and its owner, who is signed in by it."""
    return _signed_in(request, await entering.set_up(data, _user_agent(request)), 201)


@post("/sign-in", status_code=200, **access("public"))
async def sign_in(request: AnyRequest, data: SignIn) -> Response[Me]:
    """Start a session: the answer sets the cookie `tandem_session`."""
    asker = request.scope.get("user")
    earlier = asker.session_id if isinstance(asker, Asker) else None
    entered = await entering.sign_in(data, _host(request), _user_agent(request), earlier)
    return _signed_in(request, entered, 200)


@post("/sign-out", **access("signed_in"))
async def sign_out(request: AnyRequest, asker: Asker) -> Response[None]:
    """End this browser's session; its sockets close at once."""
    await entering.sign_out(asker)
    return Response(None, status_code=204, cookies=[_cookie(request, "", 0)])


@post("/password/forgot", status_code=202, **access("public"))
async def forgot_password(request: AnyRequest, data: ForgotPassword) -> None:
    """Mail a link, if the address belongs to somebody; the answer does not tell."""
    await passwords.ask_for_reset(_settings(request), data.email, _host(request))


@post("/password/reset", status_code=204, **access("public"))
async def reset_password(data: ResetPassword) -> None:
    """Set a new password with the secret of a link. Every session of the person ends."""
    await passwords.reset_by_link(data.token, data.password)


@post("/invitations/offer", status_code=200, **access("public"))
async def read_offer(data: ReadOffer) -> InvitationOffer:
    """What an invitation's link offers. The secret stands in the body: addresses are written into logs."""
    return await queries.read_offer(data.token)


@post("/invitations/accept", **access("public"))
async def accept_invitation(request: AnyRequest, data: AcceptInvitation) -> Response[Me]:
    """Join by a link; one is signed in by it."""
    return _signed_in(request, await invitations.accept_invitation(data, _user_agent(request)), 201)


@get("/me", **access("signed_in"))
async def read_me(asker: Asker) -> Me:
    """The signed-in person."""
    return await queries.read_me(asker)


@patch("/me", **access("signed_in"))
async def update_profile(asker: Asker, data: UpdateProfile) -> Me:
    """Change one's own profile."""
    return await profile.update_profile(asker, data)


@put("/me/notifications", **access("signed_in"))
async def set_notifications(asker: Asker, data: NotificationSettings) -> Me:
    """What one is told of, where, and when not."""
    return await profile.set_notifications(asker, data)


@put("/me/shortcuts", **access("signed_in"))
async def set_shortcuts(asker: Asker, data: SetShortcuts) -> Me:
    """Which keys one gives to which commands of the interface; what is not named keeps its own."""
    return await profile.set_shortcuts(asker, data)


@post("/me/password", status_code=204, **access("signed_in"))
async def change_password(asker: Asker, data: ChangePassword) -> None:
    """Change one's own password; other browsers are signed out."""
    await profile.change_password(asker, data)


@get("/me/tokens", **access("signed_in"))
async def list_tokens(asker: Asker) -> list[ApiToken]:
    """One's own API tokens."""
    return await queries.list_tokens(asker)


@post("/me/tokens", **access("signed_in"))
async def create_token(asker: Asker, data: CreateToken) -> TokenCreated:
    """A new API token; its secret is in this answer alone."""
    return await profile.create_token(asker, data)


@delete("/me/tokens/{token_id:int}", **access("signed_in"))
async def delete_token(asker: Asker, token_id: int) -> None:
    """Delete one's own API token; its sockets close at once."""
    await profile.delete_token(asker, token_id)


@get("/people", **access("signed_in"))
async def list_people() -> list[Person]:
    """Everybody in the organisation, closed accounts included."""
    return await queries.read_people()


@get("/teams", **access("signed_in"))
async def list_teams() -> list[Team]:
    """All teams."""
    return await queries.read_teams()


@patch("/organisation", **access("admin"))
async def update_organisation(asker: Asker, data: UpdateOrganisation) -> Organisation:
    """Rename the organisation."""
    return await organisation.update_organisation(asker, data)


@patch("/people/{person_id:int}", **access("admin"))
async def update_person(asker: Asker, person_id: int, data: UpdatePerson) -> Person:
    """Change somebody's role, or close or open their account."""
    return await organisation.update_person(asker, person_id, data)


@post("/people/{person_id:int}/password-link", **access("admin"))
async def make_password_link(request: AnyRequest, asker: Asker, person_id: int) -> PasswordLink:
    """A link to choose a new password, to hand over where Tandem cannot send mail of its own."""
    return await passwords.make_reset_link(asker, _settings(request), person_id)


@get("/invitations", **access("admin"))
async def list_invitations() -> list[Invitation]:
    """All invitations, the newest first."""
    return await queries.list_invitations()


@post("/invitations", **access("admin"))
async def invite(request: AnyRequest, asker: Asker, data: CreateInvitation) -> InvitationCreated:
    """Invite an address; the link is in this answer alone."""
    return await invitations.invite(asker, _settings(request), data)


@delete("/invitations/{invitation_id:int}", **access("admin"))
async def withdraw_invitation(asker: Asker, invitation_id: int) -> None:
    """Take an invitation back."""
    await invitations.withdraw_invitation(asker, invitation_id)


@post("/teams", **access("admin"))
async def create_team(asker: Asker, data: SaveTeam) -> Team:
    """A new team."""
    return await teams.create_team(asker, data)


@put("/teams/{team_id:int}", **access("admin"))
async def save_team(asker: Asker, team_id: int, data: SaveTeam) -> Team:
    """Rename a team and replace its members."""
    return await teams.save_team(asker, team_id, data)


@delete("/teams/{team_id:int}", **access("admin"))
async def delete_team(asker: Asker, team_id: int) -> None:
    """Dissolve a team; what was assigned to it is assigned to nobody."""
    await teams.delete_team(asker, team_id)


@get("/audit", **access("admin"))
async def read_audit(
    cursor: int | None = None,
    person_id: int | None = None,
    kind: AuditKind | None = None,
    since: date | None = None,
    until: date | None = None,
) -> AuditPage:
    """Who did what that concerns access, settings and credentials, the newest first."""
    return await queries.read_audit(cursor=cursor, person_id=person_id, kind=kind, since=since, until=until)


router = Router(
    path="/",
    route_handlers=[
        read_set_up,
        set_up,
        sign_in,
        sign_out,
        forgot_password,
        reset_password,
        read_offer,
        accept_invitation,
        read_me,
        update_profile,
        set_notifications,
        set_shortcuts,
        change_password,
        list_tokens,
        create_token,
        delete_token,
        list_people,
        list_teams,
        update_organisation,
        update_person,
        make_password_link,
        list_invitations,
        invite,
        withdraw_invitation,
        create_team,
        save_team,
        delete_team,
        read_audit,
    ],
    tags=["people"],
)
