"""What is ours and what may be done to it. Pure: reads tags, record and owner, and answers with a claim.

Every write to the cloud is decided for a `Claim` from `read`, and is checked against it once more by `authorize`. Tag
strings stand in `tags` and nowhere else; nobody outside this package compares a tag.
"""

from l7lb.ledger.authority import authorize
from l7lb.ledger.claims import disposal_for, read, to_create
from l7lb.ledger.collecting import PER_HOUR_MAX, authorize_collection, due, forget, lately, objection, proof, remember
from l7lb.ledger.ending import authorize_ending, end, endings, fate_now, forbids
from l7lb.ledger.likeness import Likeness, bound_addresses, liken, strange
from l7lb.ledger.orphans import inventory, provenance
from l7lb.ledger.record import format_record, parse_record, recorded_cluster, recorded_name
from l7lb.ledger.sharing import read_shared
from l7lb.ledger.tags import CLUSTER as CLUSTER_TAG
from l7lb.ledger.tags import INGRESS as INGRESS_TAG
from l7lb.ledger.tags import another_identity, bears_our_id, ingress_of, is_ours, lookup, of_cluster, stamp
from l7lb.ledger.token import client_token

__all__ = [
    "CLUSTER_TAG",
    "INGRESS_TAG",
    "PER_HOUR_MAX",
    "Likeness",
    "another_identity",
    "authorize",
    "authorize_collection",
    "authorize_ending",
    "bears_our_id",
    "bound_addresses",
    "client_token",
    "disposal_for",
    "due",
    "end",
    "endings",
    "fate_now",
    "forbids",
    "forget",
    "format_record",
    "ingress_of",
    "inventory",
    "is_ours",
    "lately",
    "liken",
    "lookup",
    "objection",
    "of_cluster",
    "parse_record",
    "proof",
    "provenance",
    "read",
    "read_shared",
    "recorded_cluster",
    "recorded_name",
    "remember",
    "stamp",
    "strange",
    "to_create",
]
