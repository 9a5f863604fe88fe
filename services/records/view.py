"""What do all answers of the record have in common? They are frozen, and say nothing that nobody asked."""

from pydantic import BaseModel, ConfigDict


class View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
