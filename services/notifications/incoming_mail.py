"""What is this mail: a reply of a person, news of what became of ours, or something that nobody answers?

Reads RFC 5322 with the standard library and decides nothing about anybody. Automatic answers (RFC 3834) are told
apart, so that no machine is ever answered. Reports of delivery are RFC 3464; their codes are RFC 3463.
"""

import hashlib
import re
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage, Message
from email.utils import parseaddr

from services.notifications.interface import Receipt, ReceiptStatus
from services.notifications.mail_text import above_quote, text_of_html, to_the_point

MESSAGE_ID = re.compile(r"<[!-~]{3,190}>")
OURS = re.compile(r"<[0-9a-f]{40}@[!-;=?-~]{1,140}>")
"""The id of a mail of ours (`email.py`); about others nothing is asked or kept."""
STATUS = re.compile(r"([245])\.\d{1,3}\.\d{1,3}")
LONGEST_TEXT = 5000
MOST_IDS = 20
MACHINES = (
    "X-Autoreply",
    "X-Autorespond",
    "X-Autoresponse",
    "X-Autoresponder",
    "List-Id",
    "List-Unsubscribe",
)
BULK = frozenset({"bulk", "list", "junk", "auto_reply", "auto-reply"})


@dataclass(frozen=True)
class Written:
    """What a person wrote. `answers`: the ids of the messages it says it answers, the nearest first."""

    id: str
    sender: str = field(repr=False)
    answers: tuple[str, ...]
    text: str = field(repr=False)
    to_the_point: str = field(repr=False)


@dataclass(frozen=True)
class Reported:
    """What became of messages of ours."""

    receipts: tuple[Receipt, ...]


@dataclass(frozen=True)
class Unanswered:
    """Nothing for anybody: why, as a code."""

    why: str


def read_mail(raw: bytes) -> Written | Reported | Unanswered:
    mail = message_from_bytes(raw, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    try:
        return _read(mail)
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, IndexError):
        return Unanswered("unreadable")  # the parser gives up on some mails in ways of its own


def _read(mail: EmailMessage) -> Written | Reported | Unanswered:
    if mail.get_content_type() == "multipart/report":
        kind = str(mail.get_param("report-type", "")).lower()
        return Reported(_receipts(mail)) if kind == "delivery-status" else Unanswered("report")
    if _is_automatic(mail):
        return Unanswered("automatic")
    sender = parseaddr(str(mail.get("From", "")))[1].strip().casefold()
    if "@" not in sender:
        return Unanswered("no-sender")
    text = _text(mail)
    return Written(
        id=_id_of(mail, sender, text),
        sender=sender,
        answers=_ids(mail, "In-Reply-To", "References"),
        text=text,
        to_the_point=to_the_point(text),
    )


def _is_automatic(mail: EmailMessage) -> bool:
    submitted = str(mail.get("Auto-Submitted", "no")).partition(";")[0].strip().lower()
    precedence = str(mail.get("Precedence", "")).strip().lower()
    nobody = str(mail.get("Return-Path", "")).strip() == "<>"
    return submitted != "no" or precedence in BULK or nobody or any(name in mail for name in MACHINES)


def _text(mail: EmailMessage) -> str:
    """The part for people, as plain as it comes; control characters are no words."""
    part = mail.get_body(("plain", "html"))
    if part is None:
        return ""
    content = str(part.get_content())
    text = text_of_html(content) if part.get_content_type() == "text/html" else content
    own = above_quote(text)[:LONGEST_TEXT]
    return "".join(letter for letter in own if letter == "\n" or letter.isprintable())


def _ids(mail: Message, *headers: str) -> tuple[str, ...]:
    """The last of References is the message that is answered."""
    found = [one for name in headers for one in reversed(OURS.findall(str(mail.get(name, ""))))]
    return tuple(dict.fromkeys(found))[:MOST_IDS]


def _id_of(mail: EmailMessage, sender: str, text: str) -> str:
    """The same mail handed over again has the same id; nobody can take the id of another's mail."""
    named = MESSAGE_ID.findall(str(mail.get("Message-ID", "")))
    own = named[0] if named else f"{mail.get('Date', '')}\0{mail.get('Subject', '')}\0{text}"
    return "mail-" + hashlib.sha256(f"{sender}\0{own}".encode(errors="replace")).hexdigest()[:48]


def _receipts(mail: EmailMessage) -> tuple[Receipt, ...]:
    """One for the message that the report is about, by the worst that it says of any recipient."""
    ours = next((found for part in mail.walk() if (found := _original(part))), None)
    told = [one for part in mail.walk() if part.get_content_type() == "message/delivery-status"
            for one in _fields(part)]  # fmt: skip
    words = [word for one in told if (word := _word(one)) is not None]
    if ours is None or not words:
        return ()
    status, code = max(words, key=lambda word: _GRAVITY.index(word[0]))
    return (Receipt(provider_id=ours, status=status, error_code=code),)


def _original(part: Message) -> str | None:
    """The id of the message that came back, whole or its head only."""
    head: Message | None
    if part.get_content_type() == "text/rfc822-headers":
        content = part.get_payload(decode=True)
        head = message_from_bytes(content, policy=policy.default) if isinstance(content, bytes) else None
    elif part.get_content_type() == "message/rfc822":
        inside = part.get_payload()
        head = inside[0] if isinstance(inside, list) and isinstance(inside[0], Message) else None
    else:
        return None
    found = OURS.findall(str(head.get("Message-ID", ""))) if head is not None else []
    return found[0] if found else None


def _fields(part: Message) -> list[Message]:
    """The groups of a report: one about the message, then one for each recipient."""
    groups = part.get_payload()
    return [one for one in groups if isinstance(one, Message)] if isinstance(groups, list) else []


_GRAVITY = (ReceiptStatus.DELIVERED, ReceiptStatus.SENDING, ReceiptStatus.UNDELIVERED, ReceiptStatus.FAILED)


def _word(group: Message) -> tuple[ReceiptStatus, str | None] | None:
    """What it says of one recipient. Given up after a temporary fault is not delivered, but no bad address."""
    action = str(group.get("Action", "")).strip().lower()
    status = STATUS.match(str(group.get("Status", "")).strip())
    code = status[0] if status else None
    match action, status[1] if status else "":
        case "failed", "4":
            return ReceiptStatus.UNDELIVERED, code
        case "failed", _:
            return ReceiptStatus.FAILED, code
        case "delayed", _:
            return ReceiptStatus.SENDING, code
        case "delivered", _:
            return ReceiptStatus.DELIVERED, None
        case _:
            return None
