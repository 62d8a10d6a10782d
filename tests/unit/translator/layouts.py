"""What a translation puts where, for people to read."""

from l7lb.model.maybe import UNSET, Maybe
from l7lb.model.snapshot import Translation


def shapes(translation: Translation) -> dict[str, list[str]]:
    """`{"HTTP:80": ["host/path"]}`: the rules of each listener."""
    assert translation.desired is not None
    return {str(one.key): [str(rule.key) for rule in one.rules] for one in translation.desired.listeners}


def redirects(found: Translation) -> Maybe[dict[str, str]]:
    """Source -> target, as `HTTP:80 host/path`."""
    assert found.desired is not None
    specs = found.desired.redirects
    return UNSET if specs is UNSET else {str(spec.source): str(spec.target) for spec in specs}
