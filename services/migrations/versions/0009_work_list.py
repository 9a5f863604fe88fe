"""Where is the work list kept? Tasks get an id of their own, a priority and a holder; sites have closed days.

Tasks without a course (differences in the drug books) stand in the same list from now on. What is open in the
books gets its task here. The history of who held a task is written once: triggers refuse any change.
"""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
STAT = ("take-reading", "acknowledge-risk")
ASAP = (
    "give-dose", "check-in", "complete-draft", "resolve-risk", "patient-not-reached",
    "contact-not-reached", "review-concerns", "print-downtime-sheet",
)  # fmt: skip
URGENT = (
    "next-day-contact", "caring-contact", "notify-prescriber", "submit-rems-form",
    "review-safety-check", "readiness", "late-integration", "review-safety-plan",
)  # fmt: skip
PRIORITIES = ("stat", "asap", "urgent", "routine")

INDEXES = (
    ("ix_task_site_status_rank_due_at_id", ["site", "status", "rank", "due_at", "id"], None),
    ("ix_task_site_status_owner_rank_due_at_id", ["site", "status", "owner", "rank", "due_at", "id"], None),
    ("ix_task_open_escalated", ["site", "escalated_to", "rank", "due_at", "id"], "status = 'requested'"),
    ("ix_task_open_code", ["site", "code", "rank", "due_at", "id"], "status = 'requested'"),
    ("ix_task_open_holder", ["site", "holder", "rank", "due_at", "id"], "status = 'requested'"),
)

HERE = "checked_in_at IS NOT NULL AND discharged_at IS NULL AND closed_at IS NULL"
OF_LISTS = (
    ("ix_journey_site_stage_status", "journey", ["site", "stage", "status"], None),
    ("ix_drug_container_site_closed_at", "drug_container", ["site", "closed_at"], None),
    (
        "ix_drug_discrepancy_site_opened",
        "drug_discrepancy",
        ["site", "opened_at", "container_id", "number"],
        None,
    ),
    (
        "ix_drug_discrepancy_site_status_opened",
        "drug_discrepancy",
        ["site", "status", "opened_at", "container_id", "number"],
        None,
    ),
    ("ix_journey_site_stage_started_at_id", "journey", ["site", "stage", "started_at", "id"], None),
    ("ix_journey_site_status_started_at_id", "journey", ["site", "status", "started_at", "id"], None),
    ("ix_session_visit_site_discharged_at", "session_visit", ["site", "discharged_at"], None),
    ("ix_session_visit_here", "session_visit", ["site", "checked_in_at"], HERE),
    ("ix_risk_case_site_opened", "risk_case", ["site", "opened_at", "journey_id", "case_id"], None),
    (
        "ix_risk_case_site_status_opened",
        "risk_case",
        ["site", "status", "opened_at", "journey_id", "case_id"],
        None,
    ),
)
"""Every list and the board find their page by an index in their own order."""


def upgrade() -> None:
    op.add_column("task", sa.Column("id", sa.Text(), nullable=True))
    op.add_column("task", sa.Column("priority", sa.Text(), nullable=True))
    op.add_column("task", sa.Column("rank", sa.SmallInteger(), nullable=True))
    for name, kind in (
        ("holder", sa.Text()),
        ("holder_role", sa.Text()),
        ("held_at", sa.DateTime(timezone=True)),
        ("held_until", sa.DateTime(timezone=True)),
        ("delegated_by", sa.Text()),
    ):
        op.add_column("task", sa.Column(name, kind, nullable=True))
    op.add_column("task", sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False))
    _name_and_rank()
    op.drop_constraint(op.f("pk_task"), "task", type_="primary")
    op.alter_column("task", "journey_id", nullable=True)
    op.alter_column("task", "opened_seq", nullable=True)
    for name in ("id", "priority", "rank"):
        op.alter_column("task", name, nullable=False)
    op.create_primary_key(op.f("pk_task"), "task", ["id"])
    op.create_unique_constraint(op.f("uq_task_journey_id_task_id"), "task", ["journey_id", "task_id"])
    _take_in_the_drug_books()
    op.drop_index("ix_task_site_status_owner_due_at", table_name="task")
    op.drop_index("ix_drug_discrepancy_site_status_opened_at", table_name="drug_discrepancy")
    for name, columns, where in INDEXES:
        condition = None if where is None else sa.text(where)
        op.create_index(name, "task", columns, unique=False, postgresql_where=condition)
    for name, table, columns, where in OF_LISTS:
        condition = None if where is None else sa.text(where)
        op.create_index(name, table, columns, unique=False, postgresql_where=condition)
    _make_tables()


