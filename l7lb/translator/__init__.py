"""From cluster objects to what a load balancer should be. Pure: equal snapshots give equal translations.

A user's mistake is never an exception: it comes back as a Problem with what it holds. Only what the objects say is
looked at, never the cloud.
"""

from l7lb.translator.annotations import AnnotationRow, annotation_rows
from l7lb.translator.asking import author_digest
from l7lb.translator.binding import (
    binding_key,
    creation_marks,
    not_applied,
    references,
    region_of,
    same_references,
    secrets_of,
    services_of,
)
from l7lb.translator.certificates import certificate_ids
from l7lb.translator.classes import class_pair, standing, verdict
from l7lb.translator.create import site_of
from l7lb.translator.nodes import is_ready, is_super
from l7lb.translator.options import direct, options
from l7lb.translator.pods import selects
from l7lb.translator.serviceconfig_mirror import in_step
from l7lb.translator.translate import translate
from l7lb.translator.tuning import auto_key, config_key

__all__ = [
    "AnnotationRow",
    "annotation_rows",
    "author_digest",
    "auto_key",
    "binding_key",
    "certificate_ids",
    "class_pair",
    "config_key",
    "creation_marks",
    "direct",
    "in_step",
    "is_ready",
    "is_super",
    "not_applied",
    "options",
    "references",
    "region_of",
    "same_references",
    "secrets_of",
    "selects",
    "services_of",
    "site_of",
    "standing",
    "translate",
    "verdict",
]
