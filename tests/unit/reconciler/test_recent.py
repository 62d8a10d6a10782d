"""What is remembered for a term is bounded."""

from l7lb.reconciler.recent import Recent


def test_what_was_written_longest_ago_goes_first() -> None:
    kept = Recent[str, int](3)
    for number, name in enumerate("abcd"):
        kept[name] = number
    assert dict(kept) == {"b": 1, "c": 2, "d": 3}
    kept["b"] = 9
    assert kept.setdefault("e", 5) == 5
    assert dict(kept) == {"d": 3, "b": 9, "e": 5}


def test_looking_makes_nothing_newer_and_asking_for_what_is_there_changes_nothing() -> None:
    kept = Recent[str, int](2)
    kept["a"], kept["b"] = 1, 2
    assert (kept.get("a"), kept.setdefault("a", 7)) == (1, 1)
    kept["c"] = 3
    assert set(kept) == {"b", "c"}
