"""How does the glass break at the door? One way for every scope: the review is there before anything opens."""

from datetime import UTC, datetime

from api.auth import GLASS, Caller
from api.composition import Composition
from api.dependencies import Course
from api.problems import Problem
from api.schemas.access import GlassOut
from services.access.views import GlassScope, NewGlass
from services.identifiers import id_from


async def broken(
    here: Composition, course: Course, caller: Caller, scope: GlassScope, reason: str, key: str, trace_id: str
) -> GlassOut:
    """Raises wrong-role when this glass is not for the caller's role."""
    if caller.role not in GLASS[scope].roles:
        whom = ", ".join(sorted(GLASS[scope].roles))
        raise Problem("wrong-role", f"this glass is for: {whom}")
    journey = await course.view()
    opened = await here.access.glass.open(
        NewGlass(
            glass_id=id_from("glass", key),
            site=course.site,
            journey_id=course.id,
            patient_id=journey.patient_id,
            scope=scope,
            actor_id=caller.principal.id,
            actor_role=caller.role,
            reason=reason,
            trace_id=trace_id,
        )
    )
    await here.reviews.open(
        course.site, opened.glass_id, caller.role, datetime.now(UTC), due_at=opened.review_by
    )
    if scope is GlassScope.NOTES:  # they keep a log of their own, apart from the record
        await here.notes.break_glass(course.id, caller.actor, reason)
    return GlassOut(
        glass_id=opened.glass_id,
        scope=scope,
        until=opened.until,
        review_by=opened.review_by,
        opens=_opens(scope, course, journey.patient_id),
    )


def _opens(scope: GlassScope, course: Course, patient_id: str) -> str:
    match scope:
        case GlassScope.NOTES:
            return f"{course.href}/therapy-notes"
        case GlassScope.SAFETY_PLANS:
            return f"{course.href}/safety-plans"
        case GlassScope.IDENTITY:
            return f"/v1/patients/{patient_id}"
        case GlassScope.ENGINE:
            return "/decode"
