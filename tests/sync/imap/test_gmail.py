"""Folders that show the mail of others, as Gmail has them: All Mail, Starred, Important. A scripted server plays."""

from dataclasses import replace

from sync.types import Retrying, UpToDate
from tests.sync.imap.conftest import QUICK, Watch
from tests.sync.imap.memory_store import MemoryStore
from tests.sync.imap.scripted import scripted_imap

LIST = """* LIST (\\HasNoChildren) "/" "INBOX"
* LIST (\\HasChildren \\Noselect) "/" "[Gmail]"
* LIST (\\All \\HasNoChildren) "/" "[Gmail]/All Mail"
* LIST (\\HasNoChildren \\Important) "/" "[Gmail]/Important"
* LIST (\\Flagged \\HasNoChildren) "/" "[Gmail]/Starred"
{tag} OK done
""".replace("\n", "\r\n")


def opened(exists: int, uid_next: int) -> str:
    return (
        f"* {exists} EXISTS\r\n* OK [UIDVALIDITY 9] x\r\n* OK [UIDNEXT {uid_next}] x\r\n"
        "* OK [HIGHESTMODSEQ 50] x\r\n{tag} OK [READ-ONLY] done\r\n"
    )


def listed(uid: int, name: int) -> str:
    return (
        f'* 1 FETCH (X-GM-MSGID {name} UID {uid} RFC822.SIZE 23 INTERNALDATE "01-Jan-2020 10:00:00 +0000" '
        "FLAGS (\\Seen))\r\n"
    )


def whole(uid: int, name: int) -> str:
    return listed(uid, name).removesuffix(")\r\n") + f" BODY[] {{23}}\r\nSubject: {name:010d}\r\n\r\n)\r\n"


ITEMS = "(UID FLAGS INTERNALDATE RFC822.SIZE X-GM-MSGID"
DONE = "{tag} OK done\r\n"
ANSWERS = {
    "CAPABILITY": "* CAPABILITY IMAP4rev1 X-GM-EXT-1 CONDSTORE SPECIAL-USE UNSELECT\r\n{tag} OK done\r\n",
    "LIST": LIST,
    'EXAMINE "INBOX"': opened(1, 2),
    'EXAMINE "[Gmail]/All Mail"': opened(2, 7),
    'STATUS "[Gmail]/All Mail"': '* STATUS "[Gmail]/All Mail" (MESSAGES 2 UIDNEXT 7 UIDVALIDITY 9)\r\n' + DONE,
    "UID SEARCH UID 1:1": "* SEARCH 1\r\n" + DONE,
    "UID SEARCH UID 1:6": "* SEARCH 5 6\r\n" + DONE,
    "UID SEARCH UID 1:*": "* SEARCH 1 5 6\r\n" + DONE,
    "UID FETCH 1 (UID RFC822.SIZE)": "* 1 FETCH (UID 1 RFC822.SIZE 23)\r\n" + DONE,
    f"UID FETCH 1 {ITEMS} BODY": whole(1, 111) + DONE,
    f"UID FETCH 5:6 {ITEMS})": listed(5, 111) + listed(6, 222) + DONE,
    f"UID FETCH 6 {ITEMS} BODY": whole(6, 222) + DONE,
    "NOOP": DONE,
    "UNSELECT": DONE,
    "LOGOUT": "* BYE bye\r\n{tag} OK done\r\n",
}


async def test_all_mail_brings_only_what_stands_nowhere_else(store: MemoryStore, watch: Watch) -> None:
    async with scripted_imap(ANSWERS) as (login, commands):
        watch(login, timing=replace(QUICK, poll=0.1))
        await store.until(lambda: set(store.folder("[Gmail]/All Mail").messages) == {5, 6})
        await store.until(lambda: isinstance(store.states[-1], UpToDate))
        assert store.recognised == [("[Gmail]/All Mail", 5)]
        assert [each.email_id for each in store.seen] == ["111", "222"]
        assert not [line for line in commands if "Starred" in line or "Important" in line]
        assert sum("BODY.PEEK[]" in line for line in commands) == 2
        assert {each.name: each.gathers for each in store.listed if each.gathers} == {
            "[Gmail]/All Mail": "all",
            "[Gmail]/Important": "some",
            "[Gmail]/Starred": "some",
        }


async def test_a_server_that_asks_for_patience_gets_it(store: MemoryStore, watch: Watch) -> None:
    """It is not the message's fault: nothing is set aside, and the next attempt waits."""
    for words, code in (
        ("[THROTTLED] Slow down", "throttled"),
        ("[LIMIT] Too many commands", "throttled"),
        ("[INUSE] Mailbox is being backed up", "server_unavailable"),
        ("Too many simultaneous connections. (Failure)", "too_many_connections"),
    ):
        store.states.clear()
        refused = {f"UID FETCH 1 {ITEMS} BODY": f"{{tag}} NO {words}\r\n"}
        async with scripted_imap(ANSWERS | refused) as (login, commands):
            watch(login, timing=replace(QUICK, busy_retry=30))
            await store.until(lambda: any(isinstance(state, Retrying) for state in store.states))
            problems = {state.problem.code for state in store.states if isinstance(state, Retrying)}
            assert problems == {code}
            assert sum("BODY.PEEK[]" in line for line in commands) == 1
        assert not store.folder().set_aside
        store.folders.clear()
