"""The table of codes holds what the product tells, and how."""

from l7lb.model.codes import CODES, TABLE
from tests.house.findings import reasons_by_code, severities_by_code
from tests.house.meanings import COMPUTED

MET = {row.code for row in TABLE if not row.unmet}


def test_a_code_has_one_row_and_the_rows_are_in_order() -> None:
    assert list(CODES) == sorted(row.code for row in TABLE)


def test_every_code_that_is_written_in_the_product_has_a_row_as_one_that_is_met_and_no_other() -> None:
    assert {code for code in reasons_by_code() if code} == MET


def test_a_code_that_is_met_is_told_with_a_reason() -> None:
    found = reasons_by_code()
    assert {code for code in MET if not found[code]} == set(COMPUTED)


def test_a_row_names_the_reasons_with_which_its_code_is_told() -> None:
    found = reasons_by_code()
    told = {code: {*found[code], COMPUTED.get(code, "")} - {""} for code in MET}
    assert {row.code: list(row.reasons) for row in TABLE if row.code in MET} == {
        code: sorted(reasons) for code, reasons in told.items()
    }
    assert [row.code for row in TABLE if row.unmet and row.reasons] == []


def test_a_code_is_told_with_the_severity_of_its_row() -> None:
    found = severities_by_code()
    assert {code: told for code, told in found.items() if not told <= CODES[code].severities} == {}


def test_a_row_says_of_each_severity_that_it_is_told_with_it() -> None:
    found = severities_by_code()
    computed = {"E4006", "E4034"}
    """Told as an error by a function that takes the code from elsewhere."""
    assert {row.code for row in TABLE if row.code in found and found[row.code] != row.severities} == computed
