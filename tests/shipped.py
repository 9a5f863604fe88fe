"""Which protocol does a test work with that needs just one? A shipped one, read once for all of them."""

from functools import cache

from clinical.protocol import Protocol
from services.protocols import load_protocol


@cache
def shipped_protocol(name: str = "iv-racemic") -> Protocol:
    """The shipped protocol of that name; models are frozen, so all tests may have the same."""
    return load_protocol(name)
