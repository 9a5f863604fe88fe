"""Is every interacting medicine recognised, and only while it is taken?"""

import pytest

from clinical.decision import Verdict
from clinical.medications import interactions, reconciliation
from clinical.patient_record import Coding, Interview, Medication
from clinical.protocol import Protocol, Route
from tests.clinical.screening.complete_facts import AN_HOUR_AGO, NOW, days_ago

REFUSE, REVIEW, CAUTION = Verdict.REFUSE, Verdict.REVIEW, Verdict.CAUTION


def found(
    protocol: Protocol, *medications: Medication, reported: tuple[str, ...] = ()
) -> set[tuple[str, Verdict]]:
    return {(r.rule, r.verdict) for r in interactions(medications, reported, protocol, NOW)}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Diazepam [Valium]", {("MED-BENZODIAZEPINE", REVIEW)}),
        ("Clonazepam [Klonopin]", {("MED-BENZODIAZEPINE", REVIEW)}),
        ("Acetaminophen 325 MG / HYDROcodone Bitartrate 7.5 MG", {("MED-DEPRESSANT", REVIEW)}),
        ("methadone 10 MG", {("MED-DEPRESSANT", REVIEW), ("MED-OPIOID-SYSTEM", CAUTION)}),
        ("pregabalin 100 MG Oral Capsule", {("MED-SEDATING", CAUTION)}),
        ("Lamictal", {("MED-LAMOTRIGINE", REVIEW)}),
        ("tranylcypromine", {("MED-MAOI", CAUTION)}),
        ("Methylphenidate 20 MG", {("MED-STIMULANT", CAUTION)}),
        ("Verapamil Hydrochloride 40 MG", {("MED-CYP-INHIBITOR", CAUTION)}),
        ("Clopidogrel 75 MG Oral Tablet", {("MED-CYP-INHIBITOR", CAUTION)}),
        ("Carbamazepine[Tegretol]", {("MED-CYP-INDUCER", CAUTION)}),
        ("St. John's wort", {("MED-CYP-INDUCER", CAUTION)}),
        ("theophylline 300 MG", {("MED-THEOPHYLLINE", REFUSE)}),
        ("pseudoephedrine", {("MED-SYMPATHOMIMETIC", CAUTION)}),
        ("Clozapine", {("MED-ANTIPSYCHOTIC", CAUTION)}),
        ("naltrexone 50 MG", {("MED-OPIOID-SYSTEM", CAUTION)}),
        ("24 HR Donepezil / Memantine hydrochloride 28 MG", {("MED-NMDA", REVIEW)}),
        ("Spravato", {("MED-KETAMINE", REVIEW)}),
        ("Levothyroxine Sodium 0.075 MG", {("MED-THYROID", CAUTION)}),
        ("Fluoxetine 25MG", set()),
        ("Lithium carbonate", set()),
        ("Amlodipine 5 MG Oral Tablet", set()),
        ("Simvastatin 20 MG Oral Tablet", set()),
    ],
)
def test_each_class_by_name(protocol: Protocol, name: str, expected: set[tuple[str, Verdict]]) -> None:
    assert found(protocol, Medication(text=name)) == expected
    assert found(protocol, reported=(name,)) == expected


def test_by_code_when_nothing_is_named(protocol: Protocol) -> None:
    coded = Medication(codings=(Coding(system="rxnorm", code="563026"),))
    assert found(protocol, coded) == {("MED-BENZODIAZEPINE", REVIEW)}
    other = Medication(codings=(Coding(system="http://example.org", code="563026"),))
    assert found(protocol, other) == set()


def test_only_what_is_taken_counts(protocol: Protocol) -> None:
    valium = Medication(text="Valium")
    assert found(protocol, valium.model_copy(update={"current": False})) == set()
    assert found(protocol, valium.model_copy(update={"until": days_ago(1)})) == set()
    assert found(protocol, valium.model_copy(update={"until": days_ago(-1)})) != set()


def test_an_inhibitor_needs_a_decision_when_ketamine_is_swallowed(protocol: Protocol) -> None:
    sublingual = protocol.model_copy(update={"route": Route.SL})
    assert found(sublingual, Medication(text="Verapamil")) == {("MED-CYP-INHIBITOR", REVIEW)}


def test_a_nasal_spray_matters_for_the_nasal_route_only(protocol: Protocol) -> None:
    spray = Medication(text="Fluticasone 0.05 MG/ACTUAT Nasal Spray")
    assert found(protocol, spray) == set()
    nasal = protocol.model_copy(update={"route": Route.NASAL})
    assert found(nasal, spray) == {("MED-NASAL", CAUTION)}


def test_the_reason_shows_what_and_since_when(protocol: Protocol) -> None:
    (reason,) = interactions((Medication(text="Valium", since=days_ago(1)),), (), protocol, NOW)
    assert (reason.value, reason.age_hours) == ("Valium", 24)


def test_both_lists_are_reconciled_within_a_day(protocol: Protocol) -> None:
    good = Interview(medications_reconciled_at=AN_HOUR_AGO, allergies_reconciled_at=AN_HOUR_AGO)
    assert reconciliation(good, protocol, NOW) == ()
    old = good.model_copy(update={"medications_reconciled_at": days_ago(1.1)})
    assert [r.rule for r in reconciliation(old, protocol, NOW)] == ["NEED-MEDICATION-RECONCILIATION"]
    assert [r.missing for r in reconciliation(Interview(), protocol, NOW)] == [True, True]
