"""How are messages read where no mail leaves? Development only: settings refuse it in production.

Takes the place of a channel that is not configured, so that the rules (opt-out, quiet hours, fallback) stay
the same. Writes to a stream, never to the log: the log must hold no address and no text.
"""

import sys
from typing import TextIO

from services.notifications.channel import OutgoingMessage
from services.notifications.interface import ChannelName


class ConsoleChannel:
    def __init__(self, stands_for: ChannelName, stream: TextIO | None = None) -> None:
        self._stands_for = stands_for
        self._stream = stream

    @property
    def name(self) -> ChannelName:
        return self._stands_for

    async def deliver(self, message: OutgoingMessage) -> str:
        stream = self._stream or sys.stdout
        head = f"--- {self.name} to {message.address}: {message.subject}"
        print(f"{head}\n{message.body}---", file=stream, flush=True)
        return f"console:{message.reference}"
