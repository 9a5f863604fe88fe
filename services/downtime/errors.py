"""What can go wrong when a downtime sheet leaves for paper?"""


class SpoolUnavailable(Exception):
    """The folder of the printer cannot be written now. Carries no path and no content."""
