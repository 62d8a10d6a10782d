"""The page on rights in the cloud, and the policy, as text, from the table of actions."""

import json
from typing import Any, Final

from l7lb.adapters.clb.actions import TABLE, Action

Json = dict[str, Any]

HEAD: Final = """# Rights in the cloud

What a CAM user or role has to be allowed so that l7lb can work with its keys: these actions and no more. The table is
`l7lb/adapters/clb/actions.py`; a test compares it with the calls in the code. The suite's emulator of the cloud refuses
everything else, so each end-to-end test runs under exactly this policy.

- **names one**: each call names the load balancer that it is about, so that the right can be tied to some of them.

The [policy](../examples/deploy/cam-policy.json) can be pasted into CAM (*Policies*, *Create by policy syntax*).
`l7lb plan` and `l7lb adopt` call nothing but the reads.
"""
NARROWED: Final = """## Narrowed to one cluster

Every load balancer that l7lb makes bears the tag `tke-clusterId`. This policy allows calls that name a load balancer
only where the tag has the cluster's id. Replace `cls-xxxxxxxx`.

What to know before:

- It cannot be used where load balancers are lent (`existLbId`), alone or in a group: such a load balancer is looked at
  before it gets the tag, and what must not be read is refused with `AccessDenied`.
- It has not been tried on the real cloud. CAM's pages describe the syntax and the condition `qcs:resource_tag`; those
  of CLB say that its load balancers can be authorised by tag. CLB's list of actions that can be tied to a resource has
  older names than the actions below, so which of them heed the condition is not documented. Try it with `l7lb plan`
  and with a test Ingress first: a refusal shows as `AccessDenied` with the name of the action.
- The tag has to be known to CAM right after the load balancer was made, for the calls that follow. A refusal is tried
  again after 5 minutes.
"""
STAYS: Final = """## What no policy can say

Actions cannot be tied to the listeners or rules that l7lb made, only to whole load balancers. That nothing of anybody
else is touched is what the [ledger](ledger.md) is for.

`--credentials tke-oidc` exchanges the token of the service account by `sts:AssumeRoleWithWebIdentity`. That call is not
signed and needs no right; the trust policy of the role names the identity provider and should name the one service
account (`system:serviceaccount:l7lb:l7lb`).
"""
CLUSTER_TAG: Final = "tke-clusterId&cls-xxxxxxxx"


def rows() -> list[tuple[str, ...]]:
    """Of the table in the page."""
    return [
        (one.service, f"`{one.name}`", "write" if one.write else "read", "yes" if one.named else "no", one.why)
        for one in TABLE
    ]


def policy() -> Json:
    """In the syntax of CAM."""
    return {"version": "2.0", "statement": [_allow(TABLE)]}


def narrowed() -> Json:
    """The same for the load balancers of one cluster."""
    tagged = {"condition": {"for_any_value:string_equal": {"qcs:resource_tag": [CLUSTER_TAG]}}}
    bound = [one for one in TABLE if one.named and one.service == "clb"]
    free = [one for one in TABLE if one not in bound]
    return {"version": "2.0", "statement": [_allow(free), _allow(bound) | tagged]}


def _allow(actions: list[Action] | tuple[Action, ...]) -> Json:
    return {"effect": "allow", "action": [f"name/{one.service}:{one.name}" for one in actions], "resource": ["*"]}


def as_text(document: Json) -> str:
    """JSON as people read it."""
    return json.dumps(document, indent=2) + "\n"
