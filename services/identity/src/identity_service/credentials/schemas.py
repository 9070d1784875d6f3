"""HTTP shapes of credentials."""

from pydantic import Field, SecretStr

from identity_service.credentials.handlers import Reset
from identity_service.credentials.phone_change import NewPhone
from identity_service.schemas import Input


class PasswordChange(Input):
    """The old password and the new one."""

    current_password: SecretStr = Field(max_length=200, examples=["correct horse battery"])
    new_password: SecretStr = Field(max_length=200, examples=["seven rivers and a ferry"])


class PhoneChange(Input):
    """The new number, what proves that it is the caller's, and that it is the caller who wants it."""

    phone: str = Field(min_length=11, max_length=20, examples=["19900000002"])
    code: str = Field(pattern=r"^\d{6}$", examples=["042017"], description="From the text message.")
    password: SecretStr = Field(max_length=200, examples=["correct horse battery"])

    def wish(self) -> NewPhone:
        return NewPhone(self.phone, self.code, self.password.get_secret_value())


class PasswordReset(Input):
    """What proves that somebody is the owner of the account, and the new password."""

    phone: str = Field(min_length=11, max_length=20, examples=["19900000001"])
    code: str = Field(pattern=r"^\d{6}$", examples=["042017"], description="From the text message.")
    id_number_tail: str | None = Field(
        default=None,
        pattern=r"^[0-9A-Za-z]{4}$",
        examples=["0011"],
        description="Last four characters of the identity number, when the account is verified.",
    )
    new_password: SecretStr = Field(max_length=200, examples=["seven rivers and a ferry"])

    def wish(self) -> Reset:
        return Reset(self.phone, self.code, self.new_password.get_secret_value(), self.id_number_tail)
