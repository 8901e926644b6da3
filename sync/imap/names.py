"""Folder names: modified UTF-7 (RFC 3501 section 5.1.3), and what a folder is for when the server does not
say.
"""

import base64
import binascii
import re

from sync.types import FolderRole

_SHIFTED = re.compile(r"&([^-]*)-")

_COMMON_NAMES: dict[FolderRole, str] = {
    # In the large European and East Asian languages, and what well-known programs create.
    "sent": """
        sent, sent items, sent messages, sent mail, sent-mail, outbox sent, gesendet,
        gesendete elemente, gesendete objekte, gesendete nachrichten, envoyés, éléments envoyés,
        messages envoyés, courrier envoyé, enviados, elementos enviados, mensajes enviados,
        correo enviado, inviata, posta inviata, messaggi inviati, itens enviados, mensagens enviadas,
        verzonden, verzonden items, verzonden berichten, wysłane, elementy wysłane, odeslané,
        odeslaná pošta, sendt, sendt post, sendte elementer, skickat, skickade objekt, lähetetyt,
        gönderilmiş öğeler, gönderilenler, отправленные, надіслані, 送信済み, 送信済みメール,
        送信済みアイテム, 已发送,
        已发送邮件, 寄件備份, 보낸 편지함, 보낸메일함
    """,
    "drafts": """
        drafts, draft, entwürfe, brouillons, borradores, bozze, rascunhos, concepten, szkice,
        wersje robocze, koncepty, kladder, utkast, luonnokset, taslaklar, черновики, чернетки, 下書き,
        草稿, 草稿箱, 임시보관함
    """,
    "trash": """
        trash, deleted, deleted items, deleted messages, bin, papierkorb, gelöscht,
        gelöschte elemente, gelöschte objekte, corbeille, éléments supprimés, papelera,
        elementos eliminados, cestino, posta eliminata, lixeira, itens excluídos, prullenbak,
        verwijderde items, kosz, elementy usunięte, koš, odstraněná pošta, papirkurv, slettet post,
        papperskorgen, borttagna objekt, roskakori, çöp kutusu, silinmiş öğeler, корзина, удаленные,
        кошик, ゴミ箱, 削除済みアイテム, 已删除, 已删除邮件, 垃圾桶, 휴지통
    """,
    "junk": """
        junk, spam, junk e-mail, junk email, bulk mail, unerwünscht, werbung, spamverdacht,
        courrier indésirable, indésirables, pourriel, correo no deseado, posta indesiderata,
        lixo eletrônico, lixo eletrónico, ongewenste e-mail, ongewenst, wiadomości-śmieci,
        nevyžádaná pošta, uønsket e-mail, søppelpost, skräppost, roskaposti, önemsiz e-posta, спам,
        нежелательная почта, 迷惑メール, 垃圾邮件, 垃圾郵件, 스팸편지함
    """,
    "archive": """
        archive, archives, archived, all mail, archiv, alle nachrichten, tous les messages, archivo,
        archivados, archivio, arquivo, archief, archiwum, arkiv, arkisto, arşiv, архив, архів, アーカイブ,
        归档, 存档
    """,
}

ROLE_ATTRIBUTES: dict[str, FolderRole] = {
    "\\sent": "sent",
    "\\drafts": "drafts",
    "\\trash": "trash",
    "\\junk": "junk",
    "\\archive": "archive",
    "\\all": "archive",
}
"""SPECIAL-USE attributes (RFC 6154) in small letters."""

_ROLE_BY_NAME: dict[str, FolderRole] = {
    name.strip(): role for role, names in _COMMON_NAMES.items() for name in names.split(",")
}


def folder_title(wire_name: str) -> str:
    """The name for people. A name that is not valid modified UTF-7 (some servers send UTF-8) is left as it
    is.
    """
    try:
        return _SHIFTED.sub(_decode_shifted, wire_name)
    except (binascii.Error, UnicodeDecodeError):
        return wire_name


def wire_name(title: str) -> str:
    """The name for the server, for a folder that is to be created."""
    pieces: list[str] = []
    foreign = ""
    for character in title:
        if " " <= character <= "~":
            pieces.append(_encode_shifted(foreign) + ("&-" if character == "&" else character))
            foreign = ""
        else:
            foreign += character
    return "".join(pieces) + _encode_shifted(foreign)


def role_by_name(title: str, delimiter: str | None) -> FolderRole | None:
    """What a folder of this name is commonly used for; its last part counts (`INBOX.Sent`, `[Gmail]/Sent
    Mail`).
    """
    if title.upper() == "INBOX":
        return "inbox"
    last = title.rsplit(delimiter, 1)[-1] if delimiter else title
    return _ROLE_BY_NAME.get(last.strip().casefold())


def _decode_shifted(match: re.Match[str]) -> str:
    text = match.group(1)
    if not text:
        return "&"
    padded = text.replace(",", "/") + "=" * (-len(text) % 4)
    return base64.b64decode(padded, validate=True).decode("utf-16-be")


def _encode_shifted(text: str) -> str:
    if not text:
        return ""
    encoded = base64.b64encode(text.encode("utf-16-be", "surrogatepass")).decode()
    return "&" + encoded.rstrip("=").replace("/", ",") + "-"
