"""What can go wrong when a message is to be sent?

    NotificationError
    ├── KeyReused              the key already stands for another message          never retry
    ├── MessageInvalid         the template's parameters are missing or malformed  never retry
    ├── SendInProgress         another sender holds the message right now          retry
    └── ChannelUnavailable     the mail or SMS service did not take it now         retry

Texts hold names and codes only, never an address or a parameter's value.
"""

from typing import ClassVar


class NotificationError(Exception):
    """`retriable` says whether the same call can succeed later."""

    retriable: ClassVar[bool] = False


class KeyReused(NotificationError):
    """A second message came under a key that stands for another one. Nothing was sent."""


class MessageInvalid(NotificationError):
    """The message cannot be worded: `faults` names the parameters. Nothing was recorded or sent."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("the message cannot be worded: " + "; ".join(faults))
        self.faults = faults


class SendInProgress(NotificationError):
    """Another sender claimed the message a moment ago and has not finished."""

    retriable = True


class ChannelUnavailable(NotificationError):
    """The channel did not take the message for now; the attempt is recorded. `code` is the channel's own."""

    retriable = True

    def __init__(self, channel: str, code: str) -> None:
        super().__init__(f"{channel} did not take the message: {code}")
        self.channel = channel
        self.code = code
