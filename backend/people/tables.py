"""The organisation, its people and teams, and how they prove who they are."""

from piccolo.columns import (
    JSONB,
    BigInt,
    BigSerial,
    Boolean,
    ForeignKey,
    Integer,
    Text,
    Timestamptz,
)
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults import TimestamptzNow
from piccolo.table import Table


class Organisation(Table, tablename="organisation"):
    """One row: this installation."""

    id = Integer(primary_key=True, default=1)
    name = Text()
    settings = JSONB(default="{}")
    created_at = Timestamptz(default=TimestamptzNow())


class User(Table, tablename="users"):
    id = BigSerial(primary_key=True)
    name = Text()
    email = Text(unique=True, help_text="Lower case.")
    password_hash = Text(help_text="argon2id; empty means that no password opens the account.")
    role = Text(default="member")
    active = Boolean(default=True)
    colour = Integer(default=0)
    time_zone = Text(default="UTC")
    locale = Text(default="en")
    theme = Text(default="system")
    notify = JSONB(default="{}", help_text="NotificationSettings of backend/notifications/contracts.py.")
    shortcuts = JSONB(default="{}", help_text="Keys that the person has given to commands, by their names.")
    sending = JSONB(default="{}", help_text="SendingHabits of backend/identities/contracts.py.")
    digest = Text(default="off", help_text="off, hourly or daily: unseen notifications by mail.")
    digested_at = Timestamptz(null=True, default=None, help_text="When they last got a digest, or none was due.")
    away_until = Timestamptz(null=True, default=None, help_text="They are back then; in the past it means nothing.")
    created_at = Timestamptz(default=TimestamptzNow())


class Session(Table, tablename="sessions"):
    """A signed-in browser. Only the hash of its cookie is kept."""

    id = BigSerial(primary_key=True)
    token_hash = Text(unique=True)
    user_id = ForeignKey(User, null=False, on_delete=OnDelete.cascade)
    created_at = Timestamptz(default=TimestamptzNow())
    expires_at = Timestamptz(default=TimestamptzNow())
    user_agent = Text()


class ApiToken(Table, tablename="api_tokens"):
    id = BigSerial(primary_key=True)
    user_id = ForeignKey(User, null=False, on_delete=OnDelete.cascade)
    name = Text()
    prefix = Text()
    token_hash = Text(unique=True)
    created_at = Timestamptz(default=TimestamptzNow())
    last_used_at = Timestamptz(null=True, default=None)


class Invitation(Table, tablename="invitations"):
    id = BigSerial(primary_key=True)
    token_hash = Text(unique=True)
    email = Text()
    role = Text(default="member")
    team_ids = JSONB(default="[]")
    mailbox_ids = JSONB(default="[]")
    invited_by = ForeignKey(User, null=False, on_delete=OnDelete.cascade)
    created_at = Timestamptz(default=TimestamptzNow())
    expires_at = Timestamptz(default=TimestamptzNow())
    accepted_at = Timestamptz(null=True, default=None)


class PasswordReset(Table, tablename="password_resets"):
    id = BigSerial(primary_key=True)
    token_hash = Text(unique=True)
    user_id = ForeignKey(User, null=False, on_delete=OnDelete.cascade)
    expires_at = Timestamptz(default=TimestamptzNow())


class SignInFailure(Table, tablename="sign_in_failures"):
    """What the rate limit counts, by e-mail address and by network address, across processes."""

    id = BigSerial(primary_key=True)
    subject = Text(index=True)
    at = Timestamptz(default=TimestamptzNow())


class Team(Table, tablename="teams"):
    id = BigSerial(primary_key=True)
    name = Text()


class TeamMember(Table, tablename="team_members"):
    id = BigSerial(primary_key=True)
    team_id = ForeignKey(Team, null=False, on_delete=OnDelete.cascade)
    user_id = ForeignKey(User, null=False, on_delete=OnDelete.cascade, index=True)


class AuditEntry(Table, tablename="audit_entries"):
    """Who did what that concerns access, settings or credentials. No secret and no mail text."""

    id = BigSerial(primary_key=True)
    at = Timestamptz(default=TimestamptzNow())
    actor_id = BigInt(null=True, default=None)
    action = Text()
    subject = Text()
    detail = JSONB(default="{}")
