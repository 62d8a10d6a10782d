"""What operators write: flags, endpoints, key files, kubeconfigs. A mistake is one line, and exit code 2."""

import json
from collections.abc import Callable

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from l7lb.adapters.clb.credentials import KeyFile, load
from l7lb.adapters.clb.sdk import Endpoint
from l7lb.adapters.kube.credentials import Credentials, Source
from l7lb.app.config import FLAGS, config
from l7lb.errors import ConfigurationError
from l7lb.runtime.listening import parse_bind
from tests.fuzz.nasty import bent, broken, numbers, texts

WORDS = ("cls-9mfq2k1t", "ap-guangzhou", "http://127.0.0.1:80", "127.0.0.1:0", "env", "file:x", "shop/web", "a.b/c")
GOOD = {flag.field: flag.default for flag in FLAGS} | {"cluster_id": "cls-1", "region": "ap-guangzhou"}
TEXTS = [flag.field for flag in FLAGS if isinstance(flag.default, str)]
COUNTS = [flag.field for flag in FLAGS if isinstance(flag.default, int | float) and not isinstance(flag.default, bool)]
KUBECONFIG = {
    "apiVersion": "v1", "kind": "Config", "current-context": "c",
    "clusters": [{"name": "k", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "u", "user": {"token": "t"}}],
    "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
}  # fmt: skip


def refusal(parse: Callable[[], object]) -> str:
    """The text of the ConfigurationError; empty: it is understood. Anything else that is raised is a failure."""
    try:
        parse()
    except ConfigurationError as error:
        return str(error)
    return ""


@given(st.sampled_from(TEXTS), texts(*WORDS))
def test_a_flag_takes_any_text_or_names_itself(field: str, value: str) -> None:
    said = refusal(lambda: config({**GOOD, field: value}))
    assert said == "" or ("--" in said and "\n" not in said)


@given(st.sampled_from(COUNTS), numbers | st.floats())
def test_a_number_is_within_bounds_or_names_its_flag(field: str, value: float) -> None:
    said = refusal(lambda: config({**GOOD, field: value}))
    assert field.replace("_", "-") in said or 0 <= value <= 1e6


@given(texts(*WORDS), texts(*WORDS))
def test_an_endpoint_or_address_is_understood_or_refused(text: str, domain: str) -> None:
    refusal(lambda: Endpoint.parse(text, domain))
    refusal(lambda: parse_bind(text))
    assert refusal(lambda: load(f"x{text}", {}, Endpoint()))


@given(broken(b"[default]\nsecret_id = a\nsecret_key = PLANTED-KEY-1234\n"))
def test_a_key_file_is_read_or_refused_unquoted(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("files") / "credentials"
    path.write_bytes(content)
    assert "PLANTED" not in refusal(lambda: KeyFile(path).get_credential_info())


whole = json.dumps(KUBECONFIG).encode()
kubeconfigs = st.one_of(
    bent(KUBECONFIG, ("token", "tokenFile", "exec", "server", "user")).map(json.dumps).map(str.encode),
    broken(yaml.safe_dump(KUBECONFIG).encode()),
    broken(whole),
).filter(lambda content: len(content) < 2_000)
"""The YAML parser is slow with long ones; the operator who writes them waits for nobody else."""


@given(kubeconfigs)
@example(b"[" * 1_500)
def test_a_kubeconfig_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("files") / "kubeconfig"
    path.write_bytes(content)
    said = refusal(lambda: Credentials(Source(str(path)), clock=lambda: 0.0).header())
    assert said == "" or "--kubeconfig" in said
