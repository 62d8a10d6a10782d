"""What each code and each reason means to the person who reads it, and what to do. Written by hand, for docs/errors.md.

A code or reason that is new in the product needs a line here; `tests/house/test_pages.py` says which.
"""

from typing import Final, NamedTuple


class Meaning(NamedTuple):
    """Two short sentences for one row."""

    says: str
    cure: str


_EDIT_VALUE: Final = "Correct the value; docs/annotations.md shows its form."
_ASK_QUOTA: Final = "Ask Tencent Cloud for a higher quota, or need less. It is tried again every 5 minutes."
_ASK_LIMIT: Final = "Ask Tencent Cloud for a higher quota, or need less. Quotas are read when a replica takes the lead."

CODES: Final = {
    "E4000": Meaning("The cloud makes no more load balancers for a moment.", "None needed: it is tried again at once."),
    "E4003": Meaning("The account may not have another load balancer.", _ASK_QUOTA),
    "E4004": Meaning("The load balancer may not have another listener.", _ASK_QUOTA),
    "E4005": Meaning("The listener may not have another rule. Rules that fit are made.", _ASK_LIMIT),
    "E4006": Meaning(
        "A rule or listener is not wanted any more, or is to redirect, but a redirect that is not ours to take off "
        "begins or ends there. It is left.",
        "Remove the redirect in the console.",
    ),
    "E4009": Meaning("An entry of `spec.tls` names no Secret.", "Fill in `secretName`."),
    "E4010": Meaning(
        "The Secret does not exist, or is not of type `Opaque`.", "Create it with the key `qcloud_cert_id`."
    ),
    "E4011": Meaning(
        "The Secret, or the entry of the annotation `certificate`, has no `qcloud_cert_id`.",
        "Put the id of a server certificate there.",
    ),
    "E4012": Meaning("The cloud refuses the certificate.", "Read the cloud's text in the Event; name another one."),
    "E4013": Meaning("A rule of the Ingress has no `http` paths.", "Give it at least one path."),
    "E4017": Meaning(
        "The tags do not say that this load balancer is this Ingress's, or several bear its tags. Nothing is written.",
        "Find out whose it is. Remove the wrong tag, or the wrong load balancer.",
    ),
    "E4018": Meaning(
        "The load balancer named by `existLbId` does not exist in this region. None is created instead.",
        "Correct the id.",
    ),
    "E4019": Meaning("The load balancer was made by a cluster for something else.", "Name another one."),
    "E4020": Meaning(
        "The load balancer is in use by another Ingress or another cluster.",
        "Name another one, or release it there first.",
    ),
    "E4022": Meaning("The annotation `http-rules` cannot be read.", _EDIT_VALUE),
    "E4023": Meaning("The annotation `https-rules` cannot be read.", _EDIT_VALUE),
    "E4024": Meaning(
        "The load balancer cannot be created as asked.", "Read the cloud's text in the Event; correct the annotations."
    ),
    "E4025": Meaning("The cloud has no resources left for this.", "Wait, or choose another zone or subnet."),
    "E4026": Meaning("The annotation `extensiveParameters` is no JSON object.", _EDIT_VALUE),
    "E4027": Meaning("The account has no money left.", "Charge it. It is tried again every 5 minutes."),
    "E4030": Meaning("The load balancer is of the classic kind.", "Name an application load balancer."),
    "E4031": Meaning("A path cannot be served by CLB.", "Use the characters and the length that the Event names."),
    "E4032": Meaning(
        "An IPv6 load balancer with IPv6 targets is asked for, and the cluster has none.",
        "Use `AddressIPVersion: IPV6` (IPv4 targets), or give the nodes or pods IPv6 addresses.",
    ),
    "E4033": Meaning("The region has no IPv6 load balancers.", "Leave `AddressIPVersion` out, or use another region."),
    "E4034": Meaning("A rule without a host on an IPv6 load balancer.", "Give the rule a host."),
    "E4035": Meaning(
        "The certificate id has a wrong form.",
        "Put the eight characters of the id into the Secret, or into the annotation `certificate`.",
    ),
    "E4036": Meaning("The cloud does not know the certificate.", "Check the id, and that it is in this account."),
    "E4037": Meaning("The annotation `direct-access` cannot be read.", _EDIT_VALUE),
    "E4038": Meaning(
        "The certificate is of the wrong type: a client CA where a server certificate is needed, or the reverse.",
        "Put the id of a certificate of the right type there.",
    ),
    "E4039": Meaning("The certificate has expired.", "Upload a new one and put its id into the Secret."),
    "E4040": Meaning(
        "A host has no certificate. It is left out.", "Add an entry to `spec.tls`, or to the annotation `certificate`."
    ),
    "E4041": Meaning("The Service does not exist. Its rules are held.", "Create it, or change the backend."),
    "E4042": Meaning("The backend is not a Service port that can be served.", "Point it at a TCP port of a Service."),
    "E4043": Meaning(
        "The TkeServiceConfig that is named does not exist. Nothing waits for it; what is there is left.",
        "Create it in the namespace of the Ingress, or correct the name.",
    ),
    "E4044": Meaning("The annotation `rule-mix` cannot be read.", _EDIT_VALUE),
    "E4045": Meaning("The annotation `internetChargeType` cannot be read.", _EDIT_VALUE),
    "E4046": Meaning("The annotation `internetMaxBandwidthOut` cannot be read.", _EDIT_VALUE),
    "E4047": Meaning("The Service has no NodePort.", "Set its type to NodePort or LoadBalancer."),
    "E4048": Meaning("More than one entry for certificates has no hosts.", "Leave one as the default."),
    "E4049": Meaning("A host is in more than one entry for certificates.", "Leave it in one."),
    "E4050": Meaning("The annotation `tke-service-config-auto` cannot be read.", _EDIT_VALUE),
    "E4051": Meaning("The name of the TkeServiceConfig is reserved.", "Give the object another name."),
    "E4052": Meaning("A host cannot be served by CLB.", "Use the form that the Event names."),
    "E4053": Meaning("The subnet has no free address.", "Choose another subnet. It is tried again every 5 minutes."),
    "E4054": Meaning("The rule may not have another target. Those that fit are bound.", _ASK_LIMIT),
    "E4055": Meaning("The subnet id has a wrong form, or the cloud refuses it.", "Correct the annotation `subnetId`."),
    "E4068": Meaning(
        "An automatic redirect clashes with what is declared otherwise, or has no listener. What is declared stays.",
        "Take the rule out of the HTTP rules, list HTTP:80 and HTTPS:443, or switch `auto-rewrite` off.",
    ),
    "E4081": Meaning(
        "An entry of `https-rules` redirects from a rule that is declared as a forwarding rule.",
        "Remove one of them.",
    ),
    "E4082": Meaning(
        "The Service has no selector, so with direct access it has no pods. Its rules are held.", "Give it a selector."
    ),
    "E4060": Meaning("The account may not use SNAT Pro.", "Have it enabled by the cloud's support."),
    "E4071": Meaning(
        "The VPC of the load balancer and the cluster's are not joined by one CCN.", "Attach both VPCs to one CCN."
    ),
    "E4084": Meaning("SNAT Pro and another region are asked for together.", "Remove one of the two annotations."),
    "E4091": Meaning("The subnet does not exist.", "Correct the annotation `subnetId`."),
    "E4098": Meaning("The annotation `existLbId` is no id of a load balancer.", _EDIT_VALUE),
    "E4101": Meaning(
        "A listener that is not ours is on a port that the Ingress needs.",
        "Remove that listener, or name another load balancer.",
    ),
    "E4406": Meaning(
        "A group (`enable-group`) and an Ingress outside of it name one load balancer. Who came first has it.",
        "Name another load balancer, or put all of them into the group.",
    ),
    "E6006": Meaning(
        "The cloud API does not answer, or answers that it is out of order.",
        "Check the network and `--clb-endpoint`. It is tried again until it answers.",
    ),
    "W1001": Meaning("A load balancer is left behind when its Ingress goes.", "Look whether it is still needed."),
    "W1002": Meaning("Listeners that are not ours stay when ours are released.", "None needed."),
}

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
    "Disposing": "What is about to happen to the load balancer of an Ingress that goes, and the proof for it.",
    "Drift": "Rules that no Ingress asks for were found on a listener of ours. They are removed.",
    "DuplicateRule": "Two paths of the Ingress give the same CLB rule. The first one counts.",
    "Ensured": "Condition: the load balancer is as the Ingress asks.",
    "EntryWithoutRule": "An entry of an annotation names no rule of the Ingress. It has no effect.",
    "EnsuredIngress": "The load balancer is as the Ingress asks.",
    "ForcingDeletion": "The deletion is forced, because the Ingress is gone and that is its author's word.",
    "ForeignListenersDeleted": "A load balancer that we made is deleted together with listeners of others.",
    "InternalError": "A bug in l7lb keeps the Ingress waiting. The log says more; please report it.",
    "LoadBalancerGone": "The load balancer that we made is gone. A new one is made, with another address.",
    "LoadBalancerKept": "The cloud refuses to delete the load balancer. Our listeners are released instead.",
    "LoadBalancerLeft": "The load balancer is left as it is, because it is not ours or not to be touched.",
    "InvalidServiceConfig": "A field of a TkeServiceConfig cannot be applied. The Event names it; the others are.",
    "ModificationProtected": "The cloud refuses a change because modification protection is on. It is left out, "
    "is tried again every 5 minutes, and goes on by itself once the protection is off.",
    "NoInstanceRole": "No role is bound to the machine, so there are no credentials.",
    "EndpointWithoutPod": "Endpoints of a Service with direct access name no Pod. They are not bound.",
    "PodNotRoutable": "Pods are in a network that needs the switch `GlobalRouteDirectAccess`. They are not bound.",
    "PodOnHostNetwork": "Pods use the network of their node. They are not bound; what is bound of them is left.",
    "NodesUnknown": "Nodes cannot be read, or too many are NotReady at once to believe it. Targets are left.",
    "NotApplied": "An annotation that counts only at creation was edited. The Event says how to apply it.",
    "NotLeaving": "The Ingress is not being deleted after all, so its load balancer stays.",
    "NotRead": "A kind of object cannot be read right now. What depends on it is held.",
    "NotServed": "Condition: nothing of the Ingress can be served yet.",
    "NotSupported": "An annotation is not supported in this version; docs/annotations.md says what happens.",
    "Noted": "Something was seen and left alone, or removed uninvited. The Event says what.",
    "Protected": "The cloud refuses because of deletion protection or PrivateLink.",
    "QuotaExceeded": "A quota of the account is used up. Tried again every 5 minutes.",
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
    "TwoSourcesOfCertificates": "The annotation `certificate` and `spec.tls` are both there. Until one is removed, "
    "HTTPS is left as it is.",
    "GroupWithoutLoadBalancer": "`enable-group` is there and `existLbId` is not: there is nothing to share.",
    "RuleConflict": "Another member of the group has the same rule, and keeps it. The Event says which.",
    "UnsafePlan": "The guard refuses a plan that takes away too much. The Event names the digest that approves it.",
    "UnstableField": "A setting was written three times within an hour and found undone each time. It is left alone "
    "for an hour.",
    "WebIdentityRefused": "The cloud does not exchange the service account's token for keys.",
}
