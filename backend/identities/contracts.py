"""As whom mail may be sent: identities as admins set them, and what one person can choose from for one mail."""

from typing import Literal

from backend.contracts import Contract

ReplyTo = Literal["default", "own", "group", "outgoing", "other"]
"""Where answers go: as the identity says; to the writer's own address; to the group mailbox (of a personal mailbox's
mail: the writer's first one); to the address in From; to another one."""


class Identity(Contract):
    """A From name and address beside a mailbox's own: of one group mailbox, or (`mailbox_id` null) of the organisation,
    for all of them. `server_id` null: it leaves as its mailbox's mail does.

    `offered`: it can be chosen in the composer. One whose address is not verified is not, unless another address of the
    same domain is. `forced_from`: what its server puts into From in its place.
    """

    id: int
    mailbox_id: int | None
    server_id: int | None
    name: str
    address: str
    reply_to: str
    verified: bool
    offered: bool
    forced_from: str


class SaveIdentity(Contract):
    name: str
    address: str
    mailbox_id: int | None = None
    server_id: int | None = None
    reply_to: str = ""


class DraftSender(Contract):
    """As whom one mail is to be sent. `identity_id` null: as its mailbox. `from_name` is for this one mail of a group
    mailbox; empty: the name of the mailbox or identity. `reply_to_address` belongs to `other`.
    """

    identity_id: int | None = None
    from_name: str = ""
    reply_to: ReplyTo = "default"
    reply_to_address: str = ""


class SetSender(Contract):
    """`mailbox_id` moves a new mail, which is in no conversation yet, to another mailbox of the person's."""

    sender: DraftSender
    mailbox_id: int | None = None


class SenderChoice(Contract):
    """One From that this person may use. `forced_by`: a provider that puts the account's own address there, which is
    then `address`; `wanted` is the one it takes the place of. Answers go there all the same.
    """

    mailbox_id: int
    identity_id: int | None
    name: str
    address: str
    verified: bool
    group: bool
    forced_by: str = ""
    wanted: str = ""


class ReplyToChoice(Contract):
    kind: ReplyTo
    address: str


class Senders(Contract):
    """What can be chosen for one draft. `can_ask`: whether addresses can be verified here at all. `one_each`: for a new
    mail, whether the person sent one mail to each of several people the last time.
    """

    choices: list[SenderChoice]
    reply_to: list[ReplyToChoice]
    sender: DraftSender
    can_ask: bool
    one_each: bool = False


class SendingHabits(Contract):
    """What a person chose last for a new mail: its mailbox and identity, and one mail to all or one each."""

    mailbox_id: int | None = None
    identity_id: int | None = None
    one_each: bool = False
