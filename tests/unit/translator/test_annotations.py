"""The table of annotations: forms, refusals, notices, creation parameters."""

import json
from dataclasses import fields

import pytest

from l7lb import translator
from l7lb.model.loadbalancer import CreateSpec
from l7lb.model.maybe import UNSET
from l7lb.model.problems import Severity
from l7lb.model.snapshot import Translation
from l7lb.translator.annotations import TABLE
from l7lb.translator.names import Name

from .builders import SETTINGS, codes, ingress, rule, snapshot


def translate(annotations: dict[str, str]) -> Translation:
    return translator.translate(snapshot(ingress(rule(), annotations=annotations)), SETTINGS)


def create(annotations: dict[str, str]) -> CreateSpec:
    found = translate(annotations)
    assert found.desired is not None
    return found.desired.create


def test_every_annotation_has_exactly_one_row() -> None:
    assert [row.name for row in TABLE].count(Name.MODE) == 1
    assert {row.name for row in TABLE} == set(Name)
    assert len(TABLE) == len(Name)


def test_every_row_is_documented() -> None:
    for row in translator.annotation_rows():
        assert all(isinstance(getattr(row, field.name), str) for field in fields(row))
        assert row.doc.endswith("."), row.name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (Name.MATCHING, "kubernetes"),
    ],
    ids=lambda value: str(value).rpartition("/")[2],
)
def test_what_decides_about_routing_and_is_not_supported_refuses_the_ingress(name: Name, value: str) -> None:
    found = translate({name: value})
    assert found.desired is None
    assert found.held.everything
    assert found.refusal is not None
    assert found.refusal.reason == "NotSupported"
    assert name in found.refusal.message
    assert found.refusal in found.problems


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (Name.RULE_MIX, "false"),
        (Name.RULE_MIX_BOTH, ""),
        (Name.AUTO_REWRITE, "false"),
        (Name.DIRECT_ACCESS, "false"),
        (Name.GROUP, "false"),
        (Name.LISTEN_PORTS, "[]"),
        (Name.LISTEN_PORTS, ""),
        (Name.CERTIFICATE, ""),
        (Name.CERTIFICATE, "[]"),
        (Name.CERTIFICATE, "null"),
        (Name.CROSS_REGION, ""),
        (Name.MATCHING, "tke"),
        (Name.HTTP_RULES, "null"),
        (Name.HTTP_RULES, '[{"path":"/","backend":{"serviceName":"web","servicePort":"80"}}]'),
        (Name.AUTO_REWRITE_CODE, '{"defaultRewriteCode":307}'),
        (Name.MIX_TARGET_PREFER, "ipv4"),
        (Name.GRACE_SHUTDOWN, "true"),
        (Name.CLIENT_TOKEN, "d3b07384"),
        (Name.LEGACY_CERTIFICATE, "Kd83hQ2x"),
        (Name.RECORD, "{broken"),
        ("description", "free text of the console"),
    ],
    ids=lambda value: str(value).rpartition("/")[2][:30] or "empty",
)
def test_what_asks_for_nothing_is_no_problem(name: str, value: str) -> None:
    found = translate({name: value})
    assert found.problems == ()
    assert found.desired is not None


