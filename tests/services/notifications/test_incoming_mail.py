"""Is a mail read as what it is, whatever client or machine it comes from?"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from clinical.replies import Answer, Reply, understood
from services.notifications.answers import answer_text
from services.notifications.incoming_mail import Reported, Unanswered, Written, read_mail
from services.notifications.interface import Receipt, ReceiptStatus, TemplateName
from services.notifications.language import Language
from services.notifications.mail_text import above_quote
from services.notifications.wording import HelpLines
from tests.services.notifications import mails
from tests.services.notifications.mails import OURS, PATIENT, a_mail, a_report, out_of_office
from tests.services.notifications.test_wording import TO_PATIENTS, words


def written(raw: bytes) -> Written:
    mail = read_mail(raw)
    assert isinstance(mail, Written), mail
    return mail


@pytest.mark.parametrize(
    ("raw", "reply"),
    [
        (a_mail(mails.ENGLISH), Reply.YES),
        (a_mail(mails.SPANISH), Reply.YES),
        (a_mail(mails.OUTLOOK), Reply.CHANGE),
        (a_mail(mails.HTML, Content_Type="text/html; charset=utf-8"), Reply.YES),
        (a_mail("STOP\n-- \nQuentin\n"), Reply.STOP),
        (a_mail("Alto\n\nEnviado desde mi iPhone\n"), Reply.STOP),
        (a_mail("U8OtCg==\n", Content_Transfer_Encoding="base64"), Reply.YES),
        (a_mail("S=ED\n", Content_Type="text/plain; charset=iso-8859-1",
                Content_Transfer_Encoding="quoted-printable"), Reply.YES),
        (a_mail("Yes\nbut another time would be better\n"), Reply.UNCLEAR),
        (a_mail("Yes\nThanks,\nbut not before noon\n"), Reply.UNCLEAR),
        (a_mail("Yes\nThank you, if it can be at ten\n"), Reply.UNCLEAR),
        (a_mail("> YES\n"), Reply.UNCLEAR),
        (a_mail(""), Reply.UNCLEAR),
    ],
)  # fmt: skip
def test_the_words_above_the_quote_are_understood(raw: bytes, reply: Reply) -> None:
    mail = written(raw)
    assert (mail.sender, mail.answers) == (PATIENT, (OURS,))
    said = understood(mail.to_the_point)
    assert said.reply is reply
    assert not understood(mail.text).crisis


def test_words_of_crisis_are_found_below_a_signature_too() -> None:
    mail = written(a_mail("YES\n\nThanks\nQuentin\nI want to die\n\n> your visit\n"))
    assert understood(mail.text).crisis


@pytest.mark.parametrize("template", TO_PATIENTS)
@pytest.mark.parametrize("language", Language)
def test_our_own_words_quoted_without_a_mark_are_no_crisis(
    template: TemplateName, language: Language
) -> None:
    """A client that marks nothing as quoted must not page anybody with what we wrote ourselves."""
    body = words(template, language, full=True, detail=True).body
    assert understood(body).crisis
    assert not understood(above_quote(body)).crisis


@pytest.mark.parametrize("language", Language)
def test_nor_are_our_answers(language: Language) -> None:
    for answer in Answer:
        said = answer_text(answer, language, "UTC", datetime(2026, 3, 3, tzinfo=UTC), HelpLines())
        assert not understood(above_quote(said)).crisis


@pytest.mark.parametrize(
    "header",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; owner=x"},
        {"Precedence": "bulk"},
        {"X_Autoreply": "yes"},
        {"Return_Path": "<>"},
        {"List_Id": "<news.example.org>"},
        {"From": "nobody"},
    ],
)
def test_no_machine_is_heard(header: dict[str, str]) -> None:
    assert isinstance(read_mail(out_of_office(**header)), Unanswered)
    assert isinstance(read_mail(out_of_office(Auto_Submitted="no")), Written)


@pytest.mark.parametrize(
    ("action", "status", "word", "code"),
    [
        ("failed", "5.1.1", ReceiptStatus.FAILED, "5.1.1"),
        ("failed", "4.4.7", ReceiptStatus.UNDELIVERED, "4.4.7"),
        ("delayed", "4.2.2", ReceiptStatus.SENDING, "4.2.2"),
        ("Delivered", "2.0.0", ReceiptStatus.DELIVERED, None),
        ("failed", "what?", ReceiptStatus.FAILED, None),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_a_report_of_delivery_is_a_receipt(
    action: str, status: str, word: ReceiptStatus, code: str | None, whole: bool
) -> None:
    found = read_mail(a_report(action, status, whole=whole))
    assert found == Reported((Receipt(provider_id=OURS, status=word, error_code=code),))


def test_a_report_about_nothing_of_ours_or_of_another_kind_says_nothing() -> None:
    assert read_mail(a_report(about="")) == Reported(())
    assert read_mail(a_report("relayed", "2.0.0")) == Reported(())
    other = a_report().replace(b"report-type=delivery-status", b"report-type=disposition-notification")
    assert read_mail(other) == Unanswered("report")


def test_the_same_mail_has_the_same_id_and_nobody_takes_anothers() -> None:
    first = written(a_mail("YES"))
    assert written(a_mail("YES", Received="from somewhere else")).id == first.id
    assert written(a_mail("YES", From="eve@example.org")).id != first.id
    assert written(a_mail("YES", Message_ID="")).id == written(a_mail("YES", Message_ID="")).id
    assert written(a_mail("NO", Message_ID="")).id != written(a_mail("YES", Message_ID="")).id


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0\xff\r\n\r\n\xfe",
        b"Content-Type: multipart/mixed\r\n\r\nno boundary",
        b"From: a@b\r\nContent-Type: text/plain; charset=no-such\r\n\r\nYES",
        b"From: a@b\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n",
        b"From: a@b\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!",
    ],
)
def test_what_cannot_be_read_breaks_nothing(raw: bytes) -> None:
    assert isinstance(read_mail(raw), (Written, Reported, Unanswered))
