"""Refusals speak two languages and are ordinary value errors."""

from gov_rules.errors import InvalidIdentifier, RuleBroken


def test_a_refusal_has_a_code_and_a_sentence_in_each_language() -> None:
    refusal = InvalidIdentifier("some_code", zh="不对。", en="Wrong.")
    assert isinstance(refusal, RuleBroken)
    assert isinstance(refusal, ValueError)
    assert (refusal.code, refusal.sentence("zh"), refusal.sentence("en")) == ("some_code", "不对。", "Wrong.")
    assert str(refusal) == "Wrong."
