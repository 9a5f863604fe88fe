"""Does the mail sink keep what it is given, and can it play an outage?"""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from pathlib import Path

import pytest

from deploy.smtp_sink import SmtpSink


def send(sink: SmtpSink, subject: str = "Your visit – tomorrow", body: str = "See you at 9:00.\n") -> None:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "clinic@example.org", "a@example.org", subject
    letter["Message-ID"] = "<key-1@example.org>"
    letter.set_content(body)
    with smtplib.SMTP(sink.host, sink.port) as connection:
        connection.send_message(letter)


def test_a_message_is_kept_in_memory_and_as_a_file(tmp_path: Path) -> None:
    sink = SmtpSink(folder=tmp_path)
    sink.start()
    send(sink)
    sink.stop()
    (message,) = sink.messages
    assert (message.sender, message.recipients) == ("clinic@example.org", ("a@example.org",))
    assert (message.subject, message.body) == ("Your visit – tomorrow", "See you at 9:00.\n")
    assert message.message_id == "<key-1@example.org>"
    assert [path.read_bytes() for path in tmp_path.glob("*.eml")] == [message.raw]


def test_a_new_sink_on_the_same_folder_overwrites_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        sink = SmtpSink(folder=tmp_path)
        sink.start()
        send(sink)
        sink.stop()
    assert len(list(tmp_path.glob("*.eml"))) == 2


def test_an_outage_keeps_the_port(smtp_sink: SmtpSink) -> None:
    port = smtp_sink.port
    smtp_sink.stop()
    with pytest.raises(ConnectionRefusedError):
        send(smtp_sink)
    smtp_sink.start()
    send(smtp_sink)
    assert (smtp_sink.port, len(smtp_sink.messages)) == (port, 1)


def test_a_busy_server_takes_nothing_until_it_is_told_to(smtp_sink: SmtpSink) -> None:
    smtp_sink.refuse_with()
    with pytest.raises(smtplib.SMTPDataError) as refused:
        send(smtp_sink)
    assert refused.value.smtp_code == 451
    assert smtp_sink.messages == []
    smtp_sink.refuse_with(None)
    send(smtp_sink)
    assert (len(smtp_sink.messages), smtp_sink.attempts) == (1, 2)
