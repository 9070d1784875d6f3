"""Texts that are sent to phones, as data in two languages."""

from enum import StrEnum


class SmsTemplate(StrEnum):
    """What a text message is for."""

    SIGN_UP_CODE = "SIGN_UP_CODE"


TEXTS: dict[SmsTemplate, dict[str, str]] = {
    SmsTemplate.SIGN_UP_CODE: {
        "zh": "【联办】您正在注册政务服务账号，验证码 {code}，{minutes} 分钟内有效。工作人员不会索要验证码。",
        "en": "[Lianban] Your sign-up code is {code}, valid for {minutes} minutes. Nobody of ours will ask you for it.",
    },
}


def compose(template: SmsTemplate, language: str, **values: object) -> str:
    """The text of a message."""
    return TEXTS[template][language].format(**values)
