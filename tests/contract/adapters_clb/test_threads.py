"""Many threads on one adapter: nobody gets another's answer."""

from concurrent.futures import ThreadPoolExecutor

from tests.contract.adapters_clb.tenant import REGION, Tenant
from tests.contract.adapters_clb.test_reading import fill


def test_each_thread_gets_its_own_answer(tenant: Tenant) -> None:
    fill(tenant, 40)
    refs = [head.ref for head in tenant.cloud.find(REGION, {"tke-clusterId": "cls-test"})] * 4
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda ref: tenant.cloud.heads((ref,)), refs))
    assert [set(heads) for heads in found] == [{ref} for ref in refs]
