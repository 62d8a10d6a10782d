"""Asynchronous tasks: accepted now, ended at a time drawn from the latency, and one at a time per load balancer.

The transitions are declared once: running (2) to succeeded (0) or failed (1) when the time has come. What a task does
is a closure given by the action; this module knows no action.
"""

import heapq
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.emulators.clb.errors import ApiError

SUCCEEDED, FAILED, RUNNING = 0, 1, 2

Effect = Callable[[], None]


@dataclass(slots=True)
class Task:
    """One accepted write. ``id`` is the RequestId of the call that made it."""

    id: str
    action: str
    load_balancer_ids: tuple[str, ...]
    ends_at: float
    effect: Effect
    undo: Effect | None = None
    deal_name: str = ""
    status: int = RUNNING
    message: str = ""
    failure: str = ""
    """A failure that was decided when the task was accepted (fault injection)."""


def _done() -> None:
    """What there was to do is done."""


class Latency:
    """How long tasks take: ``fast`` is 0 s, ``real`` draws, a number or a table per action is exact."""

    def __init__(self, kind: str | float | Mapping[str, float], dice: random.Random) -> None:
        self._kind = kind
        self._dice = dice

    def draw(self, action: str) -> float:
        """Seconds for the next task of an action."""
        if isinstance(self._kind, Mapping):
            return self._kind.get(action, self._kind.get("*", 0.0))
        if isinstance(self._kind, int | float):
            return float(self._kind)
        if self._kind == "fast":
            return 0.0
        return self._dice.uniform(2.0, 5.0) if action == "CreateLoadBalancer" else self._dice.uniform(0.3, 2.0)


class TaskTable:
    """All tasks, running and ended. An ended one is remembered until :meth:`find` is asked too late."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}
        self._running: list[tuple[float, int, Task]] = []
        self._serial = 0
        self._slots: dict[str, str] = {}

    def start(self, task: Task) -> None:
        """Take the slots of the task's load balancers."""
        self._tasks[task.id] = task
        self._serial += 1
        heapq.heappush(self._running, (task.ends_at, self._serial, task))
        for lb_id in task.load_balancer_ids:
            self._slots[lb_id] = task.id

    def linger(self, task: Task, seconds: float) -> None:
        """What it makes is there at its time, while it runs so much longer."""
        first = Task("", task.action, (), task.ends_at, task.effect)
        task.effect, task.ends_at = _done, task.ends_at + seconds
        self._running = [one for one in self._running if one[2] is not task]
        heapq.heapify(self._running)
        for part in (first, task):
            self._serial += 1
            heapq.heappush(self._running, (part.ends_at, self._serial, part))

    def settle(self, now: float) -> bool:
        """Do what is due, earliest first; whether anything was done."""
        done = False
        while self._running and self._running[0][0] <= now:
            self._end(heapq.heappop(self._running)[2])
            done = True
        return done

    def alias(self, task_id: str, same_as: str) -> None:
        """Let a second id (a repeated order's RequestId) name the same task."""
        if same_as in self._tasks:
            self._tasks[task_id] = self._tasks[same_as]

    def running_on(self, lb_id: str) -> Task | None:
        return self._tasks.get(self._slots.get(lb_id, ""))

    def next_end(self) -> float | None:
        """When the next running task ends."""
        return self._running[0][0] if self._running else None

    def find(self, task_id: str, deal_name: str) -> Task | None:
        """By the RequestId of the write, or by its order."""
        if task_id:
            return self._tasks.get(task_id)
        return next((task for task in self._tasks.values() if task.deal_name == deal_name), None)

    def forget(self, ended_before: float) -> None:
        """Drop what ended before a time; how long the cloud remembers is not known."""
        stale = [key for key, task in self._tasks.items() if task.status != RUNNING and task.ends_at < ended_before]
        for key in stale:
            del self._tasks[key]

    def all(self) -> list[Task]:
        return list(self._tasks.values())

    def _end(self, task: Task) -> None:
        for lb_id in task.load_balancer_ids:
            self._slots.pop(lb_id, None)
        failure = task.failure
        if not failure:
            try:
                task.effect()
            except ApiError as error:
                failure = error.message
        if failure and task.undo is not None:
            task.undo()
        task.status = FAILED if failure else SUCCEEDED
        task.message = failure
