"""How does a downtime sheet get to paper without anybody asking? The port that activities depend on."""

from typing import Protocol as Port

from clinical.downtime_sheet import DowntimeSheet


class DowntimeSpool(Port):
    """A folder that a printer or a computer on the ward takes sheets from."""

    async def put(self, name: str, sheet: DowntimeSheet) -> bool:
        """Write the sheet, whole or not at all; the same name again replaces it. False: there is no folder.

        `name` is opaque and made of letters, digits, dots, dashes and underscores. Raises SpoolUnavailable.
        """
        ...
