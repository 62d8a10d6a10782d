"""Which values an object may hold: the entrance to the checks of each kind.

Types and field names are checked by `schema`, names and labels by `metadata`.
"""

from collections.abc import Callable, Iterable

from tests.emulators.kube.kinds import Kind
from tests.emulators.kube.wire import Cause, Json

Check = Callable[[Json, Json | None], Iterable[Cause]]

_CHECKS: dict[str, Check] = {}


def problems(kind: Kind, new: Json, old: Json | None, subresource: str = "") -> list[Cause]:
    """What is wrong with the values of an object, compared with what it was."""
    check = _CHECKS.get(kind.bucket)
    return list(check(new, old)) if check and not subresource else []
