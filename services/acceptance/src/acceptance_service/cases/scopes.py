"""What callers may be granted about cases; each route asks for one, each handler still checks the case."""

from service_common.auth import scope

CASES_READ = scope(
    "acceptance:cases.read",
    zh="查看办件",
    en="Read cases",
    roles={"citizen", "clerk", "approver", "supervisor", "partner"},
)
CASES_READ_FORM = scope(
    "acceptance:cases.read-form",
    zh="查看申请人完整信息（留痕）",
    en="Read the applicant's data in full, recorded",
    roles={"clerk", "approver", "partner"},
)
CASES_HANDLE = scope(
    "acceptance:cases.handle",
    zh="收件、受理、送达等办理操作",
    en="Receive, accept and deliver cases",
    roles={"clerk", "approver", "partner"},
)
CASES_DECIDE = scope(
    "acceptance:cases.decide", zh="审批办件", en="Decide cases", roles={"approver", "partner"}
)
