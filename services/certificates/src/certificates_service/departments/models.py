"""What the library knows of the departments that identity owns."""

from uuid import UUID

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from certificates_service.db import Base


class Department(Base):
    """Projection of identity's department; ``revision`` is that of the last change applied."""

    __tablename__ = "departments"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    uscc: Mapped[str] = mapped_column(String(18))
    name: Mapped[str] = mapped_column(String(200))
    division: Mapped[str] = mapped_column(String(12))
    active: Mapped[bool]
    revision: Mapped[int]
