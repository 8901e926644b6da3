"""Writes the history into the mail servers' store, once."""

from datetime import UTC, datetime

from backend.demo.corpus import corpus
from backend.demo.imap import thread_of
from backend.demo.mail import StoredMail, history
from backend.demo.store import MailStore

SEEDED = "history written"


def seed(store: MailStore) -> int:
    """Stores all conversations as if they had come in until now, oldest first; how many mails that were.

    All or nothing: a process that is killed meanwhile leaves an empty store. Raises `CorpusError`.
    """
    if store.fact(SEEDED):
        return 0
    start = datetime.now(UTC)
    mails = [mail for conversation in corpus() if not conversation.live for mail in history(conversation, start)]
    store.begin()
    try:
        for mail in sorted(mails, key=lambda each: each.when):
            _store_one(store, mail)
        store.remember(SEEDED, start.isoformat())
    except BaseException:
        store.roll_back()
        raise
    store.commit()
    return len(mails)


def _store_one(store: MailStore, mail: StoredMail) -> None:
    folder = next(row for row in store.folders(mail.account) if row.name == mail.folder)
    flags = [flag for flag, wanted in (("\\Seen", mail.seen), ("\\Answered", mail.answered)) if wanted]
    store.append(folder.id, mail.raw, thread_of(mail.raw), mail.when.timestamp(), flags)