def _name_and_rank() -> None:
    """In batches of one statement each: a clinic has some thousands of tasks, not millions."""
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT journey_id, task_id, site, code, overdue_at FROM task"))
    named = [
        {
            "j": row.journey_id,
            "t": row.task_id,
            "id": _id(row.site, row.journey_id, row.task_id),
            "rank": _rank(row.code, overdue=row.overdue_at is not None),
        }
        for row in rows
    ]
    if named:
        update = "UPDATE task SET id = :id, rank = :rank WHERE journey_id = :j AND task_id = :t"
        connection.execute(sa.text(update), named)
    op.execute("UPDATE task SET priority = (ARRAY['stat', 'asap', 'urgent', 'routine'])[rank + 1]")


def _take_in_the_drug_books() -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT * FROM drug_discrepancy WHERE closed_at IS NULL")).all()
    tasks = [task for row in rows for task in _of_case(row)]
    if tasks:
        insert = (
            "INSERT INTO task (id, task_id, site, code, owner, status, priority, rank, opened_at, due_at)"
            " VALUES (:id, :task_id, :site, :code, :owner, 'requested', :priority, :rank, :opened_at, :due_at)"
        )
        connection.execute(sa.text(insert), tasks)


def _of_case(row: sa.Row) -> list[dict[str, object]]:  # type: ignore[type-arg]
    owed = []
    if row.status == "open":
        owed.append(("explain-discrepancy", row.owner, row.explain_by or row.opened_at, 1))
    if row.status == "loss" and row.notice_at is None:
        owed.append(("submit-loss-notice", "medical-director", row.notice_by or row.loss_at, 2))
    if row.status == "loss" and row.form_at is None:
        owed.append(("submit-loss-form", "medical-director", row.form_by or row.loss_at, 2))
    found = []
    for code, owner, due_at, rank in owed:
        task_id = f"drug-case/{row.container_id}/{row.number}/{code}"
        found.append(
            {
                "id": _id(row.site, "", task_id), "task_id": task_id, "site": row.site, "code": code,
                "owner": owner, "priority": PRIORITIES[rank], "rank": rank,
                "opened_at": row.opened_at, "due_at": due_at,
            }
        )  # fmt: skip
    return found


def _rank(code: str, *, overdue: bool) -> int:
    planned = next((n for n, codes in enumerate((STAT, ASAP, URGENT)) if code in codes), 3)
    return max(planned - 1, 0) if overdue else planned


def _id(*parts: str) -> str:
    """As `services.records.task_names` spells it; a migration keeps its own copy."""
    number = int.from_bytes(hashlib.sha256("\0".join(("task", *parts)).encode()).digest()[:16], "big")
    return "".join(ALPHABET[(number >> 5 * place) & 31] for place in reversed(range(26)))


def _make_tables() -> None:
    now = sa.text("clock_timestamp()")
    op.create_table(
        "task_holding",
        sa.Column("n", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("actor_role", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_task_holding_task_id")),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_task_holding")),
    )
    op.create_index("ix_task_holding_task_id_n", "task_holding", ["task_id", "n"], unique=False)
    op.create_table(
        "site_colleague",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.PrimaryKeyConstraint("site", "person_id", "role", name=op.f("pk_site_colleague")),
    )
    op.create_table(
        "closed_days",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.PrimaryKeyConstraint("site", "day", name=op.f("pk_closed_days")),
    )
    op.create_index("ix_closed_days_site_ends_at", "closed_days", ["site", "ends_at"], unique=False)
    for trigger, when, each in (
        ("written_once", "UPDATE OR DELETE", "ROW"),
        ("never_emptied", "TRUNCATE", "STATEMENT"),
    ):
        op.execute(
            f"CREATE TRIGGER task_holding_{trigger} BEFORE {when} ON task_holding"
            f" FOR EACH {each} EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    op.drop_table("closed_days")
    op.drop_table("site_colleague")
    op.drop_table("task_holding")
    for name, table, _, _ in reversed(OF_LISTS):
        op.drop_index(name, table_name=table)
    for name, _, _ in reversed(INDEXES):
        op.drop_index(name, table_name="task")
    op.execute("DELETE FROM task WHERE journey_id IS NULL")
    op.drop_constraint(op.f("uq_task_journey_id_task_id"), "task", type_="unique")
    op.drop_constraint(op.f("pk_task"), "task", type_="primary")
    for name in (
        "version", "delegated_by", "held_until", "held_at", "holder_role", "holder", "rank", "priority", "id",
    ):  # fmt: skip
        op.drop_column("task", name)
    op.alter_column("task", "journey_id", nullable=False)
    op.alter_column("task", "opened_seq", nullable=False)
    op.create_primary_key(op.f("pk_task"), "task", ["journey_id", "task_id"])
    op.create_index("ix_task_site_status_owner_due_at", "task", ["site", "status", "owner", "due_at"])
    op.create_index(
        "ix_drug_discrepancy_site_status_opened_at", "drug_discrepancy", ["site", "status", "opened_at"]
    )
