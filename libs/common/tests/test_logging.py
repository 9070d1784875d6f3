from service_common.logging import blot_personal_numbers


def test_identity_and_mobile_numbers_never_reach_a_log_line() -> None:
    line = {
        "event": "x",
        "note": "号码 430102189912310029 电话 19900001234",
        "id": "01a203c8-60d3-70c1-bbd3-a94671bbfa85",
    }
    assert blot_personal_numbers(None, "info", dict(line)) == {
        "event": "x",
        "note": "号码 *** 电话 ***",
        "id": line["id"],
    }
