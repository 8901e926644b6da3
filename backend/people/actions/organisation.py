"""What admins change: the organisation's name, and of people their role and whether they can sign in."""

from msgspec import UNSET

from backend.access.asker import Asker
from backend.database.connection import Row, execute, fetch_row, fetch_value
from backend.errors import Conflict, Forbidden, NotFound
from backend.events.record import ORGANISATION, Action, action, user_stream
from backend.mailboxes.membership import lock_memberships, mailboxes_of_person, readers_changing
from backend.people.audit import audit
from backend.people.checks import check_name
from backend.people.contracts import (
    MeChanged,
    Organisation,
    OrganisationChanged,
    Person,
    PersonChanged,
    UpdateOrganisation,
    UpdatePerson,
)
from backend.people.queries import me_of, person_of
from backend.people.sessions import end_all_sessions


async def update_organisation(asker: Asker, given: UpdateOrganisation) -> Organisation:
    """Rename the organisation."""
    async with action(asker.user_id) as act:
        before = await fetch_value("SELECT name FROM organisation WHERE id = 1 FOR UPDATE")
        name = before if given.name is UNSET else check_name(given.name)
        if name != before:
            await execute("UPDATE organisation SET name = $1 WHERE id = 1", name)
            act.record(ORGANISATION, OrganisationChanged(organisation=Organisation(name=name)))
            await audit(asker.user_id, "organisation_renamed", "organisation", before=before, after=name)
    return Organisation(name=name)


async def update_person(asker: Asker, user_id: int, given: UpdatePerson) -> Person:
    """Change somebody's role, or close or open their account.

    Closing ends their sessions and tokens at once; what they wrote stays. Only owners touch owners or make one, and
    there is always one. Raises Forbidden, Conflict and NotFound.
    """
    async with action(asker.user_id) as act:
        await lock_memberships()
        before = await fetch_row("SELECT * FROM users WHERE id = $1 FOR UPDATE", user_id)
        if before is None:
            raise NotFound("There is no such person.", "Choose among the people listed.")
        role = before["role"] if given.role is UNSET else given.role
        active = before["active"] if given.active is UNSET else given.active
        await _check_owners(asker, before, role, active)
        if active == before["active"]:
            await execute("UPDATE users SET role = $2 WHERE id = $1", user_id, role)
        else:
            async with readers_changing(act, await mailboxes_of_person(user_id)):
                await execute("UPDATE users SET role = $2, active = $3 WHERE id = $1", user_id, role, active)
            if not active:
                await _close_account(user_id)
        return await _tell(act, asker, before)


async def _check_owners(asker: Asker, before: Row, role: str, active: bool) -> None:
    # The asker's role is read again: whoever changed it has waited for the same lock, or been waited for.
    own_role = await fetch_value("SELECT role FROM users WHERE id = $1 AND active", asker.user_id)
    touches_owners = "owner" in (before["role"], role) and (role != before["role"] or active != before["active"])
    if own_role not in ("owner", "admin") or (touches_owners and own_role != "owner"):
        raise Forbidden("Only an owner can do this.", "Ask the owner of your organisation.")
    others = await fetch_value("SELECT count(*) FROM users WHERE role = 'owner' AND active AND id <> $1", before["id"])
    if not others and not (role == "owner" and active):
        raise Conflict("This is the only owner.", "Make somebody else an owner first.")


async def _close_account(user_id: int) -> None:
    await end_all_sessions(user_id)
    await execute("DELETE FROM api_tokens WHERE user_id = $1", user_id)
    await execute("DELETE FROM password_resets WHERE user_id = $1", user_id)


async def _tell(act: Action, asker: Asker, before: Row) -> Person:
    after = await fetch_row("SELECT * FROM users WHERE id = $1", before["id"])
    assert after is not None
    person = person_of(after)
    if person != person_of(before):
        act.record(ORGANISATION, PersonChanged(person=person))
        act.record(user_stream(person.id), MeChanged(me=me_of(after)))
        await audit(
            asker.user_id,
            "person_changed",
            f"user:{person.id}",
            before={"role": before["role"], "active": before["active"]},
            after={"role": person.role, "active": person.active},
        )
    return person
