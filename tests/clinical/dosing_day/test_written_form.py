"""What the rules are given and what they answer travels as JSON and comes back the same."""

import json
from decimal import Decimal

import pytest
from pydantic import BaseModel

from clinical.adverse_events import AdverseEvent, Grade, Seriousness, Term
from clinical.dosing import compute_dose
from clinical.pre_dose_gate import evaluate
from clinical.protocol import Drug, Protocol
from clinical.therapy import integration_state
from clinical.vitals import Reading, Symptom
from tests.clinical.dosing_day.builders import (
    NEW_YORK,
    NOW,
    a_plan_dose,
    a_reading,
    a_weight,
    open_gate,
    recovered,
)


def everything(protocol: Protocol) -> list[BaseModel]:
    return [
        a_reading(symptoms=frozenset(Symptom)),
        compute_dose(Decimal("0.5"), a_weight("70.3"), 171.5, protocol, NOW),
        a_plan_dose(),
        open_gate(),
        evaluate(open_gate(food_at=NOW), protocol, NOW),
        recovered(),
        integration_state(NOW, None, None, NOW, protocol),
        AdverseEvent(
            term=Term.OTHER,
            grade=Grade.SEVERE,
            seriousness=frozenset(Seriousness),
            onset_at=NOW,
            known_at=NOW,
            dose_at=None,
            drug=Drug.KETAMINE,
            time_zone=NEW_YORK,
        ),
    ]


def test_written_and_read_again_it_is_the_same(protocol: Protocol) -> None:
    for value in everything(protocol):
        assert type(value).model_validate_json(value.model_dump_json()) == value


@pytest.mark.parametrize("field", ["symptoms", "seriousness"])
def test_sets_are_written_in_one_order(field: str, protocol: Protocol) -> None:
    (written,) = (json.loads(v.model_dump_json())[field] for v in everything(protocol) if hasattr(v, field))
    assert written == sorted(written)
    assert len(written) > 5


def test_unknown_fields_are_refused(protocol: Protocol) -> None:
    for value in everything(protocol):
        with pytest.raises(ValueError, match="Extra inputs are not permitted"):
            type(value).model_validate({**value.model_dump(), "unheard_of": 1})


def test_instants_are_kept_in_utc() -> None:
    reading = Reading.model_validate({**a_reading().model_dump(), "taken_at": "2026-11-01T01:30:00-04:00"})
    assert reading.model_dump(mode="json")["taken_at"] == "2026-11-01T05:30:00Z"
