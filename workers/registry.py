"""Which process runs what? Queue → workflows and activities, and the one place that composes the services."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker, WorkerDeploymentConfig

from activities.downtime import DowntimeActivities
from activities.notifications import NotificationActivities
from activities.queues import TaskQueue
from activities.records import RecordActivities
from clinical.people import Role
from services.database import Database
from services.downtime.folder import DowntimeFolder
from services.downtime.interface import DowntimeSpool
from services.downtime.page import HelpNumbers
from services.encryption import FieldCipher
from services.events.endpoints import WEBHOOKS
from services.events.feed import EventFeed
from services.events.queue import DeliveryQueue
from services.events.sender import WebhookSender
from services.events.targets import TargetGuard
from services.links.store import PatientLinks
from services.notifications.channels import channels
from services.notifications.interface import ChannelName, Contact, Notifications
from services.notifications.quiet_hours import QuietHours
from services.notifications.service import NotificationService
from services.notifications.wording import HelpLines
from services.records.custody_interface import CustodyBooks
from services.records.idempotency import IdempotencyKeys
from services.records.interface import Records
from services.records.late_messages import LateMessages
from services.records.sql import SqlRecords
from services.settings import Settings
from services.telemetry.history import HistoryMeter
from workers.dated_ahead import NothingAhead
from workers.message_links import MessageLinks
from workers.sandbox import runner
from workers.webhooks import WebhookPost
from workflows.drug_discrepancy import DrugDiscrepancy
from workflows.follow_up import FollowUp
from workflows.patient_journey import PatientJourney
from workflows.plan_approval import PlanApproval
from workflows.risk_escalation import RiskEscalation
from workflows.screening import Screening
from workflows.treatment_session import TreatmentSession

WORKFLOWS: tuple[type, ...] = (
    PatientJourney,
    Screening,
    PlanApproval,
    TreatmentSession,
    FollowUp,
    RiskEscalation,
    DrugDiscrepancy,
)


@dataclass(frozen=True)
class Activities:
    """The families of activities, with whatever services stand behind them."""

    records: RecordActivities
    notifications: NotificationActivities
    downtime: DowntimeActivities

    @classmethod
    def over(
        cls,
        records: Records,
        notifications: Notifications,
        staff: Mapping[Role, Contact],
        spool: DowntimeSpool | None = None,
    ) -> "Activities":
        return cls(
            records=RecordActivities(records),
            notifications=NotificationActivities(notifications, records, staff),
            downtime=DowntimeActivities(spool or DowntimeFolder(None, HelpNumbers())),
        )

    def of(self, queue: TaskQueue) -> Sequence[Callable[..., Any]]:
        """What does this queue run? The journey queue has the short writes as local activities."""
        records: list[Callable[..., Any]] = [
            self.records.record_facts,
            self.records.record_custody,
            self.records.read_dosing_facts,
            self.records.read_referral,
        ]
        beside: list[Callable[..., Any]] = [
            self.notifications.send_message,
            self.notifications.page_staff,
            self.notifications.stop_messages,
            self.downtime.print_downtime_sheet,
        ]
        match queue:
            case TaskQueue.JOURNEY:
                return [*records, *beside]
            case TaskQueue.CLINICAL_IO:
                return records
            case TaskQueue.NOTIFY:
                return beside


def staff_contacts(settings: Settings) -> dict[Role, Contact]:
    """Where is each role paged? One address a role; the coordinators' serves where none is set."""
    return {
        role: Contact(name=role, email=address, time_zone="UTC", preferred_channel=ChannelName.EMAIL)
        for role, address in settings.staff_pages.items()
    }


def drug_books(settings: Settings, database: Database) -> CustodyBooks:
    """The books that the cases of discrepancies are opened from."""
    return SqlRecords(database, FieldCipher.from_settings(settings))


def late_messages(settings: Settings, database: Database) -> LateMessages:
    """What patients wrote and nobody has answered in time."""
    return LateMessages(database, FieldCipher.from_settings(settings))


def answers(settings: Settings, database: Database) -> IdempotencyKeys:
    """The answers that the API keeps for requests that come again."""
    return IdempotencyKeys(database, FieldCipher.from_settings(settings))


def webhook_post(settings: Settings, database: Database) -> WebhookPost:
    """What webhooks leave by."""
    return WebhookPost(
        feed=EventFeed(database),
        queue=DeliveryQueue(database, FieldCipher.from_settings(settings).for_purpose(WEBHOOKS)),
        sender=WebhookSender(TargetGuard(loopback_http=settings.webhook_loopback)),
        keep=timedelta(days=settings.event_retention_days),
    )


def compose(settings: Settings, database: Database) -> Activities:
    """The real services behind the activities."""
    cipher = FieldCipher.from_settings(settings)
    notifications = NotificationService(
        database,
        cipher,
        channels(settings),
        quiet=QuietHours(settings.quiet_from, settings.quiet_until),
        help_lines=HelpLines(settings.crisis_line, settings.emergency_number, settings.text_line),
        links=MessageLinks(PatientLinks(database, cipher), settings.public_url),
    )
    spool = DowntimeFolder(
        settings.downtime_dir, HelpNumbers(settings.emergency_number, settings.crisis_line)
    )
    return Activities.over(SqlRecords(database, cipher), notifications, staff_contacts(settings), spool)


def workers_for(
    client: Client,
    activities: Activities,
    queues: Sequence[TaskQueue],
    deployment: WorkerDeploymentConfig | None = None,
) -> list[Worker]:
    """One worker a queue, all of one version. Only the journey queue runs workflows."""
    return [
        Worker(
            client,
            task_queue=queue,
            workflows=WORKFLOWS if queue is TaskQueue.JOURNEY else (),
            activities=activities.of(queue),
            workflow_runner=runner(),
            # Without a name the SDK makes one of the code of every module there is: a third of a worker's start.
            build_id=None if deployment else "unversioned",
            deployment_config=deployment,
            interceptors=[HistoryMeter(), NothingAhead()],
        )
        for queue in queues
    ]