def test_an_ingress_as_the_console_writes_it_is_served() -> None:
    written = {
        Name.CLASS: "qcloud",
        Name.RULE_MIX: "false",
        Name.HTTP_RULES: '[{"host":"a.acme-demo.com","path":"/","backend":{"serviceName":"web","servicePort":"80"}}]',
        Name.HTTPS_RULES: "null",
        "description": "",
    }
    assert translate(written).problems == ()


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        (Name.RULE_MIX, "maybe", "E4044"),
        (Name.DIRECT_ACCESS, "yes", "E4037"),
        (Name.MODE, "skipp", ""),
        (Name.LISTEN_PORTS, '[{"HTTP":"80"}]', ""),
        (Name.LISTEN_PORTS, '[{"TCP":80}]', ""),
        (Name.LISTEN_PORTS, '[{"HTTP":true}]', ""),
        (Name.LISTEN_PORTS, '{"HTTP":80}', ""),
        (Name.LISTEN_PORTS, '[{"HTTP":65536}]', ""),
        (Name.AUTO_REWRITE, "2", ""),
        (Name.GROUP, "on", ""),
    ],
    ids=lambda value: str(value).rpartition("/")[2][:30] or "no code",
)
def test_a_routing_annotation_that_cannot_be_read_holds_everything(name: Name, value: str, code: str) -> None:
    found = translate({name: value})
    assert found.held.everything
    assert found.refusal is not None
    assert (found.refusal.code, found.refusal.reason) == (code, "InvalidAnnotation")
    assert found.refusal.field == f"metadata.annotations[{name}]"


def test_the_arrays_of_rule_mix_are_judged_only_with_rule_mix() -> None:
    alone = translate({Name.HTTP_RULES: "[broken"})
    assert (codes(alone), alone.refusal) == (["E4022"], None)
    assert alone.problems[0].severity is Severity.WARNING
    together = translate({Name.HTTPS_RULES: "[broken", Name.RULE_MIX: "true"})
    assert "E4023" in codes(together)
    assert together.refusal is not None


def test_a_config_with_a_reserved_name_is_told() -> None:
    assert "E4051" in codes(translate({Name.CONFIG: "web-auto-ingress-config"}))


def test_the_attributes_of_the_load_balancer_are_desired_only_when_said() -> None:
    silent = translate({}).desired
    assert silent is not None
    assert (silent.security_groups, silent.pass_to_target, silent.delete_protection) == (UNSET, UNSET, UNSET)
    said = translate(
        {
            Name.SECURITY_GROUPS: "sg-1aaaaaaa, sg-2bbbbbbb",
            Name.PASS_TO_TARGET: "True",
            Name.DELETION_PROTECTION: "false",
        }
    ).desired
    assert said is not None
    assert said.security_groups == frozenset({"sg-1aaaaaaa", "sg-2bbbbbbb"})
    assert (said.pass_to_target, said.delete_protection) == (True, False)


@pytest.mark.parametrize("value", [",", " , ,", "sg", "sg-1aaaaaaa;sg-2bbbbbbb"])
def test_security_groups_that_cannot_be_read_unbind_nothing(value: str) -> None:
    found = translate({Name.SECURITY_GROUPS: value})
    assert [problem.field for problem in found.problems] == [f"metadata.annotations[{Name.SECURITY_GROUPS}]"]
    assert found.desired is None or found.desired.security_groups is UNSET


def test_empty_security_groups_unbind_all() -> None:
    desired = translate({Name.SECURITY_GROUPS: ""}).desired
    assert desired is not None
    assert desired.security_groups == frozenset()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (Name.SECURITY_GROUPS, "sg-1;sg-2"),
        (Name.SECURITY_GROUPS, ",".join(f"sg-{n}" for n in range(6))),
        (Name.PASS_TO_TARGET, "yes"),
        (Name.DELETION_PROTECTION, "please"),
    ],
    ids=["semicolons", "six groups", "pass-to-target", "deletion-protection"],
)
def test_an_attribute_that_cannot_be_read_is_left_as_it_is(name: Name, value: str) -> None:
    found = translate({name: value})
    assert codes(found) == ["InvalidAnnotation"]
    assert found.desired is not None
    assert (found.desired.security_groups, found.desired.pass_to_target) == (UNSET, UNSET)
    assert not found.held.everything


