"""Services: addresses and node ports, handed out, kept and given back."""

from tests.contract.kube.api import SERVICES, KubeApi, service


def test_service_gets_an_address_and_keeps_it(kube_api: KubeApi) -> None:
    spec = kube_api.made(SERVICES, service("a"))["spec"]
    assert spec["clusterIP"].startswith("10.96.")
    assert spec["clusterIPs"] == [spec["clusterIP"]]
    assert (spec["ipFamilies"], spec["ipFamilyPolicy"]) == (["IPv4"], "SingleStack")
    replaced = kube_api.put(f"{SERVICES}/a", service("a")).body["spec"]
    assert replaced["clusterIP"] == spec["clusterIP"]


def test_defaults_of_a_service(kube_api: KubeApi) -> None:
    spec = kube_api.made(SERVICES, service("a", ports=[{"port": 80}]))["spec"]
    assert spec["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert (spec["type"], spec["sessionAffinity"], spec["internalTrafficPolicy"]) == ("ClusterIP", "None", "Cluster")
    assert "externalTrafficPolicy" not in spec


def test_node_ports_are_handed_out_once_and_kept(kube_api: KubeApi) -> None:
    ports = [{"name": "a", "port": 80}, {"name": "b", "port": 81}]
    spec = kube_api.made(SERVICES, service("a", type="NodePort", ports=ports))["spec"]
    given = [port["nodePort"] for port in spec["ports"]]
    assert len(set(given)) == 2
    assert all(30000 <= port <= 32767 for port in given)
    assert spec["externalTrafficPolicy"] == "Cluster"
    replaced = kube_api.put(f"{SERVICES}/a", service("a", type="NodePort", ports=ports)).body["spec"]
    assert [port["nodePort"] for port in replaced["ports"]] == given


def test_node_port_in_use_is_refused(kube_api: KubeApi) -> None:
    taken = kube_api.made(SERVICES, service("a", type="NodePort"))["spec"]["ports"][0]["nodePort"]
    wanted = service("b", type="NodePort", ports=[{"port": 80, "nodePort": taken}])
    answer = kube_api.post(SERVICES, wanted)
    assert (answer.status, answer.causes) == (422, {("FieldValueInvalid", "spec.ports[0].nodePort")})
    kube_api.delete(f"{SERVICES}/a")
    assert kube_api.post(SERVICES, wanted).status == 201


def test_change_to_cluster_ip_gives_the_node_port_back(kube_api: KubeApi) -> None:
    kube_api.made(SERVICES, service("a", type="NodePort"))
    spec = kube_api.patch(f"{SERVICES}/a", {"spec": {"type": "ClusterIP"}}).body["spec"]
    assert "nodePort" not in spec["ports"][0]
    assert "externalTrafficPolicy" not in spec


def test_headless_service_has_no_address(kube_api: KubeApi) -> None:
    spec = kube_api.made(SERVICES, service("a", clusterIP="None"))["spec"]
    assert (spec["clusterIP"], spec["clusterIPs"]) == ("None", ["None"])


def test_external_name_has_neither_address_nor_policy(kube_api: KubeApi) -> None:
    spec = kube_api.made(SERVICES, service("a", type="ExternalName", externalName="example.com"))["spec"]
    assert {"clusterIP", "clusterIPs", "internalTrafficPolicy"} & spec.keys() == set()


def test_load_balancer_with_local_policy_gets_a_health_port(kube_api: KubeApi) -> None:
    spec = kube_api.made(SERVICES, service("a", type="LoadBalancer", externalTrafficPolicy="Local"))["spec"]
    assert 30000 <= spec["healthCheckNodePort"] <= 32767
    assert spec["allocateLoadBalancerNodePorts"] is True
    plain = kube_api.patch(f"{SERVICES}/a", {"spec": {"type": "ClusterIP"}}).body["spec"]
    assert {"healthCheckNodePort", "allocateLoadBalancerNodePorts"} & plain.keys() == set()
