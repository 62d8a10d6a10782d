"""Forwarding rules and hosts: syntax, defaults, default domain, certificates, changes."""

import pytest

from tests.contract.clb.account import Account, Json
from tests.contract.clb.conftest import Emulate


def create(account: Account, lb: str, listener: str, *rules: Json) -> Json:
    return account.write("CreateRule", LoadBalancerId=lb, ListenerId=listener, Rules=list(rules))


def defaults(account: Account, lb: str) -> set[str]:
    return {rule["Domain"] for rule in account.listeners(lb)[0]["Rules"] if rule["DefaultServer"]}


@pytest.fixture
def place(account: Account) -> tuple[str, str]:
    """A load balancer and its HTTP listener."""
    lb = account.create()
    return lb, account.listener(lb)


def test_what_a_rule_does_not_say_gets_the_documented_defaults(account: Account, place: tuple[str, str]) -> None:
    lb, listener = place
    account.rules(lb, listener, "a.example.com/")

    (rule,) = account.listeners(lb)[0]["Rules"]

    assert (rule["Scheduler"], rule["ForwardType"], rule["SessionExpireTime"]) == ("WRR", "HTTP", 0)
    check = rule["HealthCheck"]
    assert (check["HealthSwitch"], check["IntervalTime"], check["TimeOut"], check["HttpCode"]) == (1, 5, 2, 31)
    assert check["HttpCheckDomain"] == "a.example.com"


def test_the_first_host_is_the_default_and_the_oldest_inherits(account: Account, place: tuple[str, str]) -> None:
    lb, listener = place
    first, _, _ = account.rules(lb, listener, "a.example.com/", "b.example.com/", "c.example.com/")
    before = defaults(account, lb)

    account.write("DeleteRule", LoadBalancerId=lb, ListenerId=listener, LocationIds=[first])

    assert (before, defaults(account, lb)) == ({"a.example.com"}, {"b.example.com"})


def test_the_heir_of_the_default_can_be_named(account: Account, place: tuple[str, str]) -> None:
    lb, listener = place
    first, *_ = account.rules(lb, listener, "a.example.com/", "b.example.com/", "c.example.com/")
    removal: Json = {"LoadBalancerId": lb, "ListenerId": listener, "LocationIds": [first]}

    refused = account.code("DeleteRule", **removal, NewDefaultServerDomain="none.example.com")
    account.write("DeleteRule", **removal, NewDefaultServerDomain="c.example.com")

    assert refused == "InvalidParameterValue"
    assert defaults(account, lb) == {"c.example.com"}


def test_the_default_stays_while_it_has_a_rule(account: Account, place: tuple[str, str]) -> None:
    lb, listener = place
    first, _, _ = account.rules(lb, listener, "a.example.com/", "b.example.com/", "a.example.com/api")

    account.write("DeleteRule", LoadBalancerId=lb, ListenerId=listener, LocationIds=[first])

    assert defaults(account, lb) == {"a.example.com"}


def test_a_rule_can_ask_to_be_the_default_and_a_host_can_become_it(account: Account, place: tuple[str, str]) -> None:
    lb, listener = place
    account.rules(lb, listener, "a.example.com/")
    account.rules(lb, listener, "b.example.com/", DefaultServer=True)
    by_rule = defaults(account, lb)

    account.write(
        "ModifyDomainAttributes", LoadBalancerId=lb, ListenerId=listener, Domain="a.example.com", DefaultServer=True
    )

    assert (by_rule, defaults(account, lb)) == ({"b.example.com"}, {"a.example.com"})


GOOD_PLACES = [
    ("a.example.com", "/"),
    ("*.example.com", "/a/b.c-d_e"),
    ("www.example.*", "/x?y=1:2"),
    ("~^www[a-z]+\\.example\\.com$", "/"),
    ("10.0.0.1", "=/exact"),
    ("a.example.com", "^~/static"),
    ("a.example.com", "~ ^/foo(/|$)"),
    ("a.example.com", "~*.png$"),
    ("a.example.com", "/" + "x" * 199),
]
BAD_PLACES = [
    ("A.example.com", "/"),
    ("_a.example.com", "/"),
    ("*.*.example.com", "/"),
    ("a*.example.com", "/"),
    ("a.example.com:80", "/"),
    ("x" * 81, "/"),
    ("", "/"),
    ("a.example.com", "api"),
    ("a.example.com", ""),
    ("a.example.com", "/" + "x" * 200),
    ("a.example.com", "/a%20b"),
    ("a.example.com", "/a~b"),
    ("a.example.com", "/a;b"),
    ("a.example.com", "=exact"),
    ("a.example.com", "~/a{2}"),
    ("a.example.com", "~/a\\.b"),
]