def test_options_say_what_the_reconciler_asks() -> None:
    said = translator.options(
        ingress(
            annotations={
                Name.EXIST_LB_ID: "lb-7xk2m9qa",
                Name.MODE: "skip",
                Name.RETAIN: "true",
                Name.APPROVE: "0123456789abcdef",
                Name.MATCHING: "tke",
            }
        )
    )
    assert (said.exist_lb_id, said.skip, said.retain, said.approve) == ("lb-7xk2m9qa", True, True, "0123456789abcdef")
    assert (said.group, said.direct, said.matching, said.problems) == (False, False, "tke", ())


def test_a_retain_that_cannot_be_read_keeps_the_load_balancer() -> None:
    said = translator.options(ingress(annotations={Name.RETAIN: "yes please"}))
    assert said.retain
    assert [problem.reason for problem in said.problems] == ["InvalidAnnotation"]
    assert not translator.options(ingress(annotations={Name.RETAIN: "false"})).retain


def test_a_subnet_makes_it_internal() -> None:
    assert create({Name.SUBNET_ID: "subnet-0aq3l8rt"}).internal_subnet == "subnet-0aq3l8rt"
    assert create({}).internal_subnet is None
    assert create({}).vpc_id == "vpc-4hd8w0pn"
    assert create({}).name == "cls-9mfq2k1t_shop_storefront"


def test_billing_and_bandwidth_go_into_the_create_call() -> None:
    made = create({Name.CHARGE_TYPE: "TRAFFIC_POSTPAID_BY_HOUR", Name.BANDWIDTH: "100"})
    assert (made.charge_type, made.bandwidth_mbps) == ("TRAFFIC_POSTPAID_BY_HOUR", 100)


def test_billing_of_an_internal_load_balancer_is_told_to_have_no_effect() -> None:
    found = translate({Name.SUBNET_ID: "subnet-0aq3l8rt", Name.BANDWIDTH: "100"})
    assert codes(found) == ["NotApplied"]
    assert found.desired is not None
    assert found.desired.create.bandwidth_mbps is None


def test_extensive_parameters_win_field_by_field() -> None:
    made = create(
        {
            Name.CHARGE_TYPE: "TRAFFIC_POSTPAID_BY_HOUR",
            Name.BANDWIDTH: "100",
            Name.EXTENSIVE: '{"SlaType":"clb.c2.medium","InternetAccessible":{"InternetMaxBandwidthOut":10}}',
        }
    )
    assert (made.charge_type, made.bandwidth_mbps) == ("TRAFFIC_POSTPAID_BY_HOUR", 10)
    assert {name: json.loads(text) for name, text in made.extensive} == {
        "SlaType": "clb.c2.medium",
        "InternetAccessible": {"InternetChargeType": "TRAFFIC_POSTPAID_BY_HOUR", "InternetMaxBandwidthOut": 10},
    }


def test_the_users_tags_are_kept_apart() -> None:
    made = create({Name.EXTENSIVE: '{"Tags":[{"TagKey":"team","TagValue":"shop"}],"VipIsp":"BGP"}'})
    assert made.tags == (("team", "shop"),)
    assert made.extensive == (("VipIsp", '"BGP"'),)


def test_a_subnet_in_the_json_wins_over_the_annotation() -> None:
    made = create({Name.SUBNET_ID: "subnet-0aq3l8rt", Name.EXTENSIVE: '{"SubnetId":"subnet-9"}'})
    assert (made.internal_subnet, made.extensive) == ("subnet-9", ())


