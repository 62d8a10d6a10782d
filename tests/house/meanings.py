"""What each reason without a code means to the person who reads it. Written by hand, for docs/errors.md.

A reason that is new in the product needs a line here; `tests/house/test_pages.py` says which. What a code means stands
in `l7lb/model/codes.py`.
"""

from typing import Final

COMPUTED: Final = {"E4081": "RedirectRefused", "E6006": "Unavailable"}
"""Codes, each with a reason that it meets only at run time."""
REASONS: Final = {
    "AccessDenied": "The credentials are missing, wrong, or lack a right. Tried again every 5 minutes.",
    "ContradictingAnnotations": "Two annotations exclude each other. Nothing is changed until one of them is removed.",
    "BadPodWeight": "The annotation `custom-weight` of a pod cannot be read. Its weight is left as it is.",
    "CREATE": "A load balancer was created for the Ingress; its id is in the Event.",
    "CertificateExpires": "A certificate that the Ingress names has less than 14 days left. Name another one.",
    "ClassUnresolved": "It cannot be told whether the Ingress is still ours: its class changed its meaning, not the "
    "Ingress. Nothing is changed until it is edited or its class is restored.",
    "BackendUnused": "An entry of `http-rules` or `https-rules` has `backend` and `rewrite`. The redirect counts.",
    "ClientTokenRefused": "The order that the token stands for has ended. After two looks by tag another one is used.",
    "ClientAuthorityNotSupported": "The annotation `certificate` knows no mutual TLS. Hosts of that entry are held; "
    "use `spec.tls` and a Secret.",
    "Creating": "Condition: the load balancer was created, and its listeners follow.",
    "DeleteRefused": "The cloud sees targets or traffic and wants the deletion to be forced. That is done after the "
    "proof is read once more.",
    "Deleting": "Condition: the Ingress is going, and what was made for it is being taken off.",
    "DeletesHeld": "Our load balancers serve targets that are no nodes or pods of this cluster, as in a copy of one, or"
    " a region does not answer whether they do: that ends by itself. "
    "Nothing is taken away, and nothing is written where none of ours is bound, until `--confirm-cluster` says which "
    "cluster is the original; docs/operations.md has the steps.",
    "Disposing": "What is about to happen to the load balancer of an Ingress that goes, and the proof for it.",
    "Drift": "Rules that no Ingress asks for were found on a listener of ours. They are removed; those that were there"
    " when the load balancer was taken over stay.",
    "DriftRepaired": "Somebody else has changed what l7lb keeps; it is put right. What l7lb does not manage is left.",
    "DuplicateRule": "Two paths of the Ingress give the same CLB rule. The first one counts.",
    "Ensured": "Condition: the load balancer is as the Ingress asks.",
    "EntryWithoutRule": "An entry of an annotation names no rule of the Ingress. It has no effect.",
    "EnsuredIngress": "The load balancer is as the Ingress asks.",
    "ForcingDeletion": "The deletion is forced, because the Ingress is gone and that is its author's word.",
    "ForeignListenersDeleted": "A load balancer that we made is deleted together with listeners of others.",
    "InternalError": "A bug in l7lb keeps the Ingress waiting. The log says more; please report it.",
    "LeftToTke": "The Ingress was deleted before l7lb had taken it over. Only TKE's controller can end it.",
    "LoadBalancerGone": "The load balancer that we made is gone. A new one is made, with another address.",
    "InvalidServiceConfig": "A field of a TkeServiceConfig cannot be applied. The Event names it; the others are.",
    "ModificationProtected": "The cloud refuses a change because modification protection is on. It is left out, "
    "is tried again every 5 minutes, and goes on by itself once the protection is off.",
    "NoInstanceRole": "No role is bound to the machine, so there are no credentials.",
    "EndpointWithoutPod": "Endpoints of a Service with direct access name no Pod. They are not bound.",
    "OrphanDeleted": "A load balancer that was made for an Ingress that is gone does not exist any more.",
    "OrphanDeleting": "A load balancer whose Ingress is gone is about to be deleted; the Event has the proof.",
    "OrphanLeft": "A load balancer without an Ingress is not deleted after all; the Event says why. It is tried again "
    "when it was seen for another day.",
    "OrphansFound": "There are load balancers that no Ingress uses any more. `l7lb audit` lists them.",
    "PodNotRoutable": "Pods are in a network that needs the switch `GlobalRouteDirectAccess`. They are not bound.",
    "PodOnHostNetwork": "Pods use the network of their node. They are not bound; what is bound of them is left.",
    "NodesUnknown": "Nodes cannot be read, or too many are NotReady at once to believe it. Targets are left.",
    "NotApplied": "An annotation that counts only at creation was edited. The Event says how to apply it.",
    "NotLeaving": "The Ingress is not being deleted after all, so its load balancer stays.",
    "NotRead": "A kind of object cannot be read right now. What depends on it is held.",
    "NotServed": "Condition: nothing of the Ingress can be served yet.",
    "NotSupported": "What an annotation or a switch of the cluster asks for cannot be done. The Event says "
    "what to do instead.",
    "Noted": "Something was seen and left alone, or removed uninvited. The Event says what.",
    "Protected": "The cloud refuses because of deletion protection or PrivateLink.",
    "QuotaExceeded": "A quota of the account is used up. Tried again every 5 minutes.",
    "ReadinessGatePending": "A pod has waited for minutes for its readiness gate; the Event at the pod says for what.",
    "RedirectRefused": "A redirect of `http-rules` or `https-rules` cannot be: a loop, a chain, a second target, no "
    "rule at its target, or one at its source. What is there is left.",
    "RequestRejected": "The cloud says that the request itself is wrong. Read its text in the Event.",
    "RewriteWithoutEffect": "Entries with `rewrite` count only with the annotations that the Event names.",
    "RuleServesSeveralHosts": "A rule cannot be deleted, because the cloud keeps it together with one that is to stay.",
    "RuleWithoutListener": "Mixing gives the rule to a protocol of which `listen-ports` lists no port. It is held.",
    "ExcludedAnnotation": "Two annotations cannot be had together. The Event says which of them counts.",
    "FinalizersLeft": "The load balancer is dealt with; finalizers of others still hold the Ingress.",
    "ServiceConfigNotWritten": "The TkeServiceConfig that is kept for an Ingress cannot be written. All else goes on.",
    "ServiceConfigUnmatched": "An entry of a TkeServiceConfig stands for nothing that this Ingress asks for.",
    "Skipped": "The Ingress says `mode: skip`, so nothing is written to its load balancer.",
    "TargetRefused": "The cloud refuses a target by itself: the Event names it and repeats the cloud's words. All"
    " others are bound, as many old ones stay, and it is tried again after 5 s, then less and less often, every 10"
    " minutes at last, and at once when its address, port or instance changes.",
    "TwoSourcesOfCertificates": "The annotation `certificate` and `spec.tls` are both there. Until one is removed, "
    "HTTPS is left as it is.",
    "GroupWithoutLoadBalancer": "`enable-group` is there and `existLbId` is not: there is nothing to share.",
    "RuleConflict": "Another member of the group has the same rule, and keeps it. The Event says which.",
    "UnsafePlan": "The guard refuses a plan that takes away too much. The Event names the digest that approves it.",
    "UnstableField": "A setting was written three times within an hour and found undone each time. It is left alone "
    "for an hour.",
    "WebIdentityRefused": "The cloud does not exchange the service account's token for keys.",
}