def with_check(host: str) -> Json:
    return {"HealthCheck": {"HttpCheckDomain": "check.example.com"}} if "*" in host or host.startswith("~") else {}


@pytest.mark.parametrize(("host", "url"), GOOD_PLACES)
def test_a_well_formed_place_is_taken(account: Account, place: tuple[str, str], host: str, url: str) -> None:
    create(account, *place, {"Domain": host, "Url": url, **with_check(host)})

    (rule,) = account.listeners(place[0])[0]["Rules"]
    assert (rule["Domain"], rule["Url"]) == (host, url)


@pytest.mark.parametrize(("host", "url"), BAD_PLACES)
def test_a_malformed_place_is_refused(account: Account, place: tuple[str, str], host: str, url: str) -> None:
    lb, listener = place
    rule = {"Domain": host, "Url": url, **with_check(host)}

    code = account.code("CreateRule", LoadBalancerId=lb, ListenerId=listener, Rules=[rule])

    assert code.startswith("InvalidParameterValue")
    assert account.listeners(lb)[0]["Rules"] == []


@pytest.mark.parametrize(
    ("switches", "url", "taken"),
    [
        ({"percent_in_url": True}, "/a%20b", True),
        ({"percent_in_url": False}, "/a%20b", False),
        ({"regex_charset": "new"}, "~/(a|b)$", True),
        ({"regex_charset": "old"}, "~/(a|b)$", False),
        ({"regex_charset": "old"}, "~/a$", True),
    ],
)
def test_characters_on_which_the_documents_disagree_are_a_switch(
    emulate: Emulate, switches: Json, url: str, taken: bool
) -> None:
    account = emulate(switches=switches)
    lb = account.create()
    listener = account.listener(lb)
    params: Json = {"LoadBalancerId": lb, "ListenerId": listener, "Rules": [{"Domain": "a.example.com", "Url": url}]}

    if taken:
        account.write("CreateRule", **params)
    else:
        assert account.code("CreateRule", **params) == "InvalidParameterValue"


BAD_RULES: dict[str, tuple[Json, str]] = {
    "session too short": ({"SessionExpireTime": 10}, "InvalidParameterValue.Range"),
    "session with least connections": (
        {"SessionExpireTime": 60, "Scheduler": "LEAST_CONN"},
        "InvalidParameterValue",
    ),
    "unknown scheduler": ({"Scheduler": "RANDOM"}, "InvalidParameterValue"),
    "unknown forward type": ({"ForwardType": "FTP"}, "InvalidParameterValue"),
    "certificate without SNI": ({"Certificate": {"CertId": "certrsa1"}}, "InvalidParameterValue"),
    "HTTP/2 without TLS": ({"Http2": True}, "InvalidParameterValue"),
    "check too often": ({"HealthCheck": {"IntervalTime": 1}}, "InvalidParameterValue.Range"),
    "check longer than its interval": (
        {"HealthCheck": {"TimeOut": 10, "IntervalTime": 5}},
        "InvalidParameterValue",
    ),
    "check path without slash": ({"HealthCheck": {"HttpCheckPath": "health"}}, "InvalidParameterValue"),
    "both host forms": ({"Domains": ["b.example.com"]}, "InvalidParameterValue"),
    "unknown member": ({"Weight": 1}, "UnknownParameter"),
}


@pytest.mark.parametrize(("changes", "code"), BAD_RULES.values(), ids=BAD_RULES.keys())
def test_a_rule_that_cannot_be_is_refused(account: Account, place: tuple[str, str], changes: Json, code: str) -> None:
    lb, listener = place
    rule = {"Domain": "a.example.com", "Url": "/", **changes}

    assert account.code("CreateRule", LoadBalancerId=lb, ListenerId=listener, Rules=[rule]) == code


