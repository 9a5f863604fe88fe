"""What does a dose have that does not go by weight? Whole units, and no weight; and the container it came from."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("dose", "mg_per_kg", existing_type=sa.Numeric(), nullable=True)
    op.alter_column("dose", "weight_kg", existing_type=sa.Double(), nullable=True)
    op.add_column("dose", sa.Column("units", sa.Integer(), nullable=True))
    op.add_column("dose", sa.Column("container_id", sa.Text(), nullable=True))
    op.add_column("plan", sa.Column("dose_mg", sa.Numeric(), nullable=True))
    op.add_column("plan", sa.Column("boosters", sa.Integer(), nullable=True))
    op.add_column("plan", sa.Column("phase", sa.Text(), nullable=True))


def downgrade() -> None:
    for name in ("phase", "boosters", "dose_mg"):
        op.drop_column("plan", name)
    for name in ("container_id", "units"):
        op.drop_column("dose", name)
    op.alter_column("dose", "weight_kg", existing_type=sa.Double(), nullable=False)
    op.alter_column("dose", "mg_per_kg", existing_type=sa.Numeric(), nullable=False)
