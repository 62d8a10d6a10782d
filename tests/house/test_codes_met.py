"""Every code that can be told has a test in which it is told: a golden case, or one that is named here.

Named are those that only a refusal of the cloud, an edit over time or two Ingresses together bring about.
"""

import re
from typing import Final

import pytest

from l7lb.model.codes import TABLE
from tests.golden.case_file import Expectation, load, paths
from tests.house.source import ROOT, Module, functions

ORDERS: Final = "tests/unit/reconciler/test_orders_and_defaults.py"
ORDER_REFUSED: Final = f"{ORDERS}::test_an_order_that_is_refused_is_told_with_tkes_code_and_leaves_no_mark"
CERTIFICATE_REFUSED: Final = (
    "tests/unit/reconciler/test_certificates.py"
    "::test_a_certificate_that_cannot_be_used_leaves_the_old_one_serving_and_the_rest_is_done"
)
REDIRECTS: Final = "tests/unit/reconciler/test_redirects.py"
TROUBLE: Final = "tests/system/test_trouble.py"
MET_BY: Final = {
    "E4000": f"{ORDERS}::test_an_order_that_is_too_many_for_the_moment_is_told_and_placed_again",
    "E4006": f"{REDIRECTS}::test_a_redirect_of_the_console_is_left_alone_without_an_annotation",
    "E4012": CERTIFICATE_REFUSED,
    "E4025": ORDER_REFUSED,
    "E4027": ORDER_REFUSED,
    "E4033": ORDER_REFUSED,
    "E4036": CERTIFICATE_REFUSED,
    "E4038": CERTIFICATE_REFUSED,
    "E4039": CERTIFICATE_REFUSED,
    "E4053": ORDER_REFUSED,
    "E4060": ORDER_REFUSED,
    "E4071": ORDER_REFUSED,
    "E4091": ORDER_REFUSED,
    "E6006": f"{TROUBLE}::test_a_cloud_that_cannot_be_reached_is_told_and_waited_for",
}
"""Code -> the test."""


def test_every_code_is_met_by_a_golden_case_or_by_a_test_that_is_named() -> None:
    golden = {code for path in paths() for code in told(load(path).expect)}
    assert {row.code for row in TABLE if not row.unmet} - golden == set(MET_BY)


@pytest.mark.parametrize("code", MET_BY)
def test_a_test_that_is_named_exists_and_speaks_of_its_code(code: str) -> None:
    place, _, name = MET_BY[code].partition("::")
    module = Module(ROOT / place)
    assert name in {function.name for function in functions(module.tree)}
    assert re.search(rf'"[^"\n]*\b{code}\b', module.text)


def told(expect: Expectation) -> set[str]:
    """Codes in the Events, and in the error, of a golden case."""
    texts = [text for of_one in expect.values() for text in (*of_one.get("events", ()), of_one.get("error", ""))]
    return {code for text in texts for code in re.findall(r"\b[EW]\d{4}\b", text)}
