"""What is each workflow called? The only place that builds ids and search attribute keys.

Ids are opaque: a site and a random identifier, never anything about a person.
"""

from datetime import datetime

from temporalio.common import SearchAttributeKey


def journey_id(site: str, ulid: str) -> str:
    """The id of one course of treatment, and of its workflow."""
    return f"journey/{site}/{ulid}"


def site_of(journey: str) -> str:
    """The site that a journey id belongs to; raises ValueError for anything else."""
    parts = journey.split("/")
    if len(parts) != 3 or parts[0] != "journey" or not all(parts):
        raise ValueError("not a journey id")
    return parts[1]


def screening_id(journey: str, round_: int) -> str:
    return f"{journey}/screening/{round_}"


def plan_id(journey: str, version: int) -> str:
    return f"{journey}/plan/{version}"


def session_id(journey: str, session: int) -> str:
    return f"{journey}/session/{session}"


def follow_up_id(journey: str, round_: int) -> str:
    return f"{journey}/follow-up/{round_}"


def risk_id(journey: str, case: str) -> str:
    return f"{journey}/risk/{case}"


def drug_case_id(site: str, container: str, number: int) -> str:
    """The case of one discrepancy in the drug books of a site; it belongs to no journey."""
    return f"drug/{site}/{container}/{number}"


STAGE = SearchAttributeKey.for_keyword("KapStage")
"""Coded: the stage of a journey, or the phase of one of its parts."""

SITE = SearchAttributeKey.for_keyword("KapSite")
WAITS_FOR = SearchAttributeKey.for_keyword("KapWaitsFor")
"""The role that has to act next."""

WAITS_SINCE: SearchAttributeKey[datetime] = SearchAttributeKey.for_datetime("KapWaitsSince")
DUE_AT: SearchAttributeKey[datetime] = SearchAttributeKey.for_datetime("KapDueAt")
NEEDS_ATTENTION = SearchAttributeKey.for_bool("KapNeedsAttention")
PROTOCOL = SearchAttributeKey.for_keyword("KapProtocol")
"""The first twelve characters of the protocol's content hash."""
