"""An application of the owner with a file, its case at the own department with a task and a card, taken in at its window; no catalogue is needed."""

from datetime import timedelta

from tests.guards.authorization.cast import CITY, OWN, OWNER
from tests.guards.authorization.rooms import Objects, Room

from acceptance_service.applications.domain import ApplicationStatus, Delivery, Provision
from acceptance_service.applications.models import Application, Material
from acceptance_service.cases.domain.rules import TaskKind, TaskStatus
from acceptance_service.cases.domain.states import CaseStatus
from acceptance_service.cases.models import Case, Task
from acceptance_service.catalogue.domain import ProjectType
from acceptance_service.files.models import Blob, File
from acceptance_service.supervision.domain import CardStatus
from acceptance_service.supervision.models import Card
from acceptance_service.window.models import WindowSitting
from service_common.clock import utc_now
from service_common.contracts.acceptance import CardLevel, HolderKind
from service_common.db import new_id
from service_common.presence import PresenceMethod


async def furnish(room: Room) -> Objects:
    """Makes them; those who may make them do so where that is quick."""
    now = utc_now()
    ring = room.app.state.key_ring
    of_owner = {"applicant_kind": HolderKind.NATURAL_PERSON, "applicant_id": OWNER, "submitted_by": OWNER}
    application = Application(
        id=new_id(), status=ApplicationStatus.IN_PROGRESS, subject_code="MATRIX-1", title="示例事项", division=CITY,
        lead_department_id=OWN, answers={}, promises=[], delivery=Delivery.ELECTRONIC, items_with_applicant=[],
        submitted_at=now, number="YJS4303002026112200001", **of_owner,
    )  # fmt: skip
    case = Case(
        id=new_id(), application_id=application.id, project_no="11990301MB0000017W30001310240002026112200001",
        item_code="MATRIX-1", item_version=1, item_name="示例事项", project_type=ProjectType.PROMISED,
        department_id=OWN, division=CITY, status=CaseStatus.RECEIVED, waits_for=[], waits_for_any=False,
        form_revision=0, contact_no=1, submitted_at=now, intake_received_at=now, received_at=now, notify_promise=False,
        limits={"statutory": None, "promised": None}, **of_owner,
    )  # fmt: skip
    material = Material(
        application_id=application.id,
        code="M1",
        title="示例材料",
        required=True,
        items=[],
        tolerated_in=[],
        ways=[],
        formats=[],
        provision=Provision.FILES,
        facts={},
    )
    blob = Blob(
        address=b"a" * 32, object_key="a", sealed_key=b"k", size=1, media_type="image/png", scan="CLEAN"
    )
    file = File(
        id=new_id(), address=blob.address, sha256=b"h" * 32, name=ring.encrypt("材料.png", column="files.name"),
        uploaded_by=f"person:{OWNER}", upload_key="k", application_id=application.id, material_code="M1",
    )  # fmt: skip
    upload = File(
        id=new_id(), address=blob.address, sha256=b"h" * 32, name=ring.encrypt("未用.png", column="files.name"),
        uploaded_by=f"person:{OWNER}", upload_key="k2",
    )  # fmt: skip
    task = Task(
        id=new_id(), case_id=case.id, kind=TaskKind.STEP, title="审查", status=TaskStatus.OPEN, department_id=OWN,
        staff_ids=[], opened_by="staff:x", opened_at=now,
    )  # fmt: skip
    card = Card(
        id=new_id(), case_id=case.id, project_no=case.project_no, item_name=case.item_name, department_id=OWN,
        division=CITY, rule="FINISH", level=CardLevel.YELLOW, status=CardStatus.ISSUED, reached_at=now, issued_at=now,
        evidence={},
    )  # fmt: skip
    sitting = WindowSitting(
        id=new_id(), application_id=application.id, person_id=OWNER, trust_level=4, method=PresenceMethod.IDENTITY_CODE,
        staff_id=new_id(), department_id=OWN, division=CITY, began_at=now, ends_at=now + timedelta(days=1),
    )  # fmt: skip
    async with room.app.state.database.sessions() as session, session.begin():
        for row in (application, material, blob, file, upload, case, task, card, sitting):
            session.add(row)
            await session.flush()
    ids = {"application_id": application.id, "case_id": case.id, "task_id": task.id, "card_id": card.id}
    ids |= {"file_id": file.id}
    return Objects(
        {name: str(value) for name, value in ids.items()},
        bodies={
            "POST /acceptance/v1/cases/{case_id}/resume": {"result": "评审通过。"},
            "POST /acceptance/v1/tasks/{task_id}/complete": {"result": "审查通过。"},
        },
        queries={
            "GET /acceptance/v1/cases": f"?application_id={application.id}",
            "GET /acceptance/v1/files/{file_id}/content": f"?expires=4102444800&signature={'0' * 64}",
        },
        # An upload is its sender's until an application takes it.
        others={"POST /acceptance/v1/files/{file_id}/link": {"file_id": str(upload.id)}},
    )
