"""What citizens say, and what they must find. Queries and expectations are ours."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.search.handlers import Wish, search_catalogue

XIANGTAN, GUANGAN, HUNAN = "430300000000", "511602000000", "430000000000"


async def titles(session: AsyncSession, text: str, division: str | None, count: int = 3) -> list[str]:
    wish = Wish(text=text, division=division, applicant_kind=None, limit=count, after=None)
    return [one.title for one in await search_catalogue(session, wish)][:count]


# text, division (None: anywhere), what the first result's title must contain
FIRST = [
    ("开小卖部", XIANGTAN, "开办超市、便利店"),
    ("我要开便利店", XIANGTAN, "开办超市、便利店"),
    ("想开个小超市", None, "开办超市、便利店"),
    ("开饭店", None, "开办餐饮店"),
    ("我想开一家奶茶店", None, "开办餐饮店"),
    ("关公司", None, "企业注销登记"),
    ("退休金", None, "退休"),
    ("我要退休了", None, "退休“一件事”"),
    ("生孩子", None, "新生儿出生"),
    ("孩子上学", None, "教育入学"),
    ("小学报名", None, "教育入学"),
    ("人去世了要办什么", None, "个人身后"),
    ("残疾证", None, "残疾人证"),
    ("跑货运 开物流公司", None, "开办运输企业"),
    ("创业", None, "创业"),
    ("低保", None, "最低生活保障"),
    ("大病困难救济", None, "社会救助"),
    ("工程验收", None, "联合验收"),
    ("食品经营许可证", XIANGTAN, "食品经营许可"),
    ("公司改名字", None, "企业信息变更"),
    ("公共场所卫生许可", XIANGTAN, "公共场所卫生许可"),
    ("买房公积金贷款", None, "住房公积金个人住房贷款"),
    ("租公租房", None, "公租房"),
    ("社保卡", None, "社会保障卡"),
    ("结婚", None, "结婚"),
    ("退伍军人", None, "退役军人"),
    ("医药费报销", None, "就医费用报销"),
    ("留学", None, "留学"),
    ("灵活就业交社保", None, "灵活就业"),
]

# text, division, what one of the first three titles must contain
AMONG_THREE = [
    ("卖烟", XIANGTAN, "烟草专卖零售"),
    ("香烟零售证", XIANGTAN, "烟草专卖零售"),
    ("消防检查", XIANGTAN, "消防安全检查"),
    ("理发店卫生证", XIANGTAN, "公共场所卫生许可"),
    ("个体户营业执照", None, "个体工商户"),
    ("失业金", None, "失业"),
    ("办身份证", GUANGAN, "身份证"),
    ("结婚登记", GUANGAN, "结婚登记"),
    ("取水许可", GUANGAN, "取水"),
    ("律师咨询", GUANGAN, "律师"),
    ("建房许可", GUANGAN, "规划许可"),
    ("林木采伐", GUANGAN, "采伐"),
    ("医师执业注册", GUANGAN, "医师"),
    ("民办职业培训学校变更", GUANGAN, "民办职业培训学校"),
    ("动物防疫条件", GUANGAN, "动物防疫"),
    ("户口迁移", GUANGAN, "户口"),
]

# text, the bundle that must stand on the first page below the items that the words name
BUNDLE_BELOW_ITEMS = [
    ("公司注销怎么办理", "企业注销登记"),
    ("残疾证", "残疾人服务"),
    ("低保", "社会救助"),
    ("食品经营许可证", "开办餐饮店"),
]


@pytest.mark.parametrize(("text", "division", "expected"), FIRST, ids=[row[0] for row in FIRST])
async def test_the_first_result_is_what_was_meant(
    catalogue_session: AsyncSession, text: str, division: str | None, expected: str
) -> None:
    found = await titles(catalogue_session, text, division)
    assert found, "nothing was found"
    assert expected in found[0], found


@pytest.mark.parametrize(("text", "division", "expected"), AMONG_THREE, ids=[row[0] for row in AMONG_THREE])
async def test_what_was_meant_is_among_the_first_three(
    catalogue_session: AsyncSession, text: str, division: str | None, expected: str
) -> None:
    found = await titles(catalogue_session, text, division)
    assert any(expected in title for title in found), found


@pytest.mark.parametrize(("text", "expected"), BUNDLE_BELOW_ITEMS, ids=[row[0] for row in BUNDLE_BELOW_ITEMS])
async def test_the_bundle_of_the_items_meant_is_on_the_first_page(
    catalogue_session: AsyncSession, text: str, expected: str
) -> None:
    found = await titles(catalogue_session, text, None, count=10)
    assert any(expected in title for title in found), found
