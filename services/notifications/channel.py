"""What must a way out (e-mail, SMS) be able to do?"""

from dataclasses import dataclass, field
from typing import Protocol

from services.notifications.interface import ChannelName


@dataclass(frozen=True)
class OutgoingMessage:
    """`reference` is the same for every try of one message, so that a receiver can drop a repetition."""

    reference: str
    address: str = field(repr=False)
    subject: str = field(repr=False)
    body: str = field(repr=False)
    language: str


class AddressRefused(Exception):
    """This address will never work: malformed, unknown, or refused for good. `code` is the channel's own."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the address was refused: {code}")
        self.code = code


class Channel(Protocol):
    @property
    def name(self) -> ChannelName:
        """The kind of address it takes."""
        ...

    async def deliver(self, message: OutgoingMessage) -> str:
        """Hand over once; answers the provider's id. Raises AddressRefused or ChannelUnavailable."""
        ...
