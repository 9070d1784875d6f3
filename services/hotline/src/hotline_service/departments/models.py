"""What the hotline knows of the departments that identity owns."""

from uuid import UUID

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from hotline_service.db import Base


class Department(Base):
    """Projection of identity's department: its state at ``revision``, the newest heard of; 0 before revisions were kept."""

    __tablename__ = "departments"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    short_name: Mapped[str] = mapped_column(String(100))
    division: Mapped[str] = mapped_column(String(12), index=True)
    active: Mapped[bool]
    revision: Mapped[int] = mapped_column(server_default="0")
