"""The cast of the demo: the organisation, its people and teams, and the mailboxes they share.

Everything here is fictional; all addresses end in ``.example`` (RFC 2606). The one password is public on
purpose: the demo's servers listen on this machine only.
"""

from dataclasses import dataclass

ORGANISATION = "Northwind Bikes"
DOMAIN = "northwind.example"
PASSWORD = "northwind-bikes"
"""Signs everybody in, and opens every mail account of the demo."""

OUTSIDE = "everybody.else@outside.example"
"""The mail account that catches what leaves Northwind; the simulated customers read it."""

LEFT = "r.lindqvist@kurierkollektiv.example"
"""Somebody whose address is no more: mail to it is refused."""


@dataclass(frozen=True)
class Person:
    """Somebody who works at Northwind and signs in to Tandem. ``role`` is Tandem's: owner, admin, member."""

    key: str
    name: str
    role: str

    @property
    def address(self) -> str:
        return f"{self.key}@{DOMAIN}"

    @property
    def first_name(self) -> str:
        return self.name.split()[0]


@dataclass(frozen=True)
class Team:
    name: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class DemoMailbox:
    """A mailbox in Tandem and the mail account behind it. ``owner`` is set for a personal mailbox only."""

    key: str
    name: str
    teams: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    owner: str | None = None

    @property
    def address(self) -> str:
        return f"{self.key}@{DOMAIN}"

    @property
    def sender_name(self) -> str:
        return PEOPLE[self.owner].name if self.owner else f"{self.name} · {ORGANISATION}"


PEOPLE = {
    person.key: person
    for person in (
        Person("ana", "Ana Ribeiro", "owner"),
        Person("jonas", "Jonas Dahl", "admin"),
        Person("tom", "Tom Keller", "member"),
        Person("mei", "Mei Tanaka", "member"),
        Person("samuel", "Samuel Okafor", "member"),
    )
}
OWNER = PEOPLE["ana"]

TEAMS = (
    Team("Service", ("ana", "jonas", "tom")),
    Team("Commercial", ("mei", "samuel", "jonas")),
)

MAILBOXES = {
    mailbox.key: mailbox
    for mailbox in (
        DemoMailbox("support", "Support", teams=("Service",), users=("mei",)),
        DemoMailbox("sales", "Sales", teams=("Commercial",), users=("ana",)),
        DemoMailbox("billing", "Billing", users=("samuel", "jonas", "ana")),
        DemoMailbox("ana", "Ana Ribeiro", owner="ana"),
    )
}

SIMULATED = ("tom", "mei")
"""Those whose part the demo plays; the others are left to the visitors."""


def members_of(mailbox: DemoMailbox) -> frozenset[str]:
    """The keys of all people who may open the mailbox, directly or through a team."""
    through_teams = (key for team in TEAMS if team.name in mailbox.teams for key in team.members)
    owner = (mailbox.owner,) if mailbox.owner else ()
    return frozenset((*through_teams, *mailbox.users, *owner))
