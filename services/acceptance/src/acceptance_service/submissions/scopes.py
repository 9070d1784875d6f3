"""What applicants may be granted."""

from service_common.auth import scope

APPLICATIONS_READ = scope(
    "acceptance:applications.read",
    zh="查看本人及所代理企业的申请",
    en="Read own applications and those of represented companies",
    roles={"citizen"},
)
APPLICATIONS_WRITE = scope(
    "acceptance:applications.write",
    zh="填写、提交、撤回申请",
    en="Fill in, submit and withdraw applications",
    roles={"citizen"},
)
HISTORY_READ = scope(
    "acceptance:history.read",
    zh="查看办理过程记录",
    en="Read the history of applications",
    roles={"citizen", "supervisor"},
)
