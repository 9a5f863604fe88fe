"""How does a workflow say no? One form of typed refusal, which the API turns into a problem."""

from collections.abc import Iterable
from typing import Any

from temporalio.exceptions import ApplicationError

from clinical.decision import Decision, Reason
from clinical.people import Actor, Role


def refusal(
    code: str, text: str, *, reasons: Iterable[Reason] = (), errors: Iterable[dict[str, str]] = ()
) -> ApplicationError:
    """A refusal with every reason and fault at once; callers branch on `code`, never on the text."""
    details: dict[str, Any] = {
        "reasons": [reason.model_dump(mode="json") for reason in reasons],
        "errors": list(errors),
    }
    return ApplicationError(text, details, type=code, non_retryable=True)


def require_role(actor: Actor, *roles: Role) -> None:
    """Refuse whoever does not act in one of these roles; the API has asked before, this asks again."""
    if actor.role not in roles:
        wanted = ", ".join(roles)
        raise refusal("wrong-role", f"this is for: {wanted}")


def require(decision: Decision, code: str, text: str) -> None:
    """Refuse unless the rule passes; every objection travels with the refusal."""
    if not decision.passes:
        raise refusal(code, text, reasons=decision.objections)
