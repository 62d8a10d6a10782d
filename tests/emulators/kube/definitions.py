"""CustomResourceDefinitions: what is served because of them, and the status that their controllers would write.

Source: "Extend the Kubernetes API with CustomResourceDefinitions".
"""

from tests.emulators.kube.kinds import Kind
from tests.emulators.kube.wire import Json, copied
from tests.emulators.kube.world import World

BUCKET = "customresourcedefinitions.apiextensions.k8s.io"


def established(world: World, kind: Kind, obj: Json) -> None:
    """Serve a new definition's kinds at once and say so in its status; other kinds are left alone."""
    if kind.bucket != BUCKET:
        return
    world.catalog.define(obj)
    told = copied(obj)
    spec = told["spec"]
    stored = [version["name"] for version in spec["versions"] if version.get("storage")]
    told["status"] = {
        "acceptedNames": spec["names"],
        "storedVersions": stored,
        "conditions": [
            _condition(world, "NamesAccepted", "NoConflicts", "no conflicts found"),
            _condition(world, "Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ],
    }
    world.storage.put(BUCKET, ("", obj["metadata"]["name"]), told)


def _condition(world: World, kind: str, reason: str, message: str) -> Json:
    return {"type": kind, "status": "True", "lastTransitionTime": world.stamp(), "reason": reason, "message": message}


def changed(world: World, kind: Kind, obj: Json) -> None:
    """Serve what a changed definition says now."""
    if kind.bucket == BUCKET:
        world.catalog.define(obj)


def removed(world: World, kind: Kind, obj: Json) -> None:
    """Stop serving a removed definition's kinds, whose objects go with it."""
    if kind.bucket != BUCKET:
        return
    bucket = f"{obj['spec']['names']['plural']}.{obj['spec']['group']}"
    for key, _ in list(world.storage.scan(bucket)):
        world.storage.remove(bucket, key)
    world.catalog.forget(obj)


def reload(world: World, before: list[Json]) -> None:
    """After a restore: serve what is stored now instead of what was before."""
    for obj in before:
        world.catalog.forget(obj)
    for obj in all_of(world):
        world.catalog.define(obj)


def all_of(world: World) -> list[Json]:
    """All stored definitions."""
    return [record.obj for _, record in world.storage.scan(BUCKET)]
