"""Sentences of the pages: both languages say the same, and the templates use what there is."""

import re
from importlib import resources
from string import Formatter

from identity_service.pages.wording import texts

_TEMPLATES = resources.files("identity_service.pages") / "templates"
# Keys that a template puts together from a state: `account.level_` and the level, and so on.
_PUT_TOGETHER = re.compile(
    r"account\.(level_[1-4]|username|phone|name|id_number|trust_level|kind|staff|signed_in|session_ended|others_ended|consent_withdrawn|password_changed|phone_changed|second_factor_changed)"
    r"|login\.(signed_up|password_reset)|accesses\.(purpose|attribute|client)_[a-z_]+|inbox\.(message_read|all_read|category_[a-z]+)"
)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_sentences_with_the_same_facts() -> None:
    zh, en = texts("zh"), texts("en")
    assert zh.keys() == en.keys()
    assert {key: placeholders(text) for key, text in zh.items()} == {
        key: placeholders(text) for key, text in en.items()
    }


def test_no_sentence_is_missing_and_none_is_left_over() -> None:
    used: set[str] = set()
    for template in _TEMPLATES.iterdir():
        used |= set(re.findall(r'\bt\("([a-z_]+\.[a-z_0-9]+)"', template.read_text("utf-8")))
    known = texts("zh").keys()
    assert used <= known
    assert {key for key in known - used if not _PUT_TOGETHER.fullmatch(key)} == set()


def test_templates_hold_no_sentence_of_their_own() -> None:
    for template in _TEMPLATES.iterdir():
        assert not re.search(r"[\u4e00-\u9fff]", template.read_text("utf-8")), template.name


def test_english_holds_no_chinese_but_the_way_back() -> None:
    chinese = {key for key, text in texts("en").items() if re.search(r"[\u4e00-\u9fff]", text)}
    assert chinese == {"base.other_language"}
