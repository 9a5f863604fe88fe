"""What lies exactly on a limit of the discharge? The limit itself is met, a step beyond it is not."""

from datetime import timedelta
from typing import Any

import pytest

from clinical.discharge import Criterion, ready_for_discharge
from clinical.protocol import Protocol
from tests.clinical.dosing_day.builders import NOW, a_reading, ago, recovered, refusals

ENDED = recovered().ended_at
assert ENDED is not None


@pytest.mark.parametrize(
    ("criterion", "changes"),
    [
        (Criterion.DOSE_ENDED, {"started_at": ENDED}),
        (Criterion.DOSE_ENDED, {"ended_at": NOW}),
        (Criterion.OXYGEN, {"spo2_on_room_air": 94}),
        (Criterion.OXYGEN, {"spo2_on_room_air": 100}),
        (Criterion.VITALS, {"ended_at": ago(minutes=5)}),
        (Criterion.VITALS, {"last_reading": a_reading(taken_at=NOW)}),
        (Criterion.VITALS, {"last_reading": a_reading(taken_at=NOW + timedelta(minutes=2))}),
        (Criterion.VITALS, {"last_reading": a_reading(taken_at=ago(minutes=25))}),
    ],
)
def test_the_limit_itself_is_met(criterion: Criterion, changes: dict[str, Any], protocol: Protocol) -> None:
    assert criterion not in refusals(ready_for_discharge(recovered(**changes), protocol, NOW))


@pytest.mark.parametrize(
    ("criterion", "changes"),
    [
        (Criterion.DOSE_ENDED, {"started_at": ENDED + timedelta(seconds=1)}),
        (Criterion.DOSE_ENDED, {"ended_at": NOW + timedelta(seconds=1)}),
        (Criterion.OXYGEN, {"spo2_on_room_air": 93.9}),
        (Criterion.OXYGEN, {"spo2_on_room_air": 100.5}),
        (Criterion.VITALS, {"ended_at": ago(minutes=4, seconds=59)}),
        (Criterion.VITALS, {"last_reading": a_reading(taken_at=NOW + timedelta(minutes=2, seconds=1))}),
        (Criterion.VITALS, {"last_reading": a_reading(taken_at=ago(minutes=25, seconds=1))}),
    ],
)
def test_a_step_beyond_the_limit_is_not(
    criterion: Criterion, changes: dict[str, Any], protocol: Protocol
) -> None:
    assert criterion in refusals(ready_for_discharge(recovered(**changes), protocol, NOW))
