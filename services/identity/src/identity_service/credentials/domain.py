"""Changing how an account is entered: what can be wrong with it."""

from service_common.errors import FieldProblem, Invalid


class WrongCurrentPassword(Invalid):
    """Who changes a password shows the old one: an open screen is not enough."""

    code = "wrong_current_password"
    zh = "当前密码不正确。"
    en = "The current password is wrong."

    def __init__(self) -> None:
        super().__init__(fields=[FieldProblem("/current_password", self.code, self.zh, self.en)])


class ResetRefused(Invalid):
    """One answer for a wrong code, an unknown phone, and identity digits that do not fit."""

    code = "reset_refused"
    zh = "验证信息不正确或已失效。已实名的账号还须填写证件号码后四位。"
    en = "What you entered is wrong or no longer valid. A verified account also needs the last four of its identity number."
