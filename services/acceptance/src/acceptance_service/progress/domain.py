"""Following an application without login. Pure."""

from datetime import datetime, timedelta

from service_common.errors import NotFound

# A six-digit password and this bound: a guesser needs years for one application.
MOST_FAILURES = 5
WINDOW = timedelta(minutes=15)


class ProgressNotFound(NotFound):
    """Number or password is wrong; which of them is not said."""

    code = "progress_not_found"
    zh = "查询码或查询密码不正确。"
    en = "The query number or the password is wrong."


def blocked_seconds(failures: int, window_started_at: datetime, now: datetime) -> int:
    """How long a number is closed for look-ups; 0 when it is open."""
    left = window_started_at + WINDOW - now
    if failures < MOST_FAILURES or left <= timedelta():
        return 0
    return int(left.total_seconds()) + 1
