"""Cutting words, understanding wishes, and the chain of divisions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acceptance_service.search.domain import (
    NothingToSearch,
    division_chain,
    exact_token,
    normalise,
    postings,
    query_tokens,
    understand,
    weigh,
)
from gov_rules.errors import InvalidIdentifier


def test_chinese_is_cut_into_pairs_and_latin_into_words() -> None:
    assert list(query_tokens("开便利店")) == ["开便", "便利", "利店"]
    assert list(query_tokens("KTV 审批 税")) == ["ktv", "审批", "税"]


def test_full_width_and_punctuation_do_not_matter() -> None:
    assert normalise("《食品经营许可证》（ＡＢＣ１）") == "食品经营许可证 abc1"
    assert exact_token("开办超市、便利店“一件事”") == exact_token("开办超市 便利店一件事")


def test_what_people_say_around_their_wish_is_left_out() -> None:
    (concept,) = understand("请问我想要办理居住证怎么办", {})
    assert concept.alternatives[0].words == "居住证"


def test_a_wish_of_fillers_alone_is_taken_as_it_is() -> None:
    assert [one.alternatives[0].words for one in understand("申请", {})] == ["申请"]


def test_a_known_word_is_also_said_otherwise_and_the_longest_one_wins() -> None:
    synonyms = {"小卖部": ["便利店", "超市"], "卖部": ["别的"]}
    shop, rest = understand("开小卖部", synonyms)
    assert [one.words for one in shop.alternatives] == ["小卖部", "便利店", "超市"]
    assert shop.alternatives[1].factor > shop.alternatives[2].factor
    assert rest.alternatives[0].words == "开"
    assert shop.share > 10 * rest.share


@pytest.mark.parametrize("text", ["", "？！", "   ", "🙂"])
def test_nothing_to_look_for_is_refused(text: str) -> None:
    with pytest.raises(NothingToSearch) as refused:
        understand(text, {})
    assert refused.value.fields[0].pointer == "/text"


def test_rare_tokens_count_more() -> None:
    weighted = {
        one.token: one.weight
        for one in weigh("取水许可", understand("取水许可", {}), {"取水": 3, "水许": 3, "许可": 400}, 1200)
    }
    assert weighted["取水"] > 2 * weighted["许可"]


def test_a_token_that_stands_nearly_everywhere_is_not_looked_up() -> None:
    concepts = understand("取水许可", {})
    frequencies = {"取水": 3, "水许": 3, "许可": 24_000}
    assert "许可" not in {one.token for one in weigh("取水许可", concepts, frequencies, 75_000)}
    alone = understand("许可证", {})
    tokens = {one.token for one in weigh("许可证", alone, {"许可": 24_000, "可证": 15_000}, 75_000)}
    assert tokens == {"可证", exact_token("许可证")}


def test_a_short_title_says_more_than_a_long_one() -> None:
    short = postings([("结婚登记", 1.0)])
    long = postings([("结婚登记及其他与婚姻有关的登记事项的办理预约", 1.0)])
    assert short["结婚"] > long["结婚"]


@given(st.text(max_size=200))
def test_no_text_breaks_the_cutting(text: str) -> None:
    try:
        concepts = understand(text, {"便利": ["超市"]})
    except NothingToSearch:
        return
    assert abs(sum(one.share for one in concepts) - 1) < 1e-6
    for one in weigh(text, concepts, {}, 100):
        assert one.weight >= 0


def test_a_street_is_served_by_itself_and_all_divisions_above() -> None:
    assert division_chain("430304001002") == (
        "430304001002",
        "430304001000",
        "430304999000",
        "430304000000",
        "430300000000",
        "430000000000",
        "100000000000",
    )
    assert division_chain("430000") == ("430000000000", "430000999000", "100000000000")


def test_a_malformed_division_is_refused() -> None:
    with pytest.raises(InvalidIdentifier):
        division_chain("4303")
