"""The demo says what it waits for."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from lianban_local import ports, runfile
from lianban_local.__main__ import cli
from lianban_local.runfile import Account
from lianban_local.state import StateFolder

CITIZEN = Account(role="citizen", username="nobody", password="nothing")


@pytest.mark.parametrize(
    ("accounts", "said"),
    [
        (None, "`make run` starts one"),
        ([], "still loading"),
        ([CITIZEN], "starts the platform again"),
    ],
)
def test_the_demo_of_a_platform_that_is_not_up_says_so_in_a_line(
    tmp_path: Path, accounts: list[Account] | None, said: str
) -> None:
    if accounts is not None:
        nobody = f"http://127.0.0.1:{ports.choose()}"
        runfile.write_run_json(
            StateFolder(tmp_path).run_file, base_url=nobody, issuer=nobody, accounts=accounts, clients=[]
        )
    result = CliRunner().invoke(cli, ["demo", "--state", str(tmp_path)])
    assert result.exit_code == 1
    assert said in " ".join(result.output.split())
