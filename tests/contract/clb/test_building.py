"""From nothing to a load balancer that is complete, and back to nothing."""

from tencentcloud.clb.v20180317 import clb_client, models
from tencentcloud.common.credential import Credential

from tests.contract.clb.account import OUR_TAGS, Account, as_tags, profile


def test_a_created_load_balancer_is_listed_with_its_address_and_tags(account: Account) -> None:
    lb = account.create(LoadBalancerName="shop")

    shown = account.describe(lb)

    assert shown["Status"] == 1
    assert shown["LoadBalancerName"] == "shop"
    assert shown["LoadBalancerVips"] == ["127.80.0.1"]
    assert {tag["TagKey"]: tag["TagValue"] for tag in shown["Tags"]} == OUR_TAGS


def test_listeners_rules_and_targets_are_read_back_as_they_were_written(account: Account) -> None:
    lb = account.create()
    listener = account.listener(lb, 80)
    first, second = account.rules(lb, listener, "a.example.com/", "b.example.com/api")
    account.bind(lb, listener, first, 8080, 8081)
    account.bind(lb, listener, second, 9090, Weight=50)

    (shown,) = account.listeners(lb)

    assert (shown["Protocol"], shown["Port"], shown["ListenerName"]) == ("HTTP", 80, "l-80")
    assert [(rule["Domain"], rule["Url"]) for rule in shown["Rules"]] == [
        ("a.example.com", "/"),
        ("b.example.com", "/api"),
    ]
    assert account.targets(lb) == {first: {"10.0.0.1:8080": 10, "10.0.0.1:8081": 10}, second: {"10.0.0.1:9090": 50}}


def test_the_typed_client_sees_the_same_cloud(account: Account) -> None:
    client = clb_client.ClbClient(Credential(*account.secret), account.region, profile(account.server.endpoint))
    request = models.CreateLoadBalancerRequest()
    request._deserialize({"LoadBalancerType": "OPEN", "ClientToken": "typed", "Tags": as_tags(OUR_TAGS)})

    created = client.CreateLoadBalancer(request)
    status = models.DescribeTaskStatusRequest()
    status.TaskId = created.RequestId
    task = client.DescribeTaskStatus(status)
    listing = client.DescribeLoadBalancers(models.DescribeLoadBalancersRequest())
    client.request.conn._session.close()

    assert task.Status == 0
    assert [lb.LoadBalancerId for lb in listing.LoadBalancerSet] == list(task.LoadBalancerIds)
    assert listing.LoadBalancerSet[0].Tags[0].TagKey in OUR_TAGS


def test_several_ports_make_several_listeners_in_the_order_of_the_ports(account: Account) -> None:
    lb = account.create()

    ids = account.write(
        "CreateListener", LoadBalancerId=lb, Ports=[8080, 80], Protocol="HTTP", ListenerNames=["b", "a"]
    )["ListenerIds"]

    assert {item["ListenerId"]: (item["Port"], item["ListenerName"]) for item in account.listeners(lb)} == {
        ids[0]: (8080, "b"),
        ids[1]: (80, "a"),
    }


def test_a_deleted_load_balancer_is_gone_with_everything_on_it(account: Account) -> None:
    lb = account.create()
    listener = account.listener(lb)
    (rule,) = account.rules(lb, listener, "a.example.com/")
    account.bind(lb, listener, rule, 8080)

    account.write("DeleteLoadBalancer", LoadBalancerIds=[lb])

    assert account.clb("DescribeLoadBalancers", LoadBalancerIds=[lb])["LoadBalancerSet"] == []
    assert account.code("DescribeListeners", LoadBalancerId=lb) == "InvalidParameter.LBIdNotFound"


def test_a_layer_four_listener_has_no_rules_and_its_own_targets(account: Account) -> None:
    lb = account.create()
    listener = account.listener(lb, 9000, "TCP")

    account.write(
        "RegisterTargets", LoadBalancerId=lb, ListenerId=listener, Targets=[{"EniIp": "10.0.0.1", "Port": 80}]
    )

    (shown,) = account.clb("DescribeTargets", LoadBalancerId=lb)["Listeners"]
    assert shown["Rules"] is None
    assert [item["Port"] for item in shown["Targets"]] == [80]
    assert account.listeners(lb)[0]["Rules"] is None


def test_regions_do_not_see_each_other(account: Account) -> None:
    lb = account.create()

    account.region = "ap-shanghai"

    assert account.clb("DescribeLoadBalancers")["TotalCount"] == 0
    assert account.code("DescribeListeners", LoadBalancerId=lb) == "InvalidParameter.LBIdNotFound"
