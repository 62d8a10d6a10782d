"""The table of codes, row by row, and the rule that the longest prefix wins."""

import pytest

from l7lb import errors
from l7lb.adapters.clb.errors import BY_ACTION, MEANINGS, code_of, meaning, translate
from l7lb.adapters.clb.sdk import Refusal

CASES: list[tuple[str, str, type[errors.L7lbError]]] = [
    ("CreateRule", "FailedOperation.ResourceInOperating", errors.Busy),
    ("CreateRule", "FailedOperation.ResourceInCloning", errors.Busy),
    ("CreateRule", "FailedOperation.InvalidLBStatus", errors.Busy),
    ("CreateRule", "ResourceInUse", errors.Busy),
    ("CreateRule", "ResourceUnavailable", errors.Busy),
    ("ModifyResourceTags", "FailedOperation.ResourceTagProcessing", errors.Busy),
    ("CreateRule", "RequestLimitExceeded", errors.Throttled),
    ("CreateRule", "RequestLimitExceeded.UinLimitExceeded", errors.Throttled),
    ("DeleteLoadBalancer", "FailedOperation.FrequencyCheckRisk", errors.Throttled),
    ("CreateRule", "InternalError", errors.Unavailable),
    ("CreateRule", "ServiceUnavailable", errors.Unavailable),
    ("CreateRule", "FailedOperation", errors.Unavailable),
    ("CreateRule", "FailedOperation.NeverHeardOf", errors.Unavailable),
    ("CreateRule", "NeverHeardOf.AtAll", errors.Unavailable),
    ("CreateRule", "", errors.Unavailable),
    ("DescribeListeners", "InvalidParameter.LBIdNotFound", errors.NotFound),
    ("DeleteLoadBalancerListeners", "InvalidParameter.ListenerIdNotFound", errors.NotFound),
    ("DeleteRule", "InvalidParameter.LocationNotFound", errors.NotFound),
    ("DeleteRule", "InvalidParameter", errors.NotFound),
    ("DeleteRule", "InvalidParameterValue", errors.NotFound),
    ("CreateRule", "InvalidParameterValue", errors.Rejected),
    ("BatchDeregisterTargets", "InvalidParameter", errors.NotFound),
    ("ModifyResourceTags", "ResourceNotFound.AttachedTagKeyNotFound", errors.NotFound),
    ("CreateListener", "InvalidParameter.PortCheckFailed", errors.AlreadyExists),
    ("CreateRule", "InvalidParameterValue.Duplicate", errors.AlreadyExists),
    ("ManualRewrite", "InvalidParameter.RewriteAlreadyExist", errors.AlreadyExists),
    ("ModifyResourceTags", "ResourceInUse.TagKeyAttached", errors.AlreadyExists),
    ("CreateRule", "LimitExceeded", errors.QuotaExceeded),
    ("ModifyResourceTags", "LimitExceeded.TagNumPerRequest", errors.QuotaExceeded),
    ("CreateLoadBalancer", "ResourceInsufficient", errors.QuotaExceeded),
    ("CreateLoadBalancer", "ResourcesSoldOut.Whatever", errors.QuotaExceeded),
    ("CreateLoadBalancer", "FailedOperation.InsufficientBalance", errors.QuotaExceeded),
    ("CreateRule", "UnauthorizedOperation", errors.AccessDenied),
    ("CreateRule", "AuthFailure.SignatureFailure", errors.AccessDenied),
    ("CreateRule", "OperationDenied", errors.AccessDenied),
    ("CreateRule", "MissingParameter", errors.Rejected),
    ("CreateRule", "UnknownParameter", errors.Rejected),
    ("CreateRule", "UnsupportedOperation.Whatever", errors.Rejected),
    ("CreateRule", "InvalidParameter.ProtocolCheckFailed", errors.Rejected),
    ("DeleteLoadBalancer", "FailedOperation.TargetNumCheckRisk", errors.DeleteRisk),
    ("DeleteLoadBalancer", "FailedOperation.TrafficCheckRisk", errors.DeleteRisk),
    ("DeleteLoadBalancer", "FailedOperation.EipTrafficCheckRisk", errors.DeleteRisk),
]


