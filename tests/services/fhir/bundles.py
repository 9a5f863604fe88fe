"""Small FHIR R4 bundles, one thing changed at a time."""

from typing import Any

Resource = dict[str, Any]

PATIENT_ID = "8adf7251-257f-4b45-8ef5-0a6b3b9fe0ef"
SUBJECT = {"reference": f"urn:uuid:{PATIENT_ID}"}
SNOMED, RXNORM, LOINC = (
    "http://snomed.info/sct",
    "http://www.nlm.nih.gov/research/umls/rxnorm",
    "http://loinc.org",
)


def a_patient(**changed: Any) -> Resource:
    patient: Resource = {
        "resourceType": "Patient",
        "id": PATIENT_ID,
        "birthDate": "1984-05-01",
        "gender": "male",
    }
    return {key: value for key, value in (patient | changed).items() if value is not None}


def a_bundle(*resources: Any, patient: Resource | None = None) -> Resource:
    first = patient or a_patient()
    entries = [{"fullUrl": f"urn:uuid:{PATIENT_ID}", "resource": first}]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [*entries, *({"resource": resource} for resource in resources)],
    }


def concept(
    code: str | None, display: str | None = None, system: str = SNOMED, text: str | None = None
) -> Resource:
    coding = {"system": system, "code": code, "display": display}
    coded: Resource = {"coding": [{key: value for key, value in coding.items() if value is not None}]}
    return coded if text is None else coded | {"text": text}


def _status(code: str) -> Resource:
    return {"coding": [{"code": code}]}


def a_condition(
    code: Resource, *, clinical: str | None = "active", verified: str = "confirmed", **more: Any
) -> Resource:
    condition: Resource = {
        "resourceType": "Condition",
        "code": code,
        "subject": SUBJECT,
        "verificationStatus": _status(verified),
    }
    return condition | ({} if clinical is None else {"clinicalStatus": _status(clinical)}) | more


def a_prescription(code: Resource | None = None, *, status: str = "active", **more: Any) -> Resource:
    named = {} if code is None else {"medicationCodeableConcept": code}
    request = {"resourceType": "MedicationRequest", "status": status, "intent": "order", "subject": SUBJECT}
    return request | named | more


def an_observation(loinc: str, value: Any = None, unit: str | None = None, **more: Any) -> Resource:
    observation: Resource = {
        "resourceType": "Observation",
        "status": "final",
        "code": concept(loinc, system=LOINC),
        "subject": SUBJECT,
        "effectiveDateTime": "2026-11-20T10:00:00+00:00",
    }
    if value is not None:
        observation["valueQuantity"] = {"value": value, "unit": unit, "code": unit}
    return observation | more


def a_pressure(systolic: Any, diastolic: Any, panel: str = "85354-9", unit: str = "mm[Hg]") -> Resource:
    components = [
        {"code": concept(loinc, system=LOINC), "valueQuantity": {"value": value, "code": unit}}
        for loinc, value in (("8480-6", systolic), ("8462-4", diastolic))
        if value is not None
    ]
    return an_observation(panel, component=components)
