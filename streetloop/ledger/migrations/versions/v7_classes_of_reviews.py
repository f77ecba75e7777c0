"""Class names are stored with a frame's boxes; answers from before are in doubt.

Earlier versions stored class ids alone. The label commands named them by the model of the settings,
whichever model had found the frame, so that a label may have another model's class ids. Which do
cannot be told from the ledger: `labeling.older_frames` lifts the doubt where names prove it wrong.
"""

import sqlalchemy as sa
from alembic import op

revision = "v7"
down_revision = "v6"

_SERVED = "0.25"  # the default of the setting `confidence`, below which no box is shown
_DOUBT = "was asked about before class names were stored with frames"


def upgrade() -> None:
    """From line counts."""
    op.add_column("reviews", sa.Column("classes", sa.Text))
    op.add_column("reviews", sa.Column("served", sa.Float, nullable=False, server_default=_SERVED))
    op.add_column("reviews", sa.Column("url", sa.String(500)))
    op.add_column("reviews", sa.Column("doubt", sa.String(500)))
    op.add_column("reviews", sa.Column("asks", sa.Integer, nullable=False, server_default="0"))
    reviews = sa.table("reviews", sa.column("state", sa.String), sa.column("doubt", sa.String))
    asked = reviews.c.state.in_(["pushed", "labeled", "in dataset"])
    op.execute(reviews.update().where(asked).values(doubt=_DOUBT))
