"""What is wrong with a value that somebody entered?"""

from pydantic import BaseModel, ConfigDict


class Fault(BaseModel):
    """One field that cannot be right: which, why, and what would be possible."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str
    text: str
    limit: str
