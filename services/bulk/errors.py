"""What can bulk acts refuse? One tree of errors, each with a stable `code`.

BulkError
├── NotThere            the site has no such operation
├── SelectionChanged    what would be acted on is not what was looked at
└── SecondPersonNeeded  so many courses need another person who has looked at the same preview
"""


class BulkError(Exception):
    code = "bulk-error"


class NotThere(BulkError):
    code = "not-found"


class SelectionChanged(BulkError):
    code = "selection-changed"


class SecondPersonNeeded(BulkError):
    code = "second-person-required"
