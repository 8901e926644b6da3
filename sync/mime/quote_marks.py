"""How mail programs mark where a quotation begins, in the languages that people use."""

import re

_WORDS = r"[^\n]{0,200}"
_WROTE = (
    r"wrote|writes|schrieb|hat geschrieben|geschreven|schreef|a [ée]crit|escribi[óo]|escreveu|ha scritto|scrisse|"
    r"skrev|napisał\(a\)|napisała|napisał|napsal\(a\)|napsal|написала?|пишет|написав|yazdı|kirjoitti|írta|a scris|"
    r"写道|書きました|のメッセージ|작성"
)
ATTRIBUTION = re.compile(
    rf"^[ \t]*(?:- )?(?:(?:On|Am|Op|Le|El|Em|Il|Den|Dnia|Dne|W dniu|În|Pe|[0-9]{{1,4}}[./-])\b{_WORDS}"
    rf"(?:{_WROTE}){_WORDS}[:\uff1a]"
    rf"|[^\n>]{{0,150}}@[^\n]{{0,100}}(?:{_WROTE}){_WORDS}[:\uff1a]"
    rf"|[^\n>]{{0,100}}(?:{_WROTE})[^\n]{{0,150}}@[^\n]{{0,100}}[:\uff1a]"
    rf"|[0-9]{{1,4}}[./-][^\n]{{0,150}}@[^\n]{{0,100}}[:\uff1a]"
    rf"|(?:On|Am|Le|El|Il|Den)\b[^\n]{{0,150}}(?:{_WROTE}))[ \t]*$",
    re.IGNORECASE,
)
# How the first line of an attribution looks that goes on in the next line.
WRAPPED = re.compile(
    r"^[ \t]*(?:- )?(?:(?:On|Am|Op|Le|El|Em|Il|Den|Dnia|Dne|W dniu|În|Pe)\b|[0-9]|[^\n]*[<@]|[^\n]*\d{4})",
    re.IGNORECASE,
)
# Attributions without a colon at the end begin with one of these (the last alternative above).
OPENING_WORD = re.compile(r"[ \t]*(?:- )?(?:On|Am|Le|El|Il|Den)\b", re.IGNORECASE)
DIVIDER = re.compile(
    r"^[ \t]*(?:[-_*=]{2,}[ \t]*)(?:original (?:message|appointment)|original[- ]?nachricht|ursprüngliche nachricht|"
    r"weitergeleitete nachricht|forwarded message|oorspronkelijk bericht|doorgestuurd bericht|message d'origine|"
    r"message original|mensaje original|mensagem original|messaggio originale|ursprungligt meddelande|"
    r"oprindelig meddelelse|opprinnelig melding|alkuperäinen viesti|oryginalna wiadomość|"
    r"исходное сообщение|пересылаемое сообщение|reply message|reply above this line|原始邮件|转发邮件|"
    r"元のメッセージ)[ \t]*:?[ \t]*(?:[-_*=]{2,})?[ \t]*$"
    r"|^[ \t]*begin forwarded message:[ \t]*$"
    r"|^[ \t]*[#\-_=*]{2,}[ \t]*(?:please )?(?:reply above|type your reply above|write above)[^\n]{0,60}$",
    re.IGNORECASE,
)
_FROM_LINE = re.compile(
    r"^[ \t]*\*?(?:from|von|van|de|da|från|fra|od|"
    r"lähettäjä|feladó|kimden|от|发件人|寄件者|差出人|보낸 사람|message du)\*?[ \t]?[:\uff1a]\*?[ \t]*\S",
    re.IGNORECASE,
)
_OTHER_HEADER = re.compile(
    r"^[ \t]*\*?(?:sent|date|to|cc|subject|gesendet|datum|an|betreff|verzonden|aan|onderwerp|"
    r"envoyé(?: le)?|à|copie à|objet|sujet|enviado|"
    r"enviada|el|fecha|para|asunto|assunto|inviato|data|a|oggetto|skickat|till|ämne|sendt|til|emne|wysłano|do|temat|"
    r"gönderme|kime|konu|отправлено|дата|кому|тема|发送时间|日期|收件人|主题|送信日時|宛先|件名)\*?[ \t]?[:\uff1a]\*?",
    re.IGNORECASE,
)
RULE = re.compile(r"^[ \t]*[_\-=]{5,}[ \t]*$")
# A `>` that belongs to an address which was wrapped (">:") is no quotation mark.
QUOTED_LINE = re.compile(r"[ \t]*>(?![ \t]?[:\uff1a][ \t]*$)")
MAX_LINE = 1000
ATTRIBUTION_TAIL = re.compile(
    rf"(?:(?:{_WROTE})[^:\uff1a<>]{{0,80}}|(?:@|\b(?:19|20)\d\d\b)[^\n]{{0,120}})[:\uff1a]\s*\Z", re.IGNORECASE
)
"""The end of a text that leads over to a quotation: somebody wrote, or an address or a date and a colon."""
FROM_WORD = re.compile(
    r">\s*(?:from|von|van|de|da|från|fra|od|lähettäjä|feladó|kimden|от|发件人|寄件者|差出人|보낸 사람)"
    r"(?:<[^<>]{1,200}>|&nbsp;|\s){0,6}[:\uff1a]",
    re.IGNORECASE,
)
"""In markup: where a block of copied headers may begin."""


def is_header_block(lines: list[str], index: int) -> bool:
    """Whether the headers From, Sent, To, Subject begin here, as Outlook copies them above a quoted message."""
    if not _FROM_LINE.match(lines[index][:MAX_LINE]):
        return False
    following = [line for line in lines[index + 1 : index + 8] if line.strip()][:5]
    return sum(1 for line in following if _OTHER_HEADER.match(line[:MAX_LINE])) >= 2
