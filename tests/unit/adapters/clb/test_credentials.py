"""Keys: where they come from, when they are read again, and that they are never shown."""

import os
from pathlib import Path

import pytest

from l7lb.adapters.clb.credentials import Environment, KeyFile, Keys, Temporary, WebIdentity, load
from l7lb.adapters.clb.sdk import Endpoint
from l7lb.errors import ConfigurationError, Unavailable

PAIR = {"TENCENTCLOUD_SECRET_ID": "AKIDxxx", "TENCENTCLOUD_SECRET_KEY": "hidden"}
INI = "[default]\nsecret_id = AKIDxxx\nsecret_key = hidden\n"


def rewrite(path: Path, text: str, tick: int) -> None:
    path.write_text(text)
    os.utime(path, ns=(tick, tick))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "secretId").write_text("AKIDxxx\n")
    (tmp_path / "secretKey").write_text("hidden\n")
    return tmp_path


def test_the_environment_gives_id_key_and_token() -> None:
    assert Environment(PAIR).get_credential_info() == ("AKIDxxx", "hidden", None)
    assert Environment(PAIR | {"TENCENTCLOUD_TOKEN": "t"}).get_credential_info() == ("AKIDxxx", "hidden", "t")
    assert not Environment(PAIR).renew()


@pytest.mark.parametrize("absent", list(PAIR))
def test_a_missing_variable_is_named(absent: str) -> None:
    with pytest.raises(ConfigurationError, match=absent):
        Environment(PAIR | {absent: " "})


def test_a_profile_is_read_and_read_again_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    rewrite(file, INI, 1)
    keys = KeyFile(file)
    assert keys.get_credential_info() == ("AKIDxxx", "hidden", None)
    rewrite(file, INI.replace("AKIDxxx", "AKIDyyy") + "token = t\n", 2)
    assert keys.get_credential_info() == ("AKIDyyy", "hidden", "t")


def test_a_mounted_secret_is_followed_through_its_symbolic_link(tmp_path: Path) -> None:
    for name, value in (("one", "AKIDxxx"), ("two", "AKIDyyy")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "secretId").write_text(value)
        (tmp_path / name / "secretKey").write_text("hidden")
    mounted = tmp_path / "mounted"
    mounted.symlink_to("one")
    keys = KeyFile(mounted)
    assert keys.get_credential_info()[0] == "AKIDxxx"
    (tmp_path / "next").symlink_to("two")
    (tmp_path / "next").rename(mounted)
    assert keys.get_credential_info()[0] == "AKIDyyy"


def test_a_token_beside_the_keys_is_used(directory: Path) -> None:
    (directory / "token").write_text("t")
    assert KeyFile(directory).get_credential_info() == ("AKIDxxx", "hidden", "t")


def test_renewing_says_whether_the_file_has_other_keys(directory: Path) -> None:
    keys = KeyFile(directory)
    assert not keys.renew()
    rewrite(directory / "secretKey", "other!", 5)
    assert keys.renew()
    assert keys.get_credential_info()[1] == "other!"


@pytest.mark.parametrize(
    "text", ["", "[default]\nsecret_id = AKIDxxx\n", "[other]\na = b\n", "secret_key = hidden\n", "[default\n"]
)
def test_a_bad_profile_stops_the_start_without_showing_it(tmp_path: Path, text: str) -> None:
    file = tmp_path / "credentials"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        KeyFile(file)
    assert "hidden" not in str(caught.value)
    assert "--credentials" in str(caught.value)


def test_a_file_that_goes_away_later_is_unavailable_until_it_is_back(directory: Path) -> None:
    keys = KeyFile(directory)
    (directory / "secretKey").rename(directory / "away")
    with pytest.raises(Unavailable):
        keys.get_credential_info()
    (directory / "away").rename(directory / "secretKey")
    assert keys.get_credential_info()[1] == "hidden"


class Office:
    """Hands out keys that end an hour after they were fetched."""

    def __init__(self) -> None:
        self.now = 0.0
        self.fetched = 0
        self.open = True

    def clock(self) -> float:
        return self.now

    def __call__(self) -> Keys:
        self.fetched += 1
        if not self.open:
            raise Unavailable("closed")
        return Keys(f"id-{self.fetched}", "hidden", "t", self.now + 3600)


def test_temporary_keys_are_fetched_at_first_use_and_before_they_end() -> None:
    office = Office()
    keys = Temporary(office, office.clock)
    assert office.fetched == 0
    assert keys.get_credential_info()[0] == "id-1"
    office.now = 3299
    assert keys.get_credential_info()[0] == "id-1"
    office.now = 3300
    assert keys.get_credential_info()[0] == "id-2"


def test_a_failed_refresh_is_tried_again_and_good_keys_serve_until_then() -> None:
    office = Office()
    keys = Temporary(office, office.clock)
    keys.get_credential_info()
    office.now, office.open = 3400.0, False
    assert keys.get_credential_info()[0] == "id-1"
    assert keys.get_credential_info()[0] == "id-1"
    assert office.fetched == 2
    office.now = 3411
    keys.get_credential_info()
    assert office.fetched == 3
    office.now = 3600
    with pytest.raises(Unavailable):
        keys.get_credential_info()
    office.open = True
    assert keys.get_credential_info()[0] == "id-5"


def test_refused_temporary_keys_are_replaced_but_not_in_a_loop() -> None:
    office = Office()
    keys = Temporary(office, office.clock)
    keys.get_credential_info()
    assert not keys.renew()
    office.now = 20
    assert keys.renew()
    assert not keys.renew()
    assert keys.get_credential_info()[0] == "id-2"


def test_keys_are_never_shown() -> None:
    keys = Keys("AKIDxxx", "hidden", "token")
    assert not any(secret in f"{keys!r} {keys}" for secret in ("AKIDxxx", "hidden", "token='"))
    assert "hidden" not in repr(vars(Environment(PAIR)))


@pytest.mark.parametrize("source", ["", "vault", "ENV"])
def test_an_unknown_source_is_a_configuration_error(source: str) -> None:
    with pytest.raises(ConfigurationError, match="--credentials"):
        load(source, PAIR, Endpoint())


def test_each_source_is_chosen_by_name(directory: Path) -> None:
    assert isinstance(load("env", PAIR, Endpoint()), Environment)
    assert isinstance(load(f"file:{directory}", {}, Endpoint()), KeyFile)
    assert isinstance(load("file", {"TENCENTCLOUD_CREDENTIALS_FILE": str(directory)}, Endpoint()), KeyFile)
    assert isinstance(load("cvm-role", {}, Endpoint()), Temporary)


def test_a_missing_part_of_the_web_identity_is_named() -> None:
    with pytest.raises(ConfigurationError, match="TKE_PROVIDER_ID, TKE_WEB_IDENTITY_TOKEN_FILE, TKE_ROLE_ARN"):
        WebIdentity({"TKE_REGION": "ap-guangzhou"}, Endpoint())
