"""What does the door need to know about access? The four services of this package, made together."""

from dataclasses import dataclass
from datetime import timedelta

from services.access.api_keys import ApiKeys
from services.access.audit import AuditTrail
from services.access.break_glass import OPEN_FOR, REVIEW_WITHIN, BreakGlass
from services.access.sites import SiteRegister
from services.database import Database
from services.encryption import FieldCipher


@dataclass(frozen=True)
class Access:
    sites: SiteRegister
    api_keys: ApiKeys
    audit: AuditTrail
    glass: BreakGlass


def access_on(
    database: Database,
    cipher: FieldCipher,
    *,
    open_for: timedelta = OPEN_FOR,
    review_within: timedelta = REVIEW_WITHIN,
) -> Access:
    return Access(
        sites=SiteRegister(database),
        api_keys=ApiKeys(database),
        audit=AuditTrail(database),
        glass=BreakGlass(database, cipher, open_for, review_within),
    )
