"""What a tag may be (tag limits page), for CreateLoadBalancer and for the tag service alike."""

import re
from collections.abc import Sequence

from tests.emulators.clb.errors import ApiError
from tests.emulators.clb.wire import Json

_TEXT = re.compile(r"[\w \-+=.:/@()\[\],;><]*")
RESERVED_PREFIXES = ("qcs:", "project", "项目")


def check_tags(tags: Sequence[Json], at_most: int) -> None:
    """Refuse too many tags, doubles, reserved keys, lengths and characters."""
    if len(tags) > at_most:
        raise ApiError("LimitExceeded.TagNumPerRequest", f"At most {at_most} tags can be given in one request.")
    keys = [tag["TagKey"] for tag in tags]
    if len(set(keys)) != len(keys):
        raise ApiError("InvalidParameterValue", "A tag key is given twice.")
    for tag in tags:
        check_key(tag["TagKey"])
        value = tag["TagValue"]
        if len(value) > 255 or not _TEXT.fullmatch(value):
            raise ApiError("InvalidParameterValue", f"Tag value '{value}' is not valid.")


def check_key(key: str) -> None:
    if key.startswith(RESERVED_PREFIXES):
        raise ApiError("InvalidParameter.ReservedTagKey", f"Tag key '{key}' is reserved.")
    if not 1 <= len(key) <= 127 or not _TEXT.fullmatch(key):
        raise ApiError("InvalidParameterValue", f"Tag key '{key}' is not valid.")
