"""Reasons put together, and the worst of them."""

from clinical.decision import Decision, Reason, Verdict


def because(rule: str, verdict: Verdict, *, missing: bool = False) -> Reason:
    return Reason(rule=rule, verdict=verdict, text=rule, source="test", missing=missing)


PASSED, CAUTION = because("A", Verdict.PASS), because("B", Verdict.CAUTION)
REVIEW, REFUSED = because("C", Verdict.REVIEW), because("D", Verdict.REFUSE, missing=True)


def test_a_decision_is_as_severe_as_its_worst_reason() -> None:
    assert (Decision().verdict, Decision().passes) == (Verdict.PASS, True)
    assert Decision.of([CAUTION, PASSED]).verdict is Verdict.CAUTION
    assert Decision.of([CAUTION, PASSED]).passes
    assert not Decision.of([PASSED, REVIEW]).passes


def test_two_decisions_are_all_their_reasons_in_order() -> None:
    both = Decision.of([PASSED, REVIEW]) + Decision.of([REFUSED])
    assert both.reasons == (PASSED, REVIEW, REFUSED)
    assert both.objections == (REFUSED, REVIEW), "the worst first"
    assert both.missing == ("D",)
