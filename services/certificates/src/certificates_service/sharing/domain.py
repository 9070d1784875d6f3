"""Why surface data is not handed out. Pure."""

from service_common.errors import Conflict, Invalid


class NothingToHandOut(Conflict):
    """A licence that does not hold proves nothing, so there is no ground to read it."""

    code = "licence_not_valid"
    zh = "证照当前不是有效状态，不能调用。"
    en = "The licence is {status} or not in force: its data is not handed out."


class UnknownFields(Invalid):
    """Asking for a field that the type does not have is a mistake of the caller's configuration."""

    code = "unknown_fields"
    zh = "请求的照面字段不存在。"
    en = "The type has no such surface fields."
