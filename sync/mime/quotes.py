"""What was written now, and what is quoted from before.

Text is cut where the quotation begins: an attribution ("On ... wrote:", in the languages below), a mail client's
divider, a block of copied headers, or `>` lines to the end. A reply written *between* quoted lines stays whole:
only a quotation that runs to the end is folded.

HTML is cut at the element in which a mail client puts the quotation. Use it on the output of `sanitise_html`,
whose markup is regular; the two halves are well-formed on their own, and their texts together are the whole.
"""

import re

from sync.mime.quoted_markup import split_markup

_WORDS = r"[^\n]{0,200}"
_WROTE = (
    r"wrote|writes|schrieb|hat geschrieben|geschreven|schreef|a [ée]crit|escribi[óo]|escreveu|ha scritto|scrisse|"
    r"skrev|napisał\(a\)|napisała|napisał|napsal\(a\)|napsal|написала?|пишет|написав|yazdı|kirjoitti|írta|a scris|"
    r"写道|書きました|のメッセージ|작성"
)
_ATTRIBUTION = re.compile(
    rf"^[ \t]*(?:- )?(?:(?:On|Am|Op|Le|El|Em|Il|Den|Dnia|Dne|W dniu|În|Pe|[0-9]{{1,4}}[./-])\b{_WORDS}"
    rf"(?:{_WROTE}){_WORDS}[:\uff1a]"
    rf"|[^\n>]{{0,150}}@[^\n]{{0,100}}(?:{_WROTE}){_WORDS}[:\uff1a]"
    rf"|[^\n>]{{0,100}}(?:{_WROTE})[^\n]{{0,150}}@[^\n]{{0,100}}[:\uff1a]"
    rf"|(?:On|Am|Le|El|Il|Den)\b[^\n]{{0,150}}(?:{_WROTE}))[ \t]*$",
    re.IGNORECASE,
)
_DIVIDER = re.compile(
    r"^[ \t>]*(?:[-_*=]{2,}[ \t]*)(?:original (?:message|appointment)|original[- ]?nachricht|ursprüngliche nachricht|"
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
    r"^[ \t>]*\*?(?:from|von|van|de|da|från|fra|od|"
    r"lähettäjä|feladó|kimden|от|发件人|寄件者|差出人|보낸 사람|message du)\*?[ \t]?[:\uff1a]\*?[ \t]*\S",
    re.IGNORECASE,
)
_OTHER_HEADER = re.compile(
    r"^[ \t>]*\*?(?:sent|date|to|cc|subject|gesendet|datum|an|betreff|verzonden|aan|onderwerp|"
    r"envoyé(?: le)?|à|copie à|objet|sujet|enviado|"
    r"enviada|el|fecha|para|asunto|assunto|inviato|data|a|oggetto|skickat|till|ämne|sendt|til|emne|wysłano|do|temat|"
    r"gönderme|kime|konu|отправлено|дата|кому|тема|发送时间|日期|收件人|主题|送信日時|宛先|件名)\*?[ \t]?[:\uff1a]\*?",
    re.IGNORECASE,
)
_RULE = re.compile(r"^[ \t]*[_\-=]{5,}[ \t]*$")
# A `>` that belongs to an address which was wrapped (">:") is no quotation mark.
_QUOTED_LINE = re.compile(r"[ \t]*>(?![ \t]?[:\uff1a][ \t]*$)")
_MAX_LINE = 1000


def split_quoted_text(text: str) -> tuple[str, str]:
    """The visible part and the quoted rest of a plain text. Together, apart from blank lines, they are the text.

    The quoted part is empty when nothing is quoted, and when everything is (a bare forward shows itself).
    """
    lines = text.split("\n")
    cut = _cut_line(lines)
    while cut > 0 and (not lines[cut - 1].strip() or _RULE.match(lines[cut - 1][:_MAX_LINE])):
        cut -= 1
    visible = "\n".join(lines[:cut]).rstrip()
    if not visible.strip() or cut >= len(lines):
        return text, ""
    return visible, "\n".join(lines[cut:]).strip("\n")


def split_quoted_html(html: str) -> tuple[str, str]:
    """The visible and the quoted half of sanitised HTML; the second is empty when nothing is quoted."""
    return split_markup(html)


def _cut_line(lines: list[str]) -> int:
    """The number of the line at which the final quotation begins; the number of lines when there is none."""
    for index, line in enumerate(lines):
        if len(line) > _MAX_LINE or not line.strip():
            continue
        if _DIVIDER.match(line) or _is_header_block(lines, index):
            return index
        length = _attribution_length(lines, index)
        if length and _quoted_to_the_end(lines, index + length):
            return index
    return _trailing_quote(lines)


def _attribution_length(lines: list[str], index: int) -> int:
    """How many lines from here make an attribution: clients wrap it at will. 0 when it is none."""
    joined = ""
    for length in range(1, 5):
        if index + length > len(lines):
            break
        line = lines[index + length - 1]
        if len(line) > 300 or (length > 1 and (not line.strip() or _QUOTED_LINE.match(line))):
            break
        joined = f"{joined} {line.strip()}".strip()
        if _ATTRIBUTION.match(joined):
            return length
    return 0


def _quoted_to_the_end(lines: list[str], start: int) -> bool:
    """Whether what follows an attribution is a quotation and nothing new after it.

    A client that does not mark the quoted lines quotes to the end, too.
    """
    rest = [line for line in lines[start:] if line.strip()]
    if not rest or not rest[0].lstrip().startswith(">"):
        return not any(line.lstrip().startswith(">") for line in rest[:3])
    return _unquoted_tail(rest)


def _trailing_quote(lines: list[str]) -> int:
    cut = end = len(lines)
    while end > 0 and not lines[end - 1].strip():
        end -= 1
    start = end
    while start > 0 and (lines[start - 1].lstrip().startswith(">") or not lines[start - 1].strip()):
        start -= 1
    return start if start < end else cut


def _unquoted_tail(rest: list[str]) -> bool:
    """Whether all lines are quoted, but for lines that a client or a list has broken off or put below."""
    loose = 0
    for line in rest:
        if line.lstrip().startswith(">"):
            loose = 0
            continue
        loose += 1
        if (loose == 1 and line.strip() in ("--", "-- ")) or _RULE.match(line[:_MAX_LINE]):
            return True  # a signature or a list's footer below the quotation
        if loose > 1:
            return False
    return loose == 0


def _is_header_block(lines: list[str], index: int) -> bool:
    """The headers From, Sent, To, Subject as Outlook copies it above the quoted message."""
    if not _FROM_LINE.match(lines[index][:_MAX_LINE]):
        return False
    following = [line for line in lines[index + 1 : index + 8] if line.strip()][:5]
    return sum(1 for line in following if _OTHER_HEADER.match(line[:_MAX_LINE])) >= 2
