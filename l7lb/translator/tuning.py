"""Which TkeServiceConfig counts for an Ingress: the one that it names, or the one that is kept for it.

What such an object means is in `serviceconfig`.
"""

from typing import Final

from l7lb.model.cluster import Ingress
from l7lb.model.identity import ObjectKey
from l7lb.model.loadbalancer import ListenerSpec
from l7lb.model.snapshot import Snapshot
from l7lb.translator.names import Name
from l7lb.translator.notebook import Notebook
from l7lb.translator.options import AUTO_SUFFIX, RESERVED_SUFFIXES, field_of, flag_of, text_of
from l7lb.translator.serviceconfig import decorate

KIND: Final = "TkeServiceConfig"


def auto_key(ingress: Ingress) -> ObjectKey | None:
    """The object that is kept for this Ingress (contract, section 6.4); None when none is asked for, or none may be."""
    if not flag_of(ingress, Name.CONFIG_AUTO) or text_of(ingress, Name.CONFIG) or flag_of(ingress, Name.GROUP):
        return None
    return ObjectKey(ingress.metadata.namespace, ingress.metadata.name + AUTO_SUFFIX)


def config_key(ingress: Ingress) -> ObjectKey | None:
    """The object whose declarations count for this Ingress, whether it exists or not; None: there is none."""
    named = text_of(ingress, Name.CONFIG)
    if not named:
        return auto_key(ingress)
    return None if named.endswith(RESERVED_SUFFIXES) else ObjectKey(ingress.metadata.namespace, named)


def tuned(listeners: tuple[ListenerSpec, ...], snapshot: Snapshot, notebook: Notebook) -> tuple[ListenerSpec, ...]:
    """The listeners as the object declares them. Without it they are left as they are: that blocks nothing."""
    ingress = snapshot.ingress
    _exclusions(ingress, notebook)
    key = config_key(ingress)
    if key is None or KIND in snapshot.unread:
        return listeners
    config = snapshot.configs.get(key)
    if config is not None:
        return decorate(listeners, config, notebook)
    if text_of(ingress, Name.CONFIG):
        notebook.warn(
            "E4043",
            "ServiceConfigNotFound",
            f"Ingress {notebook.about}: TkeServiceConfig {key} does not exist; create it, until then what is there"
            " is left",
            field=field_of(Name.CONFIG),
        )
    return listeners


def _exclusions(ingress: Ingress, notebook: Notebook) -> None:
    if not flag_of(ingress, Name.CONFIG_AUTO):
        return
    if text_of(ingress, Name.CONFIG):
        why = f"cannot be had together with {Name.CONFIG.value}, which counts; remove one of them"
    elif flag_of(ingress, Name.GROUP):
        why = f"cannot be had together with {Name.GROUP.value}; name an object with {Name.CONFIG.value} instead"
    else:
        return
    notebook.problem(
        "",
        "ExcludedAnnotation",
        f"Ingress {notebook.about}: annotation {Name.CONFIG_AUTO.value} {why}",
        field=field_of(Name.CONFIG_AUTO),
    )
