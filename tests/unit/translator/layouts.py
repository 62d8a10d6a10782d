"""What a translation puts where, for people to read."""

from l7lb.model.snapshot import Translation


def shapes(translation: Translation) -> dict[str, list[str]]:
    """`{"HTTP:80": ["host/path"]}`: the rules of each listener."""
    assert translation.desired is not None
    return {str(one.key): [str(rule.key) for rule in one.rules] for one in translation.desired.listeners}
