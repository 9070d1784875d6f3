"""What may be uploaded, how much of it, and how refusals read. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from service_common.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, TooMany

# Sniffed from the content; what the client says is not believed.
MEDIA_TYPES = frozenset(
    {
        "application/pdf",
        "image/jpeg",
        "image/png",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
)
PICTURES = frozenset({"image/jpeg", "image/png"})
# Enough of the beginning for every type above (bytes).
SNIFF_BYTES = 8192
# A picture larger than this is a decompression bomb and no photograph of a document.
LARGEST_PICTURE_PIXELS = 60_000_000
LINK_SECONDS = 300
# The span over which a person's uploads are counted. What no application took is swept after the same time, so nobody
# holds more loose files than the quota of one span.
QUOTA_SPAN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Quota:
    """How many files, and how much of them together (bytes)."""

    files: int
    size: int

    def holds(self, *, files: int, size: int) -> bool:
        """Whether that much is within it."""
        return files <= self.files and size <= self.size

    def times(self, factor: int) -> "Quota":
        """The same for somebody who uploads for so many."""
        return Quota(self.files * factor, self.size * factor)


# What one uploader sends within QUOTA_SPAN, and what one application holds: several times what the longest guide asks for.
DAILY_QUOTA = Quota(files=300, size=1024 * 1024**2)
APPLICATION_QUOTA = Quota(files=100, size=500 * 1024**2)


class Scan(StrEnum):
    """What the malware scanner said."""

    CLEAN = "CLEAN"
    NOT_SCANNED = "NOT_SCANNED"


class FileTooLarge(Invalid):
    """Beyond the limit of one upload."""

    code = "file_too_large"
    zh = "文件超过 {limit_mib} MB。"
    en = "The file is larger than {limit_mib} MiB."


class FileEmpty(Invalid):
    """Nothing was sent."""

    code = "file_empty"
    zh = "没有收到文件内容：请用 multipart/form-data 的 file 字段上传。"
    en = "No file was received: send it as the field `file` of multipart/form-data."


class FileTypeRefused(Invalid):
    """Not a type that a department can read."""

    code = "file_type"
    zh = "不支持的文件类型，请上传 PDF、JPG、PNG、DOCX 或 XLSX。"
    en = "This type of file is not accepted: send PDF, JPEG, PNG, DOCX or XLSX."


class PictureUnreadable(Invalid):
    """It begins like a picture and is none."""

    code = "picture_unreadable"
    zh = "图片已损坏或尺寸过大，无法读取。"
    en = "The picture is damaged or too large."


class FileInfected(Invalid):
    """The scanner found malware."""

    code = "file_infected"
    zh = "文件未通过安全检查。"
    en = "The file did not pass the malware scan."


class UploadQuotaUsed(TooMany):
    """So many files, or so much, within 24 hours; ``retry_after`` is when the oldest of them no longer counts (seconds)."""

    code = "upload_quota_used"
    zh = "24 小时内上传的文件已达上限（{files} 个，共 {mib} MB），请稍后再传。"
    en = "You have uploaded as much as 24 hours allow ({files} files, {mib} MiB together): go on later."

    def __init__(self, quota: Quota, *, retry_after: int) -> None:
        mib = quota.size // 1024**2
        DomainError.__init__(self, files=quota.files, mib=mib, retry_after=retry_after)
        self.retry_after = retry_after


class ApplicationFilesFull(Conflict):
    """One application holds so many files, or so much, and no more."""

    code = "application_files_full"
    zh = "一份申请最多附 {files} 个文件，共 {mib} MB，请合并或压缩后再提供。"
    en = "One application holds at most {files} files of {mib} MiB together: join or compress them."


class UploadKeyReused(Invalid):
    """The Idempotency-Key was used for other content."""

    code = "idempotency_key_reused"
    zh = "该 Idempotency-Key 已用于另一个文件。"
    en = "This Idempotency-Key was used for another file."


class NoSuchFile(NotFound):
    """Not there, or not the caller's."""

    code = "no_such_file"
    zh = "没有找到该文件。"
    en = "There is no such file."


class FileOfAnotherMaterial(Conflict):
    """One upload is the content of one material: taken for a second one, the first would be provided by nothing."""

    code = "file_of_another_material"
    zh = "该文件已作为另一项材料提交，请为本项材料另行上传。"
    en = "This file is the content of another material already: upload it anew for this one."


class LinkInvalid(Forbidden):
    """Forged or past its five minutes."""

    code = "link_invalid"
    zh = "下载链接无效或已过期，请重新获取。"
    en = "The download link is invalid or has expired: get a new one."
