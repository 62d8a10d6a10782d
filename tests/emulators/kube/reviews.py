"""Answers to "who am I" and "may I": everybody may do everything here.

Source: the API reference, the review kinds of authentication.k8s.io and authorization.k8s.io.
"""

from tests.emulators.kube.kinds import Kind
from tests.emulators.kube.wire import Json

USER = {"username": "kubernetes-admin", "groups": ["system:masters", "system:authenticated"]}
EVERYTHING = {
    "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    "incomplete": False,
}


def reviewed(kind: Kind, obj: Json) -> Json:
    """The review with its answer in `status`."""
    status: Json
    match kind.name:
        case "TokenReview":
            status = {"authenticated": True, "user": USER}
        case "SelfSubjectReview":
            status = {"userInfo": USER}
        case "SelfSubjectRulesReview":
            status = EVERYTHING
        case _:
            status = {"allowed": True, "reason": "everything is allowed in this emulator"}
    return {**obj, "metadata": obj.get("metadata") or {}, "status": status}
