"""What is proposed for a message. The sentences are invented for these tests."""

import base64
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline_service.departments.domain import KnownDepartment
from hotline_service.settings import Settings
from hotline_service.suggestions.classifier import load_classifier, save_classifier
from hotline_service.suggestions.domain import (
    Classifier,
    DutyList,
    count_features,
    match_departments,
    rank_kinds,
)
from service_common.contracts.hotline import TicketKind

MESSAGES = [
    ("小区物业不作为，业主维修基金去向不明，开发商迟迟不给办房产证。", "城乡建设"),
    ("公司拖欠农民工工资三个月，也没有给职工缴纳社会养老保险。", "劳动和社会保障"),
    ("学校老师在校外违规有偿补课，强制学生参加，学费很高。", "教育文体"),
    ("在景区旅行社报名被强制购物，商场售卖假冒商品拒绝退款，消费者权益受损。", "商贸旅游"),
    ("化工厂夜间偷排废水废气，粉尘和噪音污染严重，附近河水发臭。", "环境保护"),
    ("县医院医生态度恶劣，乱收费，患者住院手术后出现医疗事故。", "卫生计生"),
    ("出租车司机拒载不打表，城乡客运班车乱涨价，快递一直不派送。", "交通运输"),
]


@pytest.mark.parametrize(("message", "topic"), MESSAGES)
def test_a_plain_message_finds_its_topic(classifier: Classifier, message: str, topic: str) -> None:
    assert classifier.rank(message)[0].name == topic


@given(text=st.text(max_size=400))
def test_any_text_gets_scores_that_add_up(classifier: Classifier, text: str) -> None:
    ranked = classifier.rank(text)
    assert sum(one.score for one in ranked) == pytest.approx(1)
    assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)
    assert sum(one.score for one in rank_kinds(text)) == pytest.approx(1)


def test_the_shipped_model_holds_hashes_and_no_text() -> None:
    file = Settings.model_fields["classifier_file"].default
    stored = json.loads(file.read_text())
    assert set(stored) == {"format", "labels", "scales", "idf_scale", "bias", "sharpness", "features"}
    packed = zlib.decompress(base64.b64decode(stored["features"]))
    assert len(packed) % (5 + len(stored["labels"])) == 0
    assert file.stat().st_size < 500_000


def test_what_is_saved_is_read_back_within_a_byte(tmp_path: Path) -> None:
    weights: dict[int, Sequence[float]] = {7: [0.5, -1.0], 9: [0.25, 1.0], 4_000_000_000: [0.0, 0.1]}
    save_classifier(
        tmp_path / "c.json",
        labels=["甲", "乙"],
        idf={7: 1.0, 9: 4.0, 4_000_000_000: 2.0},
        weights=weights,
        bias=[0.1, -0.1],
        sharpness=2.0,
    )
    read = load_classifier(tmp_path / "c.json")
    assert (read.labels, read.bias, read.sharpness) == (("甲", "乙"), (0.1, -0.1), 2.0)
    for feature, (_, *values) in read.weights.items():
        assert values == pytest.approx(weights[feature], abs=1 / 127)


def test_features_do_not_depend_on_width_case_or_spaces() -> None:
    assert count_features("ＡＢ小区") == count_features("ab小区")
    assert count_features("小区  物业") == count_features("小区\n物业")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("请问办理居住证需要什么材料？", TicketKind.CONSULT),
        ("举报某公司涉嫌传销诈骗", TicketKind.REPORT),
        ("投诉楼下广场舞噪音扰民", TicketKind.COMPLAINT),
        ("建议在路口增设红绿灯", TicketKind.SUGGESTION),
        ("感谢社区工作人员，提出表扬", TicketKind.PRAISE),
        ("家里停水两天了，求助", TicketKind.HELP),
        ("……", TicketKind.HELP),
    ],
)
def test_kinds_follow_their_cue_words(text: str, kind: TicketKind) -> None:
    assert rank_kinds(text)[0].name == kind


def department(name: str, division: str = "430300000000") -> KnownDepartment:
    return KnownDepartment(uuid4(), name, name, division)


def test_every_topic_of_the_model_has_its_duty(classifier: Classifier, duty_list: DutyList) -> None:
    assert set(duty_list.duties) == set(classifier.labels)


def test_cue_words_choose_among_the_departments_of_a_topic(
    classifier: Classifier, duty_list: DutyList
) -> None:
    housing, urban = department("湘潭市住房和城乡建设局"), department("湘潭市城市管理和综合执法局")
    text = "路边摆摊占道经营，城管不管，垃圾和油烟到处都是，还有人搭违章建筑。"
    ranked = match_departments(duty_list.rank(classifier.rank(text), text), [housing, urban])
    assert ranked[0].department == urban
    assert {one.department for one in ranked} == {housing, urban}


def test_the_nearest_department_of_a_kind_is_proposed(classifier: Classifier, duty_list: DutyList) -> None:
    district = department("岳塘区教育局", "430304000000")
    city = department("湘潭市教育局")
    text = MESSAGES[2][0]
    ranked = match_departments(duty_list.rank(classifier.rank(text), text), [district, city])
    assert [one.department for one in ranked] == [district]
    assert ranked[0].duty_kind == "JY"
