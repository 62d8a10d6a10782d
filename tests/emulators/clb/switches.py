"""What nobody knows about the cloud, as switches: each point that no document settles.

``Switches()`` holds the calm values (what most public callers assume). ``Switches.drawn(seed)`` draws every one.
A switch that only the data plane needs is read from here too. No behaviour belongs here.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

_DUPLICATE = ("InvalidParameterValue.Duplicate", "InvalidParameterValue", "InvalidParameter")

CHOICES: Mapping[str, tuple[Any, ...]] = {
    "location_ids_order": ("as_sent", "reversed", "shuffled"),
    "parts_visible": ("after_task", "before_task"),
    "batch_busy_s_max": (0.0, 0.5, 2.0),
    "tag_lag_s": (0.0, 5.0, 30.0),
    "tag_filter_lag_s": (0.0, 5.0, 30.0),
    "create_tag_lag_s": (0.0, 2.0),
    "create_tail_s": (0.0, 1.0),
    "create_ids": ("given", "empty", "null"),
    "reregister_weight": ("keep", "change"),
    "task_retention_s": (600.0, 86400.0),
    "unknown_task_code": ("InvalidParameter", "FailedOperation"),
    "auto_rewrite_listener_name": ("empty", "generated", "copied"),
    "paging": ("stable", "shift_left", "shift_right"),
    "rewrite_target": ("null", "empty_object"),
    "deregister_unbound": ("error", "ignore"),
    "register_duplicate": ("error", "ignore"),
    "protection_scope": ("attributes", "all_writes"),
    "duplicate_rule_code": _DUPLICATE,
    "missing_location_code": ("InvalidParameter.LocationNotFound", "InvalidParameter", "InvalidParameterValue"),
    "create_rule_max": (None, 20),
    "delete_rule_max": (None, 20),
    "rewrite_infos_max": (None, 20),
    "creating_code": ("FailedOperation.ResourceInOperating", "FailedOperation.InvalidLBStatus"),
    "busy_code": ("FailedOperation.ResourceInOperating", "InternalError"),
    "no_target_status": (503, 502, 504),
    "percent_in_url": (False, True),
    "regex_charset": ("new", "old"),
    "gzip_answers": (False, True),
    "idle_connection_s": (None, 60.0, 5.0),
    "stamp_hours_east": (8, 0),
    "backend_type": ("CVM", "cvm"),
    "security_groups_task": (True, False),
    "health_interval_min": (2, 5),
    "sni_moves_certificate": (True, False),
    "expired_certificate": ("refused", "accepted"),
    "public_address": ("vip", "domain"),
    "token_with_other_request": ("same", "refused"),
    "dead_token": ("refused", "old_id"),
    "protected_delete_code": ("FailedOperation", "OperationDenied", "UnsupportedOperation"),
    "target_identity": ("either", "as_bound"),
    "least_conn_session": ("refused", "accepted"),
}


@dataclass(frozen=True, slots=True)
class Switches:
    """One value per open point; the choices are in :data:`CHOICES`, the first of each is the calm one."""

    location_ids_order: str = "as_sent"
    """Order of ``LocationIds`` in the answer of CreateRule."""
    parts_visible: str = "after_task"
    """Whether listeners, rules and the like are seen before the task that makes them has ended."""
    batch_busy_s_max: float = 0.0
    """A Batch call leaves its load balancer busy for up to so long."""
    tag_lag_s: float = 0.0
    """After a change through the tag service, until inline tags show it."""
    tag_filter_lag_s: float = 0.0
    """After a creation or a change, until filters by tag find it."""
    create_tag_lag_s: float = 0.0
    """After a creation, until its tags are seen inline."""
    create_tail_s: float = 0.0
    """After a creation, from Status 1 to the end of its task; until then writes are refused."""
    create_ids: str = "given"
    reregister_weight: str = "keep"
    task_retention_s: float = 600.0
    unknown_task_code: str = "InvalidParameter"
    auto_rewrite_listener_name: str = "empty"
    paging: str = "stable"
    """Pages with an Offset: ``shift_left`` misses an item as if one before it had gone, ``shift_right`` repeats one."""
    rewrite_target: str = "null"
    deregister_unbound: str = "error"
    register_duplicate: str = "error"
    """RegisterTargets (not Batch, which is re-entrant) of a target that is bound."""
    protection_scope: str = "attributes"
    duplicate_rule_code: str = "InvalidParameterValue.Duplicate"
    missing_location_code: str = "InvalidParameter.LocationNotFound"
    create_rule_max: int | None = None
    delete_rule_max: int | None = None
    rewrite_infos_max: int | None = None
    creating_code: str = "FailedOperation.ResourceInOperating"
    busy_code: str = "FailedOperation.ResourceInOperating"
    """``InternalError``: now and then (one in four) a busy load balancer answers that instead."""
    no_target_status: int = 503
    percent_in_url: bool = False
    regex_charset: str = "new"
    gzip_answers: bool = False
    idle_connection_s: float | None = None
    stamp_hours_east: int = 8
    backend_type: str = "CVM"
    security_groups_task: bool = True
    health_interval_min: int = 2
    sni_moves_certificate: bool = True
    """Switching SNI on gives the listener's certificate to the hosts and takes it off the listener."""
    expired_certificate: str = "refused"
    public_address: str = "vip"
    token_with_other_request: str = "same"
    """A ClientToken that comes again with another body: the same load balancer, or refused."""
    dead_token: str = "refused"
    """A ClientToken whose load balancer is gone: refused, or the old id."""
    protected_delete_code: str = "FailedOperation"
    target_identity: str = "either"
    """``as_bound``: a target bound by InstanceId is only found by it, one bound by EniIp only by that."""

    least_conn_session: str = "refused"
    """Sticky sessions with Scheduler LEAST_CONN: the API's description says no, TKE's own sample declares both."""

    @classmethod
    def drawn(cls, seed: int) -> Self:
        """Every switch drawn from the seed; adding a switch does not change what older ones get."""
        return cls(**{name: random.Random(f"{seed}/{name}").choice(values) for name, values in CHOICES.items()})

    def but(self, changes: Mapping[str, Any]) -> Self:
        """A copy with some switches set; an unknown name is a ``TypeError``."""
        return replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        return {item.name: getattr(self, item.name) for item in fields(self)}
