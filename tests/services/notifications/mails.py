"""Real mails, as mail servers hand them over: replies of several clients, answers of machines, reports of delivery."""

from __future__ import annotations

OURS = "<0f1e2d3c4b5a69788796a5b4c3d2e1f001234567@clinic.example.org>"
PATIENT = "quentin@example.org"


def a_mail(text: str, **headers: str) -> bytes:
    """A mail of the patient; `headers` by name with underscores, an empty one is left out."""
    head = {
        "Return-Path": f"<{PATIENT}>",
        "Received": "from mail.example.org by mx.clinic.example.org; Sat, 28 Nov 2026 09:12:44 -0500",
        "From": f"Quentin Zimmerfeld <{PATIENT}>",
        "To": "Visits <visits@clinic.example.org>",
        "Subject": "Re: Your visit",
        "Date": "Sat, 28 Nov 2026 09:12:40 -0500",
        "Message-ID": "<CAF1@mail.example.org>",
        "In-Reply-To": OURS,
        "References": OURS,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in head.items() if value]
    return ("\n".join(lines) + "\n\n" + text).replace("\n", "\r\n").encode()


ENGLISH = """YES

Best regards,
Quentin

On Fri, Nov 27, 2026 at 9:00 AM Visits <visits@clinic.example.org>
wrote:

> Hello Quentin,
> your visit is on Tuesday, December 1 at 9:00 AM EST.
> Are you thinking of hurting yourself? Call 988.
"""

SPANISH = """Sí

Un saludo
Quentin

El vie, 27 nov 2026 a las 9:00, Visits (<visits@clinic.example.org>) escribió:
> Hola Quentin:
"""

OUTLOOK = """Change, please

________________________________
From: Visits <visits@clinic.example.org>
Sent: Friday, November 27, 2026 9:00 AM
Subject: Your visit

Reply to this
"""

HTML = """<html><head><style>p { color: red }</style></head><body>
<div dir="ltr">I will be&nbsp;there<br></div><br>
<div class="gmail_quote"><div class="gmail_attr">On Friday Visits wrote:<br></div>
<blockquote>Your visit is on <b>Tuesday</b><img src="x"><br>no more</blockquote></div></body></html>
"""


def out_of_office(**headers: str) -> bytes:
    return a_mail("I am away until Monday. Yes.\n", **(headers or {"Auto_Submitted": "auto-replied"}))


def a_report(action: str = "failed", status: str = "5.1.1", about: str = OURS, whole: bool = False) -> bytes:
    """A report of delivery (RFC 3464), with the head of the message or all of it."""
    kind = "message/rfc822" if whole else "text/rfc822-headers"
    return f"""Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.example.org>
To: visits@clinic.example.org
Subject: Undelivered Mail Returned to Sender
Date: Sat, 28 Nov 2026 09:12:40 -0500
Message-ID: <20261128141240.1@mx.example.org>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain; charset=us-ascii

Your message could not be delivered: user unknown. No.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
Arrival-Date: Sat, 28 Nov 2026 09:12:40 -0500

Final-Recipient: rfc822; {PATIENT}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 user unknown

--B
Content-Type: {kind}

From: visits@clinic.example.org
To: {PATIENT}
Subject: Your visit
Message-ID: {about}

Hello

--B--
""".replace("\n", "\r\n").encode()
