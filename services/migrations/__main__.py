"""`python -m services.migrations`: bring the schema of the record up, once per release, before its processes start.

Exit status: 0 when it is the newest, 2 when the configuration is wrong. Several at once: one does it, all wait.
"""

import sys

from services.database import migrate
from services.logging import configure_logging
from services.process import end_process
from services.settings import Settings, SettingsInvalid


def main() -> int:
    try:
        settings = Settings.from_environment()
    except SettingsInvalid as invalid:
        sys.stderr.write(f"{invalid}\n")
        return 2
    configure_logging(build=settings.build, level=settings.log_level)
    migrate(settings.database_url)
    return 0


if __name__ == "__main__":
    end_process(main())
