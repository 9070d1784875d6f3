"""Texts that are sent to phones, as data in two languages."""

from enum import StrEnum


class SmsTemplate(StrEnum):
    """What a text message is for."""

    SIGN_UP_CODE = "SIGN_UP_CODE"
    PASSWORD_RESET_CODE = "PASSWORD_RESET_CODE"  # noqa: S105 - no password
    PHONE_CHANGE_CODE = "PHONE_CHANGE_CODE"
    PHONE_CHANGED = "PHONE_CHANGED"
    URGENT_NOTICE = "URGENT_NOTICE"


TEXTS: dict[SmsTemplate, dict[str, str]] = {
    SmsTemplate.SIGN_UP_CODE: {
        "zh": "【联办】您正在注册政务服务账号，验证码 {code}，{minutes} 分钟内有效。工作人员不会索要验证码。",
        "en": "[Lianban] Your sign-up code is {code}, valid for {minutes} minutes. Nobody of ours will ask you for it.",
    },
    SmsTemplate.PASSWORD_RESET_CODE: {
        "zh": "【联办】您正在重置登录密码，验证码 {code}，{minutes} 分钟内有效。如非本人操作请忽略，切勿告知他人。",
        "en": "[Lianban] Your code to reset the password is {code}, valid for {minutes} minutes. Tell it to nobody.",
    },
    SmsTemplate.PHONE_CHANGE_CODE: {
        "zh": "【联办】您正在将账号改绑到本手机号，验证码 {code}，{minutes} 分钟内有效。如非本人操作请忽略，切勿告知他人。",
        "en": "[Lianban] Your code to use this number for your account is {code}, valid for {minutes} minutes. Tell it to nobody.",
    },
    SmsTemplate.PHONE_CHANGED: {
        "zh": "【联办】您的账号已改绑尾号 {tail} 的手机号，本号码不再用于登录。如非本人操作，请立即到政务服务窗口办理。",
        "en": "[Lianban] Your account now uses the number ending in {tail}, and no longer this one. If that was not you, go to a "
        "government service counter at once.",
    },
    SmsTemplate.URGENT_NOTICE: {
        "zh": "【联办】{title}：{body}",
        "en": "[Lianban] {title}: {body}",
    },
}


def compose(template: SmsTemplate, language: str, **values: object) -> str:
    """The text of a message."""
    return TEXTS[template][language].format(**values)
