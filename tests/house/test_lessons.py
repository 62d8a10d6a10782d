"""Each known way to fail has its measure, and the tests that prove it exist."""

from tests.house.lessons import lacking, lessons


def test_every_test_that_is_named_is_there() -> None:
    assert lacking() == []


def test_no_known_failure_is_left_out_and_none_is_without_a_test() -> None:
    rows = [lesson for group in lessons().values() for lesson in group]
    assert len(rows) == 48
    assert len({lesson.failure for lesson in rows}) == 48
    assert all(lesson.tests for lesson in rows)