@pytest.mark.parametrize(("action", "code", "kind"), CASES)
def test_each_code_has_its_class(action: str, code: str, kind: type[errors.L7lbError]) -> None:
    assert type(translate(action, Refusal(code, "some text", "r-1"))) is kind


@pytest.mark.parametrize(
    ("action", "code", "text", "tke"),
    [
        ("CreateLoadBalancer", "LimitExceeded", "", "E4003"),
        ("CreateListener", "LimitExceeded", "", "E4004"),
        ("CreateRule", "LimitExceeded", "", "E4005"),
        ("BatchRegisterTargets", "LimitExceeded", "", "E4054"),
        ("SetLoadBalancerSecurityGroups", "LimitExceeded", "", ""),
        ("CreateLoadBalancer", "InvalidParameter", "", "E4024"),
        ("CreateLoadBalancer", "InvalidParameterValue.Range", "", "E4024"),
        ("CreateLoadBalancer", "InvalidParameterValue", "Subnet 'subnet-1' is not found", "E4091"),
        ("CreateLoadBalancer", "InvalidParameterValue", "SubnetId is not valid", "E4055"),
        ("CreateLoadBalancer", "ResourceInsufficient", "", "E4025"),
        ("CreateLoadBalancer", "ResourceInsufficient", "Subnet 'subnet-1' has no address", "E4053"),
        ("CreateLoadBalancer", "FailedOperation.InsufficientBalance", "", "E4027"),
        ("CreateLoadBalancer", "RequestLimitExceeded", "", "E4000"),
        ("CreateRule", "RequestLimitExceeded", "", ""),
        ("CreateLoadBalancer", "InvalidParameterValue", "IPv6 is not supported in this region", "E4033"),
        ("CreateLoadBalancer", "UnsupportedOperation", "The VPCs are not in one CCN", "E4071"),
        ("BatchRegisterTargets", "InvalidParameterValue", "10.0.0.1 is in a VPC that is in no CCN", "E4071"),
        ("CreateLoadBalancer", "OperationDenied", "SnatPro is not enabled for this account", "E4060"),
        ("CreateRule", "OperationDenied", "SnatPro is not enabled for this account", ""),
        ("CreateListener", "InvalidParameterValue", "Query certificate 'abc' failed.", "E4036"),
        ("CreateListener", "InvalidParameterValue", "Certificate 'abc' is out of date.", "E4039"),
        ("CreateListener", "InvalidParameterValue.Length", "Length of certificate id is wrong", "E4035"),
        ("CreateListener", "InvalidParameterValue", "Certificate status is wrong", "E4012"),
        ("CreateListener", "InvalidParameterValue", "Port is wrong", ""),
    ],
)
def test_tkes_number_says_what_is_wrong(action: str, code: str, text: str, tke: str) -> None:
    assert meaning(action, code, text).code == tke


def test_a_listener_that_is_missing_is_known_by_its_text() -> None:
    row = meaning("DeleteLoadBalancerListeners", "InvalidParameter", "some ListenerId lbl-1 not found")
    assert (row.kind, row.what) == (errors.NotFound, "listener")


def test_text_never_overrules_a_code_of_its_own() -> None:
    row = meaning("CreateListener", "FailedOperation.ResourceInOperating", "Query certificate ListenerId not found")
    assert row.kind is errors.Busy


def test_a_terminal_error_says_why_and_an_error_names_its_request() -> None:
    for table in (MEANINGS.values(), BY_ACTION.values()):
        for row in table:
            assert bool(row.reason) is issubclass(row.kind, errors.TerminalError)
    refusal = Refusal("InternalError", "oops", "r-77")
    error = translate("CreateRule", refusal)
    assert "r-77" in str(error)
    assert "CreateRule" in str(error)


def test_waits_are_named_where_the_cloud_names_a_window() -> None:
    error = translate("DeleteLoadBalancer", Refusal("FailedOperation.FrequencyCheckRisk", "", ""))
    assert isinstance(error, errors.Throttled)
    assert error.retry_after_s == 60


def test_the_code_behind_an_error_can_be_asked_for() -> None:
    refusal = Refusal("LimitExceeded", "", "")
    error = translate("CreateRule", refusal)
    error.__cause__ = refusal
    assert code_of(error) == "LimitExceeded"
    assert code_of(errors.Busy("no cause")) == ""
