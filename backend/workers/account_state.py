"""The engine's state of an account as people read it."""

from backend.accounts import contracts
from sync.types import AccountState, Connecting, NeedsYou, Retrying, Syncing


def state_contract(mailbox_id: int, state: AccountState) -> contracts.AccountState:
    """The engine's state as people read it."""
    match state:
        case Connecting():
            return contracts.AccountState(mailbox_id=mailbox_id, status="connecting")
        case Syncing():
            progress = state.folders.values()
            return contracts.AccountState(
                mailbox_id=mailbox_id,
                status="syncing",
                done=sum(folder.done for folder in progress),
                total=sum(folder.total for folder in progress),
            )
        case Retrying() | NeedsYou():
            return contracts.AccountState(
                mailbox_id=mailbox_id,
                status="retrying" if isinstance(state, Retrying) else "needs_you",
                reason=state.problem.sentence,
                remedy=state.problem.remedy,
                server_words=state.problem.server_words,
            )
        case _:
            return contracts.AccountState(mailbox_id=mailbox_id, status="up_to_date", checked_at=state.at)
