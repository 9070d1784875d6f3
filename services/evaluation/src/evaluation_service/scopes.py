"""What callers of evaluation may be granted. Indicators and published reviews need no scope: they are public."""

from service_common.auth import scope

REVIEWS_WRITE = scope("evaluation:reviews.write", zh="评价服务", en="Review services", roles={"citizen"})
RECTIFICATIONS_READ = scope(
    "evaluation:rectifications.read",
    zh="查看差评整改",
    en="Read rectifications",
    roles={"clerk", "approver", "partner", "supervisor"},
)
RECTIFICATIONS_HANDLE = scope(
    "evaluation:rectifications.handle",
    zh="办理本部门差评整改",
    en="Handle the rectifications of one's department",
    roles={"clerk", "approver", "partner"},
)
RECTIFICATIONS_SUPERVISE = scope(
    "evaluation:rectifications.supervise",
    zh="监督差评整改",
    en="Supervise rectifications",
    roles={"supervisor"},
)
