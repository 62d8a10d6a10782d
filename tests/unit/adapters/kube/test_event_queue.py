"""When an Event is written, with the time as an argument."""

from l7lb.adapters.kube.event_queue import ATTEMPTS_MAX, QUEUE_LENGTH_MAX, Entry, EventQueue
from l7lb.model.identity import ObjectKey
from l7lb.model.writing import EventType, Note, ObjectReference


def note(message: str = "E4041 no such Service", namespace: str = "shop") -> Note:
    about = ObjectReference("networking.k8s.io/v1", "Ingress", ObjectKey(namespace, "web"), "uid-1")
    return Note(about, EventType.WARNING, "NoService", message, "E4041")


def due(queue: EventQueue, now: float) -> tuple[Entry, int]:
    found = queue.next(now)
    assert isinstance(found, tuple)
    return found


def test_new_note_is_due_at_once_and_only_once() -> None:
    queue = EventQueue()
    assert queue.take(note(), 0, 1000) == ""
    entry, count = due(queue, 0)
    queue.written(entry, "web.1", count, 0)
    assert (count, queue.next(0)) == (1, None)


def test_same_note_is_counted_and_written_again_after_half_a_minute() -> None:
    queue = EventQueue()
    queue.take(note(), 0, 1000)
    entry, count = due(queue, 0)
    queue.written(entry, "web.1", count, 0)
    for second in range(1, 6):
        queue.take(note(), second, 1000 + second)
    assert queue.next(5) == 25
    again, count = due(queue, 30)
    assert (again.name, count, again.first_at, again.last_at) == ("web.1", 6, 1000, 1005)


def test_note_that_comes_while_it_is_being_written_is_not_lost() -> None:
    queue = EventQueue()
    queue.take(note(), 0, 1000)
    entry, count = due(queue, 0)
    queue.take(note(), 1, 1001)
    queue.written(entry, "web.1", count, 1)
    assert due(queue, 31)[1] == 2


def test_after_an_hour_the_same_note_is_a_new_event() -> None:
    queue = EventQueue()
    queue.take(note(), 0, 1000)
    entry, count = due(queue, 0)
    queue.written(entry, "web.1", count, 0)
    queue.take(note(), 3600, 4600)
    entry, count = due(queue, 3600)
    assert (entry.name, count, entry.first_at) == ("", 1, 4600)


def test_eleventh_new_note_of_a_minute_is_dropped_in_its_namespace_only() -> None:
    queue = EventQueue()
    assert [queue.take(note(str(n)), 0, 0) for n in range(10)] == [""] * 10
    assert queue.take(note("11"), 59, 0) == "rate"
    assert queue.take(note("11", namespace="other"), 59, 0) == ""
    assert queue.take(note("3"), 59, 0) == ""
    assert queue.take(note("11"), 60, 0) == ""


def test_full_queue_drops_new_notes() -> None:
    queue = EventQueue()
    causes = [queue.take(note(str(n), f"ns{n}"), 0, 0) for n in range(QUEUE_LENGTH_MAX + 1)]
    assert causes[-2:] == ["", "queue"]


def test_outage_makes_all_wait_longer_and_longer_and_gives_up_in_the_end() -> None:
    queue = EventQueue()
    queue.take(note(), 0, 0)
    now, waits = 0.0, []
    entry, _ = due(queue, now)
    while queue.failed(entry, now, 0):
        wait = queue.next(now)
        assert isinstance(wait, float)
        waits.append(wait)
        now += wait
        entry, _ = due(queue, now)
    assert waits == [1, 2, 4, 8, 16, 30, 30]
    assert len(waits) == ATTEMPTS_MAX - 1
    assert queue.next(now + 1000) is None


def test_server_that_names_a_delay_gets_it() -> None:
    queue = EventQueue()
    queue.take(note(), 0, 0)
    queue.failed(due(queue, 0)[0], 0, 12)
    assert queue.next(0) == 12


def test_expired_event_is_written_anew_but_not_into_a_namespace_that_is_gone() -> None:
    queue = EventQueue()
    queue.take(note(), 0, 0)
    entry, count = due(queue, 0)
    queue.written(entry, "web.1", count, 0)
    queue.take(note(), 40, 0)
    assert queue.vanished(due(queue, 40)[0], 40)
    entry, _ = due(queue, 40)
    assert entry.name == ""
    assert not queue.vanished(entry, 40)
    assert queue.next(1000) is None


def test_dropped_note_may_come_again() -> None:
    queue = EventQueue()
    queue.take(note(), 0, 0)
    queue.drop(due(queue, 0)[0])
    queue.take(note(), 1, 0)
    assert due(queue, 1)[1] == 1


def test_what_is_long_past_is_forgotten() -> None:
    queue = EventQueue()
    for n in range(50):
        queue.take(note(namespace=f"ns{n}"), n, 0)
        entry, count = due(queue, n)
        queue.written(entry, "e", count, n)
    assert queue.next(10_000) is None
    assert (len(queue._entries), len(queue._new)) == (0, 0)
