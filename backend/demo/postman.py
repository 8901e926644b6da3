"""Carries the customers' mail: through SMTP to Northwind, and out of the mailbox where Northwind's mail ends."""

import imaplib
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from backend.demo.mail import Letter, write
from backend.demo.people import OUTSIDE, PASSWORD
from backend.demo.ports import HOST

_PATIENCE = 20.0
"""Seconds that a server may take for one answer."""


@dataclass(frozen=True)
class Postman:
    """Blocking calls: run them on a thread. They raise OSError, SMTPException or IMAP4.error."""

    imap_port: int
    smtp_port: int

    def post(self, letter: Letter, account: str) -> None:
        """Hands the letter to Northwind's server, as the sender's own server would."""
        self.post_raw(letter.sender.address, write(letter), account)

    def post_raw(self, sender: str, raw: bytes, account: str) -> None:
        """The same for a mail that a program wrote."""
        domain = sender.rpartition("@")[2]
        with smtplib.SMTP(HOST, self.smtp_port, local_hostname=f"mail.{domain}", timeout=_PATIENCE) as client:
            client.sendmail(sender, [account], raw)

    def collect(self) -> list[tuple[str, bytes]]:
        """The mails that the customers have not dealt with yet, as (UID, message)."""
        with self._mailbox() as client:
            uids = client.uid("SEARCH", "UNSEEN")[1][0].split()
            collected: list[tuple[str, bytes]] = []
            for uid in (each.decode() for each in uids):
                answer = client.uid("FETCH", uid, "(BODY.PEEK[])")[1]
                collected += [(uid, part[1]) for part in answer if isinstance(part, tuple)]
            return collected

    def finish(self, uid: str) -> None:
        """Marks a mail as dealt with."""
        with self._mailbox() as client:
            client.uid("STORE", uid, "+FLAGS", "(\\Seen)")

    @contextmanager
    def _mailbox(self) -> Iterator[imaplib.IMAP4]:
        client = imaplib.IMAP4(HOST, self.imap_port, timeout=_PATIENCE)
        try:
            client.login(OUTSIDE, PASSWORD)
            client.select("INBOX")
            yield client
        finally:
            with suppress(OSError, imaplib.IMAP4.error):
                client.logout()
