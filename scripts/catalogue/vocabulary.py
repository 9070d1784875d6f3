"""The portals' enum codes and words, translated into the catalogue's own. The meaning of a number was inferred by
comparing records that also carry words; a number that could not be read this way is refused, not guessed."""

from scripts.catalogue.files import Json

ITEM_TYPES = {
    "行政许可": "01",
    "行政给付": "05",
    "行政确认": "07",
    "行政奖励": "08",
    "行政裁决": "09",
    "其他行政权力": "10",
    "公共服务": "20",
}
EXERCISE_LEVELS = {"省": "2", "市": "3", "县": "4"}
CROSS_REGION = {"不可通办": "0", "全国": "1", "全省": "2", "全市": "3", "全县": "4"}
ONLINE_DEPTHS = {"一级标准": "I", "二级标准": "II", "三级标准": "III", "四级标准": "IV"}
CHANNELS = {"窗口办理": "WINDOW", "网上办理": "ONLINE", "快递申请": "COURIER"}
SERVICE_OBJECTS = {"个人": "NATURAL_PERSON", "法人": "LEGAL_PERSON"}

NECESSITY = {
    "1": "REQUIRED",
    "2": "OPTIONAL",
    "必要": "REQUIRED",
    "非必要": "OPTIONAL",
    "容缺后补": "TOLERATED",
    "信用免交、信用后补": "CREDIT_EXEMPT",
}
MATERIAL_SOURCE = {
    "10": "APPLICANT",
    "20": "GOVERNMENT",
    "99": "OTHER",
    "申请人自备": "APPLICANT",
    "政府部门核发": "GOVERNMENT",
    "其他": "OTHER",
}
MEDIUM = {
    "1": "PAPER",
    "2": "ELECTRONIC",
    "3": "PAPER_OR_ELECTRONIC",
    "4": "PAPER_AND_ELECTRONIC",
    "纸质": "PAPER",
    "电子": "ELECTRONIC",
    "纸质或电子": "PAPER_OR_ELECTRONIC",
    "纸质和电子": "PAPER_AND_ELECTRONIC",
}
SUBMIT_WAY = {
    "0": "ONLINE",
    "1": "ONSITE",
    "2": "ONLINE_OR_ONSITE",
    "网上提交": "ONLINE",
    "现场提交": "ONSITE",
    "网上现场都可提交": "ONLINE_OR_ONSITE",
}
FREE_SUBMISSION = {
    "2": "LICENCE",
    "3": "DATA_CHECK",
    "4": "NONE",
    "电子证照代替": "LICENCE",
    "证照信息核验": "DATA_CHECK",
    "无": "NONE",
}
# What the explanations of a free submission speak of, for records that carry no code.
FREE_SUBMISSION_PHRASES = {
    "绑定的标准材料系统模板自动生成申请表": "GENERATED_FORM",
    "绑定的电子证照材料": "LICENCE",
    "设置证照核验信息项及核验接口": "DATA_CHECK",
    "获取个人中心上传的照片、合同、证明": "PERSONAL_SPACE",
}
COPY_KIND = {"原件": "ORIGINAL", "复印件": "COPY", "原件和复印件": "ORIGINAL_AND_COPY"}


def workdays(value: str | int) -> Json:
    """A limit of the source; its texts speak of 工作日 while no field names the unit."""
    return {"value": int(value), "unit": "WORKDAY"}


def split_words(text: str, words: dict[str, str]) -> list[str]:
    """The known words of an enumeration joined by 、 / or ^, in the order of the vocabulary.

    Raises: KeyError for a word the vocabulary lacks.
    """
    parts = {words[part] for part in text.replace("/", "、").replace("^", "、").split("、")}
    return [code for code in words.values() if code in parts]


def free_submission_of(code: str | None, explanation: str | None) -> str | None:
    """How a material may be left out, by code or else by the phrase of its explanation; None when not said."""
    if explanation:
        for phrase, kind in FREE_SUBMISSION_PHRASES.items():
            if phrase in explanation:
                return kind
    return FREE_SUBMISSION[code] if code else None
