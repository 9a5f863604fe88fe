"""What can the services around access refuse? One tree of errors, each with a stable `code`.

AccessError
├── NotThere         there is no such site, key or review, or it lies at another site
├── IssuedAlready    the key was issued by this very request; its secret was shown then
├── SiteMoved        somebody changed the site since the caller looked
├── OwnGlass         who broke the glass cannot be the one who reviews it
└── ReviewedAlready  the review is closed with another verdict
"""


class AccessError(Exception):
    """Base of all; `code` is what other layers branch on, never the text."""

    code = "access-error"


class NotThere(AccessError):
    code = "not-found"


class IssuedAlready(AccessError):
    code = "api-key-issued"


class SiteMoved(AccessError):
    """`version` is the present one; None when the site is not registered yet."""

    code = "site-changed"

    def __init__(self, version: int | None) -> None:
        super().__init__("the site is another one now")
        self.version = version


class OwnGlass(AccessError):
    code = "separation-of-duties"


class ReviewedAlready(AccessError):
    code = "review-closed"
