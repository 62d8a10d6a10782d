"""TKE's switches for the whole cluster, out of the ConfigMap that the gate watches (contract, section 8.9).

Reading only: what a switch does is decided where it counts. A key that is not there is off, as TKE's own controller has
it in clusters that are older than the key.
"""

from typing import Final

from l7lb.model.cluster import ConfigMap
from l7lb.model.snapshot import Switches

ON: Final = "true"
KEYS: Final = {
    "GlobalRouteDirectAccess": "global_route_direct_access",
    "EnableDefaultDirectAccess": "default_direct_access",
    "EnablePodGracefulDeletion": "pod_graceful_deletion",
    "EnableNodeGracefulDeletion": "node_graceful_deletion",
    "EnableDefaultModificationProtection": "default_modification_protection",
}
"""Key of the ConfigMap -> field of `Switches`."""


def switches(config: ConfigMap | None) -> Switches:
    """None: the ConfigMap is not there. Anything but `true` is off."""
    data = (config.data if config is not None else None) or {}
    return Switches(**{field: data.get(key, "").strip().lower() == ON for key, field in KEYS.items()})
