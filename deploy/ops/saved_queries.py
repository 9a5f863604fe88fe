"""Which questions do operations ask of the engine, and how? The one list of saved queries.

The run book shows it (a test compares), `./dev ops find NAME` runs it, and the Web UI takes each one as it stands.
`{now}` is filled in with an instant, `{deployment}` and `{version}` with a deployment of workers and the version of
it that is current. A query finds running workflows only: whoever ended waits for nobody.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from workflows.names import DUE_AT, NEEDS_ATTENTION, STAGE, WAITS_FOR, WAITS_SINCE

RUNNING = 'ExecutionStatus = "Running"'


@dataclass(frozen=True)
class SavedQuery:
    name: str
    question: str
    query: str

    def filled(self, now: datetime, deployment: str, version: str, site: str | None = None) -> str:
        """As the engine takes it."""
        instant = f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        filled = self.query.format(now=instant, deployment=deployment, version=version)
        return filled if site is None else f'{filled} AND KapSite = "{site}"'


def _running(*conditions: str) -> str:
    return " AND ".join((*conditions, RUNNING))


SAVED = (
    SavedQuery("in-the-chair", "Who is in the chair now?", _running(f'{STAGE.name} = "in-the-chair"')),
    SavedQuery("arrived", "Who has come and has had no dose yet?", _running(f'{STAGE.name} = "checked-in"')),
    SavedQuery(
        "waiting",
        "What waits for a person, and since when?",
        _running(f"{WAITS_FOR.name} IS NOT NULL", f"{WAITS_SINCE.name} IS NOT NULL"),
    ),
    SavedQuery("late", "What is late?", _running(f'{DUE_AT.name} < "{{now}}"')),
    SavedQuery(
        "attention",
        "What has alarmed, or gone up the line because nobody acted?",
        _running(f"{NEEDS_ATTENTION.name} = true"),
    ),
    SavedQuery(
        "risk", "Which risk cases are open?", _running(f'{STAGE.name} IN ("risk-open", "risk-acknowledged")')
    ),
    SavedQuery(
        "drug-books",
        "Which differences in the drug books are open?",
        _running('WorkflowType = "DrugDiscrepancy"'),
    ),
    SavedQuery(
        "left-behind",
        "What did a release leave behind, on a version of the workers that is no longer current?",
        _running(
            'TemporalWorkerDeployment = "{deployment}"',
            'TemporalWorkerDeploymentVersion != "{version}"',
        ),
    ),
    SavedQuery(
        "unversioned",
        "What runs on workers without a version, from before there were any?",
        _running("TemporalWorkerDeployment IS NULL"),
    ),
    SavedQuery(
        "failing",
        "Which workflows cannot go on, because their code fails again and again?",
        _running("TemporalReportedProblems IS NOT NULL"),
    ),
)

BY_NAME = {one.name: one for one in SAVED}


def as_markdown() -> str:
    """The table of the run book."""
    rows = [f"| `{one.name}` | {one.question} | `{one.query}` |" for one in SAVED]
    return "\n".join(["| name | question | query |", "| --- | --- | --- |", *rows])
