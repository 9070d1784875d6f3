"""How a rule of the field says no: a stable code and one sentence in each language, never the offending value.

The value is left out on purpose: an exception travels into logs and traces, and a mistyped identity number
is personal data as much as a correct one.
"""


class RuleBroken(ValueError):
    """Input or a wish that breaks a rule of law or of a standard."""

    def __init__(self, code: str, *, zh: str, en: str) -> None:
        super().__init__(en)
        self.code = code
        self.zh = zh
        self.en = en

    def sentence(self, language: str) -> str:
        """The message in ``zh`` or ``en``."""
        return self.en if language == "en" else self.zh


class InvalidIdentifier(RuleBroken):
    """A number or code that its standard does not allow."""


class CalendarUnavailable(RuleBroken):
    """A day outside the years for which a work calendar can be known or computed."""


class ClockRuleBroken(RuleBroken):
    """A step that the law of time limits does not allow: a second extension, resuming what runs."""
