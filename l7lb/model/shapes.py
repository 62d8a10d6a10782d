"""The only way to a typed decoder: what msgspec keeps of a class is made by one thread at a time.

msgspec 0.22 hangs it on the class before it is complete. A second thread that decodes the same class for the first time
meanwhile reads through a null pointer, and the process is gone without a word. What shapes mean does not belong here.
"""

import threading
from typing import Final, TypeVar

import msgspec

T = TypeVar("T")

_MAKING: Final = threading.RLock()
_JSON: Final[dict[object, object]] = {}
_MSGPACK: Final[dict[object, object]] = {}


def json_decoder(shape: type[T]) -> msgspec.json.Decoder[T]:
    """The one of this shape; any thread may use it."""
    made = _JSON.get(shape)
    if made is None:
        with _MAKING:
            made = _JSON.setdefault(shape, msgspec.json.Decoder(shape))
    assert isinstance(made, msgspec.json.Decoder)
    return made


def msgpack_decoder(shape: type[T]) -> msgspec.msgpack.Decoder[T]:
    """Likewise."""
    made = _MSGPACK.get(shape)
    if made is None:
        with _MAKING:
            made = _MSGPACK.setdefault(shape, msgspec.msgpack.Decoder(shape))
    assert isinstance(made, msgspec.msgpack.Decoder)
    return made


def converted(value: object, shape: type[T], *, strict: bool = True) -> T:
    """What was decoded without a shape, in one; raises msgspec.ValidationError where it does not fit."""
    json_decoder(shape)
    return msgspec.convert(value, shape, strict=strict)
