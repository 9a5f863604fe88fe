"""How far has this patient recovered? Aldrete and PADSS, item by item.

Items score 0-2, totals 0-10. Several tables on the web print the Aldrete items reversed or off by a row (trap
T5); these follow the checked tables. CADSS-6 is an instrument: `clinical/instruments/cadss6.py`.
Source: clinical-facts §3.5. Wording of the items is our own.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from clinical.vitals import Reading

Item = Annotated[int, Field(ge=0, le=2)]


class _Items(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AldreteItems(_Items):
    """Modified Aldrete (1995). 2 is best.

    activity: moves four limbs / two / none · respiration: deep and coughs / shallow or limited / apnoeic ·
    circulation: pressure within 20 % of before / 20-49 % / 50 % or more · consciousness: awake / rousable /
    not responding · oxygen: above 92 % on air / needs oxygen to stay above 90 % / below 90 % with oxygen.
    """

    activity: Item
    respiration: Item
    circulation: Item
    consciousness: Item
    oxygen: Item

    @property
    def total(self) -> int:
        return self.activity + self.respiration + self.circulation + self.consciousness + self.oxygen


class PadssItems(_Items):
    """Modified PADSS. 2 is best.

    vital_signs: within 20 % of baseline / 20-40 % / more · ambulation: steady / needs assistance / cannot
    walk or dizzy · nausea_vomiting: minimal / moderate / severe · pain: 0-3 / 4-6 / 7-10 on the numeric
    scale · bleeding: there is no surgery here, so it stays 2 (design default).
    """

    vital_signs: Item
    ambulation: Item
    nausea_vomiting: Item
    pain: Item
    bleeding: Item = 2

    @property
    def total(self) -> int:
        return self.vital_signs + self.ambulation + self.nausea_vomiting + self.pain + self.bleeding


def aldrete_circulation(reading: Reading, baseline: Reading) -> int:
    """Which circulation item do these pressures give? The worse of both pressures. Source: facts §3.5."""
    return _banded(_pressures(reading, baseline), two_up_to=20, one_below=50)


def padss_vital_signs(reading: Reading, baseline: Reading) -> int:
    """Which vital-signs item do these values give? The worst of both pressures and the pulse. Facts §3.5."""
    pairs = [*_pressures(reading, baseline), (reading.heart_rate_per_min, baseline.heart_rate_per_min)]
    return _banded(pairs, two_up_to=20, one_below=None)


def _pressures(reading: Reading, baseline: Reading) -> list[tuple[int, int]]:
    return [
        (reading.systolic_mmhg, baseline.systolic_mmhg),
        (reading.diastolic_mmhg, baseline.diastolic_mmhg),
    ]


def _banded(pairs: list[tuple[int, int]], *, two_up_to: int, one_below: int | None) -> int:
    """2 up to the first percentage; 1 below the second, or up to 40 % where the scale includes that bound."""
    if all(_differs_percent(*pair) <= two_up_to for pair in pairs):
        return 2
    if one_below is None:
        return int(all(_differs_percent(*pair) <= 40 for pair in pairs))
    return int(all(_differs_percent(*pair) < one_below for pair in pairs))


def _differs_percent(value: int, baseline: int) -> float:
    """Change in % of the baseline; a baseline that cannot be is infinitely far from anything."""
    return abs(value - baseline) * 100 / baseline if baseline > 0 else float("inf")
