"""Which addresses belong to the organisation, as far as the person can see."""

from __future__ import annotations

from frontend.view import View

FOR_EVERYBODY = frozenset({
    "163.com", "aol.com", "fastmail.com", "free.fr", "freenet.de", "gmail.com", "gmx.at", "gmx.ch", "gmx.de", "gmx.net",
    "googlemail.com", "hey.com", "hotmail.com", "icloud.com", "laposte.net", "libero.it", "live.com", "mac.com",
    "mail.com", "mail.ru", "mailbox.org", "me.com", "msn.com", "naver.com", "orange.fr", "outlook.com", "posteo.de",
    "proton.me", "protonmail.com", "qq.com", "seznam.cz", "t-online.de", "tutanota.com", "web.de", "wp.pl",
    "yahoo.co.uk", "yahoo.com", "yahoo.de", "yahoo.fr", "yandex.ru", "zoho.com",
})  # fmt: skip
"""Domains of providers: who has an address there says nothing about their employer."""


def inside(view: View) -> list[str]:
    """The domains of the mailboxes and of the colleagues."""
    addresses = [each.address for each in view.mailboxes.values()] + [each.email for each in view.people.values()]
    return sorted({each.rpartition("@")[2].lower() for each in addresses if "@" in each} - FOR_EVERYBODY)
