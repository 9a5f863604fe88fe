"""By which ways can this process send, given its settings?"""

from services.notifications.channel import Channel
from services.notifications.console import ConsoleChannel
from services.notifications.email import EmailChannel, SmtpServer
from services.notifications.interface import ChannelName
from services.notifications.sms import SmsChannel, SmsGateway
from services.settings import Settings

STATUS_CALLBACK = "/v1/inbound/sms-status"
"""Where the API takes delivery receipts."""


def channels(settings: Settings) -> dict[ChannelName, Channel]:
    """The configured channels; in development the console stands for the ones that are missing."""
    found: dict[ChannelName, Channel] = {}
    if settings.smtp_host is not None:
        found[ChannelName.EMAIL] = EmailChannel(_smtp_server(settings, settings.smtp_host))
    if settings.sms_url is not None:
        found[ChannelName.SMS] = SmsChannel(_gateway(settings, settings.sms_url))
    if settings.notification_console:
        for name in ChannelName:
            found.setdefault(name, ConsoleChannel(name))
    return found


def _smtp_server(settings: Settings, host: str) -> SmtpServer:
    return SmtpServer(
        host=host,
        port=settings.smtp_port,
        sender=settings.smtp_from,
        tls=settings.smtp_tls,
        username=settings.smtp_username,
        password=settings.smtp_password,
    )


def _gateway(settings: Settings, url: str) -> SmsGateway:
    if settings.sms_account is None or settings.sms_token is None or settings.sms_from is None:
        raise ValueError("sms_url needs sms_account, sms_token and sms_from")
    return SmsGateway(
        url=url,
        account=settings.sms_account,
        token=settings.sms_token,
        sender=settings.sms_from,
        status_callback=settings.public_url.rstrip("/") + STATUS_CALLBACK,
    )
