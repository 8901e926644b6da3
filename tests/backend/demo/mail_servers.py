"""Runs the demo's mail servers as a process, as the demo does."""

import imaplib
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from backend.demo.people import PASSWORD
from backend.demo.ports import read_ports, take_back

TOP = Path(__file__).parents[3]
SUPPORT = "support@northwind.example"


@dataclass(frozen=True)
class MailServers:
    """Running servers, and clients for them."""

    process: subprocess.Popen[bytes]
    imap_port: int
    smtp_port: int

    def imap(self, account: str = SUPPORT, password: str = PASSWORD) -> imaplib.IMAP4:
        client = imaplib.IMAP4("127.0.0.1", self.imap_port, timeout=20)
        client.login(account, password)
        return client

    def smtp(self) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.smtp_port, local_hostname="client.example", timeout=20)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)


@contextmanager
def mail_servers(data: Path, imap_port: int = 0, smtp_port: int = 0) -> Iterator[MailServers]:
    """Starts the servers on the data folder and stops them at the end."""
    command = [sys.executable, "-m", "backend.demo.servers", "--data", str(data)]
    command += ["--imap-port", str(imap_port), "--smtp-port", str(smtp_port)]
    take_back(data)
    with subprocess.Popen(command, cwd=TOP) as process:
        try:
            while (ports := read_ports(data)) is None:
                assert process.poll() is None, "the servers ended"
                time.sleep(0.02)
            yield MailServers(process, ports["imap"], ports["smtp"])
        finally:
            process.terminate()
            process.wait(20)
