"""Tags as they cross the wire."""

from backend.contracts import Contract


class Tag(Contract):
    """`colour` is one of ten, by number."""

    id: int
    name: str
    colour: int


class SaveTag(Contract):
    """`colour` empty: the next one, or what it was."""

    name: str
    colour: int | None = None


class ChangeTags(Contract):
    """Tags that a conversation gets, and that are taken from it. Two people who change others do not meet."""

    add: list[int] = []
    remove: list[int] = []


class TagChanged(Contract, tag="tag_changed"):
    """Made, renamed, or coloured anew."""

    tag: Tag


class TagGone(Contract, tag="tag_gone"):
    tag_id: int
