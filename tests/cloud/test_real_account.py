"""`make e2e-cloud`: as on the emulator, against the real cloud; skipped with a word where there is no account."""

import sys

import pytest

from tests.cloud.account import Account, settings
from tests.cloud.lab import Lab
from tests.cloud.report import FILE, as_text, run, write

TOLD = settings()

pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.skipif(isinstance(TOLD, str), reason=TOLD if isinstance(TOLD, str) else "there is an account"),
]


def test_a_load_balancer_is_built_serves_is_changed_and_goes_and_every_question_is_asked() -> None:
    assert not isinstance(TOLD, str)
    account = Account(TOLD)
    sys.stderr.write(f"run {account.run}: what it leaves behind goes with: make e2e-cloud-clean RUN={account.run}\n")
    with Lab(account) as lab:
        report = run(account, lab, serves=True)
    write(report)
    sys.stderr.write(f"{as_text(report)}\nwritten: {FILE}\n")
    assert account.mine() == {}
    account.close()
    assert [
        row["id"] for row in report["questions"] if not (row["finding"] or row["not_asked"].startswith("only "))
    ] == []
