"""The cache: what a list and an event change, what they must not, and the indexes over it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l7lb.model.identity import ObjectKey
from l7lb.model.watch import Change, ChangeType, Item
from l7lb.runtime.store import Delta, Store, newer


def item(name: str, version: str, labels: str = "", uid: str = "u1", namespace: str = "shop") -> Item[str]:
    return Item(ObjectKey(namespace, name), uid, version, labels)


def added(it: Item[str]) -> Change[str]:
    return Change(ChangeType.ADDED, it)


def deleted(it: Item[str]) -> Change[str]:
    return Change(ChangeType.DELETED, it)


def store_of(*items: Item[str]) -> Store[str]:
    store = Store[str]({"word": str.split})
    store.replace(items)
    return store


@pytest.mark.parametrize(
    ("version", "known", "expected"),
    [("10", "9", True), ("9", "10", False), ("9", "9", False), ("9" * 40, "8" * 40, True), ("010", "10", False)],
    ids=["longer", "shorter", "equal", "beyond 64 bits", "leading zero"],
)
def test_versions_are_compared_as_numbers_of_any_length(version: str, known: str, expected: bool) -> None:
    assert newer(version, known) is expected


@given(a=st.integers(min_value=0), b=st.integers(min_value=0))
def test_version_order_is_the_order_of_numbers(a: int, b: int) -> None:
    assert newer(str(a), str(b)) is (a > b)


def test_an_opaque_version_counts_as_newer_unless_equal() -> None:
    assert newer("b", "a")
    assert newer("a", "b")
    assert not newer("a", "a")


def test_a_list_deletes_what_it_does_not_name_and_says_that_the_end_was_not_seen() -> None:
    old = item("gone", "1", "x")
    store = store_of(old, item("kept", "1"))
    assert store.replace([item("kept", "1")]) == (Delta(old, None, final_state_unknown=True),)
    assert store.get(old.key) is None
    assert store.by_index("word", "x") == ()


def test_a_list_with_the_same_versions_changes_nothing() -> None:
    store = store_of(item("a", "1"), item("b", "2"))
    assert store.replace([item("b", "2"), item("a", "1")]) == ()


def test_a_list_touches_only_its_scope() -> None:
    other = item("b", "1", namespace="other")
    store = store_of(item("a", "1"), other)
    store.replace([], scope=lambda key: key.namespace == "shop")
    assert store.list() == (other,)


def test_what_could_not_be_decoded_keeps_its_last_good_version() -> None:
    known = item("poisoned", "1")
    store = store_of(known)
    assert store.replace([], keep=[known.key]) == ()
    assert store.get(known.key) == known


def test_an_object_with_another_uid_was_deleted_and_made_anew() -> None:
    old, new = item("a", "1", "x", uid="u1"), item("a", "5", "y", uid="u2")
    expected = (Delta(old, None, final_state_unknown=True), Delta(None, new))
    assert store_of(old).replace([new]) == expected
    store = store_of(old)
    assert store.apply(added(new)) == expected
    assert store.by_index("word", "x") == ()
    assert store.by_index("word", "y") == (new,)


@pytest.mark.parametrize("version", ["9", "10"], ids=["older", "same"])
def test_an_event_that_is_not_newer_changes_nothing(version: str) -> None:
    store = store_of(item("a", "10", "new"))
    assert store.apply(added(item("a", version, "old"))) == ()
    assert store.by_index("word", "old") == ()


def test_the_replay_of_an_old_deletion_does_not_delete_what_was_made_since() -> None:
    store = store_of(item("a", "10", uid="u2"))
    assert store.apply(deleted(item("a", "7", uid="u1"))) == ()
    assert len(store) == 1


def test_a_deletion_says_what_was_known_and_a_second_one_nothing() -> None:
    known = item("a", "1", "x")
    store = store_of(known)
    assert store.apply(deleted(item("a", "2"))) == (Delta(known, None),)
    assert store.apply(deleted(item("a", "2"))) == ()
    assert store.index_values("word") == ()


def test_an_index_follows_a_change() -> None:
    store = store_of(item("a", "1", "x y"))
    new = item("a", "2", "y z")
    store.apply(added(new))
    assert store.by_index("word", "x") == ()
    assert store.by_index("word", "y") == store.by_index("word", "z") == (new,)


def test_an_object_that_no_index_copes_with_keeps_its_last_good_version_and_holds_no_other() -> None:
    def first_word(text: str) -> list[str]:
        return [text.split(maxsplit=1)[0]]

    store = Store[str]({"first": first_word})
    good = item("a", "1", "x")
    store.replace([good])
    other = item("b", "3", "y")
    assert store.replace([item("a", "2", ""), other]) == (Delta(None, other),)
    assert store.by_index("first", "x") == (good,)


def test_an_index_that_does_not_exist_is_a_bug_of_the_caller() -> None:
    with pytest.raises(KeyError):
        store_of().by_index("nothing", "x")


def test_index_functions_are_not_asked_about_what_differs_in_nothing_that_they_read() -> None:
    asked: list[str] = []

    def words(text: str) -> list[str]:
        asked.append(text)
        return text.split()

    store = Store[str]({"word": words}, same_values=same_words)
    store.apply(added(item("a", "1", "x y")))
    assert store.apply(added(item("a", "2", "x  y"))) == (
        Delta(item("a", "1", "x y"), item("a", "2", "x  y"), same_values=True),
    )
    assert asked == ["x y"]
    assert store.by_index("word", "y") == (item("a", "2", "x  y"),)
    store.apply(added(item("a", "3", "z")))
    assert (store.by_index("word", "y"), store.by_index("word", "z")) == ((), (item("a", "3", "z"),))


@pytest.mark.parametrize("compares", [False, True])
def test_no_reader_waits_while_index_functions_are_asked(compares: bool) -> None:
    locked: list[bool] = []

    def words(text: str) -> list[str]:
        locked.append(store._lock.locked())
        return text.split()

    store = Store[str]({"word": words}, same_values=same_words if compares else None)
    store.replace([item("a", "1", "x"), item("b", "1", "x"), item("c", "1", "x")])
    store.replace([item("a", "2", "y"), item("b", "2", "x"), item("d", "2", "x")])  # changed, not so, gone, new
    store.apply(added(item("a", "3", "z")))
    store.apply(deleted(item("b", "4", "x")))
    assert (store.by_index("word", "x"), store.by_index("word", "y")) == ((item("d", "2", "x"),), ())
    assert locked
    assert not any(locked)


def test_another_object_of_the_same_name_is_never_taken_for_the_same() -> None:
    store = Store[str]({"word": str.split}, same_values=same_words)
    store.apply(added(item("a", "1", "x", uid="u1")))
    gone, came = store.apply(added(item("a", "2", "x", uid="u2")))
    assert (gone.new, came.old, gone.same_values, came.same_values) == (None, None, False, False)


EVENTS = st.lists(
    st.tuples(st.sampled_from("abc"), st.booleans(), st.sampled_from(["x", "y", "x y", ""]), st.sampled_from("12")),
    max_size=30,
)


def same_words(old: str, new: str) -> bool:
    return old.split() == new.split()


@given(events=EVENTS, cut=st.integers(0, 30), compares=st.booleans())
def test_indexes_and_deltas_equal_what_is_computed_anew(
    events: list[tuple[str, bool, str, str]], cut: int, compares: bool
) -> None:
    store = Store[str]({"word": str.split}, same_values=same_words if compares else None)
    folded: dict[ObjectKey, Item[str]] = {}
    for version, (name, gone, labels, uid) in enumerate(events):
        it = item(name, str(version), labels, uid)
        deltas = store.replace([it]) if version == cut else store.apply(deleted(it) if gone else added(it))
        for delta in deltas:
            if delta.new is None:
                del folded[delta.key]
            else:
                assert folded.get(delta.key) == delta.old
                folded[delta.key] = delta.new
    assert {it.key: it for it in store.list()} == folded
    words = {word for it in folded.values() for word in it.object.split()}
    assert set(store.index_values("word")) == words
    for word in words:
        expected = {it.key for it in folded.values() if word in it.object.split()}
        assert {it.key for it in store.by_index("word", word)} == expected