def test_a_wildcard_needs_a_host_for_its_http_check(account: Account, place: tuple[str, str]) -> None:
    lb, listener = place
    rule = {"Domain": "*.example.com", "Url": "/"}

    assert account.code("CreateRule", LoadBalancerId=lb, ListenerId=listener, Rules=[rule]) == "InvalidParameterValue"
    create(account, lb, listener, {**rule, "HealthCheck": {"CheckType": "TCP"}})


@pytest.mark.parametrize("code", ["InvalidParameterValue.Duplicate", "InvalidParameterValue", "InvalidParameter"])
def test_a_place_that_exists_is_refused_with_a_code_that_nobody_knows(emulate: Emulate, code: str) -> None:
    account = emulate(switches={"duplicate_rule_code": code})
    lb = account.create()
    listener = account.listener(lb)
    account.rules(lb, listener, "a.example.com/")
    twice = [{"Domain": "b.example.com", "Url": "/"}] * 2

    existing = [{"Domain": "b.example.com", "Url": "/"}, {"Domain": "a.example.com", "Url": "/"}]
    assert account.code("CreateRule", LoadBalancerId=lb, ListenerId=listener, Rules=existing) == code
    assert account.code("CreateRule", LoadBalancerId=lb, ListenerId=listener, Rules=twice) == code
    assert len(account.listeners(lb)[0]["Rules"]) == 1


def test_the_quota_of_rules_counts_the_whole_call(emulate: Emulate) -> None:
    account = emulate(quotas={"TOTAL_LISTENER_RULE_QUOTA": 2})
    lb = account.create()
    listener = account.listener(lb)
    account.rules(lb, listener, "a.example.com/")
    two = [{"Domain": "b.example.com", "Url": "/"}, {"Domain": "c.example.com", "Url": "/"}]

    assert account.code("CreateRule", LoadBalancerId=lb, ListenerId=listener, Rules=two) == "LimitExceeded"


@pytest.mark.parametrize("order", ["as_sent", "reversed", "shuffled"])
def test_the_order_of_location_ids_is_a_switch(emulate: Emulate, order: str) -> None:
    account = emulate(switches={"location_ids_order": order})
    lb = account.create()
    listener = account.listener(lb)

    ids = account.rules(lb, listener, *(f"h{number}.example.com/" for number in range(9)))

    made = [rule["LocationId"] for rule in account.listeners(lb)[0]["Rules"]]
    assert sorted(ids) == sorted(made)
    assert (ids == made) is (order == "as_sent")
    assert (ids == made[::-1]) is (order == "reversed")


@pytest.mark.parametrize(("switch", "action"), [("create_rule_max", "CreateRule"), ("delete_rule_max", "DeleteRule")])
def test_a_longest_list_may_exist_although_none_is_documented(emulate: Emulate, switch: str, action: str) -> None:
    account = emulate(switches={switch: 2})
    lb = account.create()
    listener = account.listener(lb)
    rules = [{"Domain": f"h{number}.example.com", "Url": "/"} for number in range(3)]
    params: Json = {"Rules": rules} if action == "CreateRule" else {"LocationIds": ["loc-1", "loc-2", "loc-3"]}

    assert account.code(action, LoadBalancerId=lb, ListenerId=listener, **params) == "InvalidParameterValue.Length"


def test_a_change_of_a_rule_leaves_what_it_does_not_name(account: Account, place: tuple[str, str]) -> None:
    lb, listener = place
    (rule,) = account.rules(lb, listener, "a.example.com/", HealthCheck={"IntervalTime": 30, "HttpCheckPath": "/up"})
    account.bind(lb, listener, rule, 8080)

    account.write(
        "ModifyRule", LoadBalancerId=lb, ListenerId=listener, LocationId=rule, Url="/api",
        HealthCheck={"IntervalTime": 10},
    )  # fmt: skip

    (shown,) = account.listeners(lb)[0]["Rules"]
    assert (shown["LocationId"], shown["Url"]) == (rule, "/api")
    assert (shown["HealthCheck"]["IntervalTime"], shown["HealthCheck"]["HttpCheckPath"]) == (10, "/up")
    assert account.targets(lb) == {rule: {"10.0.0.1:8080": 10}}


