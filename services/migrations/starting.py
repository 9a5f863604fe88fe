"""What does the process of the migrations do? Everything is loaded by now (`services/migrations/__main__.py`)."""

from services.database import migrate
from services.settings import Settings
from services.starting import configured


def main() -> int:
    """Its exit status. Raises what the driver raises."""
    return configured(bring_up)


def bring_up(settings: Settings) -> int:
    migrate(settings.database_url)
    return 0
