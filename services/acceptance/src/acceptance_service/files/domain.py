"""What may be uploaded, and how refusals read. Pure."""

from enum import StrEnum

from service_common.errors import Conflict, Forbidden, Invalid, NotFound

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