@pytest.mark.parametrize(
    ("annotations", "code"),
    [
        pytest.param({Name.EXIST_LB_ID: "clb-7xk2m9qa"}, "E4098", id="malformed existLbId"),
        pytest.param({Name.EXIST_LB_ID: "lb-7xk2 m9qa"}, "E4098", id="existLbId with a blank"),
        pytest.param({Name.SUBNET_ID: "10.0.0.0/24"}, "E4055", id="malformed subnetId"),
        pytest.param({Name.CHARGE_TYPE: "PREPAID"}, "E4045", id="unknown charge type"),
        pytest.param({Name.BANDWIDTH: "0"}, "E4046", id="no bandwidth"),
        pytest.param({Name.BANDWIDTH: "2049"}, "E4046", id="too much bandwidth"),
        pytest.param({Name.BANDWIDTH: "1e3"}, "E4046", id="bandwidth in another notation"),
        pytest.param({Name.BANDWIDTH: "١٠"}, "E4046", id="digits of another script"),
        pytest.param({Name.EXTENSIVE: "{"}, "E4026", id="no JSON"),
        pytest.param({Name.EXTENSIVE: "[]"}, "E4026", id="JSON, no object"),
        pytest.param({Name.EXTENSIVE: "null"}, "E4026", id="null"),
        pytest.param({Name.EXTENSIVE: '{"a":NaN}'}, "E4026", id="NaN"),
        pytest.param({Name.EXTENSIVE: "[" * 100_000}, "E4026", id="a hundred thousand brackets"),
        pytest.param({Name.EXTENSIVE: '{"a":' * 50 + "1" + "}" * 50}, "E4026", id="fifty levels"),
        pytest.param({Name.EXTENSIVE: '{"a":' + "9" * 5000 + "}"}, "E4026", id="a number of 5000 digits"),
        pytest.param({Name.EXTENSIVE: '{"Number":2}'}, "E4024", id="Number"),
        pytest.param({Name.EXTENSIVE: '{"ClientToken":"x"}'}, "E4024", id="ClientToken"),
        pytest.param({Name.EXTENSIVE: '{"Forward":0}'}, "E4024", id="Forward"),
        pytest.param({Name.EXTENSIVE: '{"LoadBalancerType":"OPEN"}'}, "E4024", id="LoadBalancerType"),
        pytest.param({Name.EXTENSIVE: '{"VpcId":"vpc-1"}'}, "E4024", id="VpcId"),
        pytest.param({Name.EXTENSIVE: '{"LBChargeType":"PREPAID"}'}, "E4024", id="prepaid"),
        pytest.param({Name.EXTENSIVE: '{"Tags":{"team":"shop"}}'}, "E4024", id="tags of another form"),
        pytest.param({Name.EXTENSIVE: '{"InternetAccessible":10}'}, "E4024", id="InternetAccessible of another form"),
    ],
)
def test_bad_creation_parameters_stop_the_creation_and_nothing_else(annotations: dict[str, str], code: str) -> None:
    found = translate(annotations)
    assert codes(found) == [code]
    assert found.create_refusal == found.problems[0]
    assert found.refusal is None
    assert found.desired is not None
    assert found.desired.listeners == (translate({}).desired or found.desired).listeners
    assert found.held == translate({}).held


def test_a_lent_load_balancer_needs_no_creation_parameters() -> None:
    found = translate({Name.EXIST_LB_ID: "lb-7xk2m9qa", Name.EXTENSIVE: "{", Name.SUBNET_ID: "?"})
    assert found.create_refusal is None
    assert codes(found) == ["E4055", "E4026"]


LENT: dict[str, str] = {Name.EXIST_LB_ID: "lb-7xk2m9qa"}


def test_a_group_needs_the_name_of_what_it_shares() -> None:
    found = translate({Name.GROUP: "true"})
    assert found.create_refusal is not None
    assert found.create_refusal.reason == "GroupWithoutLoadBalancer"
    assert translate({Name.GROUP: "true", **LENT}).create_refusal is None


def test_skip_does_not_go_together_with_a_group() -> None:
    it = ingress(annotations={Name.GROUP: "true", Name.MODE: "skip", **LENT})
    assert not translator.options(it).skip
    (problem,) = translate({Name.GROUP: "true", Name.MODE: "skip", **LENT}).problems
    assert (problem.reason, problem.severity) == ("NotSupported", Severity.WARNING)
    assert translator.options(ingress(annotations={Name.MODE: "skip"})).skip