def test_a_host_can_be_renamed_without_losing_rules_or_its_place(account: Account, place: tuple[str, str]) -> None:
    lb, listener = place
    made = account.rules(lb, listener, "a.example.com/", "a.example.com/api", "b.example.com/")

    account.write(
        "ModifyDomain", LoadBalancerId=lb, ListenerId=listener, Domain="a.example.com", NewDomain="new.example.com"
    )

    shown = account.listeners(lb)[0]["Rules"]
    assert [(rule["LocationId"], rule["Domain"]) for rule in shown] == list(
        zip(made, ["new.example.com", "new.example.com", "b.example.com"], strict=True)
    )
    assert defaults(account, lb) == {"new.example.com"}
    assert account.code(
        "ModifyDomain", LoadBalancerId=lb, ListenerId=listener, Domain="new.example.com", NewDomain="b.example.com"
    ).startswith("InvalidParameter")


def test_with_sni_each_host_brings_its_certificate_and_can_change_it(account: Account) -> None:
    lb = account.create()
    listener = account.listener(lb, 443, "HTTPS", SniSwitch=1)
    bare = {"Domain": "a.example.com", "Url": "/"}
    assert account.code("CreateRule", LoadBalancerId=lb, ListenerId=listener, Rules=[bare]) == "MissingParameter"
    create(account, lb, listener, {**bare, "Certificate": {"CertId": "certrsa1"}, "Http2": True})
    create(account, lb, listener, {**bare, "Url": "/api"})

    account.write(
        "ModifyDomainAttributes", LoadBalancerId=lb, ListenerId=listener, Domain="a.example.com", Http2=False,
        Certificate={"SSLMode": "UNIDIRECTIONAL", "CertId": "certrsa2"},
    )  # fmt: skip

    shown = account.listeners(lb)[0]["Rules"]
    assert {(rule["Certificate"]["CertId"], rule["Http2"]) for rule in shown} == {("certrsa2", False)}


def test_one_rule_can_serve_several_hosts(account: Account, place: tuple[str, str]) -> None:
    lb, listener = place

    create(account, lb, listener, {"Domains": ["a.example.com", "b.example.com"], "Url": "/"})

    (rule,) = account.listeners(lb)[0]["Rules"]
    assert (rule["Domain"], rule["Domains"]) == ("a.example.com", ["a.example.com", "b.example.com"])


@pytest.mark.parametrize("code", ["InvalidParameter.LocationNotFound", "InvalidParameter", "InvalidParameterValue"])
def test_a_deletion_with_a_missing_rule_deletes_none(emulate: Emulate, code: str) -> None:
    account = emulate(switches={"missing_location_code": code})
    lb = account.create()
    listener = account.listener(lb)
    (rule,) = account.rules(lb, listener, "a.example.com/")

    refused = account.code("DeleteRule", LoadBalancerId=lb, ListenerId=listener, LocationIds=[rule, "loc-none0000"])

    assert refused == code
    assert len(account.listeners(lb)[0]["Rules"]) == 1


def test_rules_need_a_layer_seven_listener(account: Account) -> None:
    lb = account.create()
    listener = account.listener(lb, 9000, "TCP")

    refused = account.refusal(
        "CreateRule", LoadBalancerId=lb, ListenerId=listener, Rules=[{"Domain": "a.example.com", "Url": "/"}]
    )

    assert refused.code == "InvalidParameterValue"
    assert "only support HTTP/HTTPS listener" in refused.message


def test_a_rule_can_be_deleted_by_host_and_url(account: Account, place: tuple[str, str]) -> None:
    lb, listener = place
    account.rules(lb, listener, "a.example.com/", "a.example.com/api")

    account.write("DeleteRule", LoadBalancerId=lb, ListenerId=listener, Domain="a.example.com", Url="/api")

    assert [rule["Url"] for rule in account.listeners(lb)[0]["Rules"]] == ["/"]
