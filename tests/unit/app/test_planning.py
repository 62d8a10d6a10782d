"""`l7lb plan --offline`: what is printed, its exit code, what it reads, and what it says of files it cannot read."""

import io
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from l7lb.app.config import Config
from l7lb.app.planning import offline, patiently, plans
from l7lb.app.printing import as_text
from l7lb.app.survey import survey_files
from l7lb.app.watching import settings_of
from l7lb.cli import main
from l7lb.errors import ConfigurationError, Throttled, Unavailable
from l7lb.model.identity import Cluster
from tests.unit.app.account import Account
from tests.unit.app.golden import CONFIG, FOLDER, MANIFESTS, expected, printed, survey
from tests.unit.runtime.fake_clock import FakeClock


@pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: file.name)
def test_a_plan_is_printed_as_it_was_agreed(file: Path) -> None:
    assert printed(file) == expected(file)


def test_every_agreed_plan_has_its_manifest() -> None:
    agreed = {file.name.partition(".plan.")[0] for file in FOLDER.iterdir() if ".plan." in file.name}
    assert agreed == {file.stem for file in MANIFESTS}


@pytest.mark.parametrize(
    ("file", "code"), [("http.yaml", 2), ("https.json", 2), ("lent.yaml", 2), ("partly.yaml", 1), ("none.yaml", 0)]
)
def test_the_exit_code_says_whether_there_is_something_to_do(
    file: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["plan", "--offline", "-f", str(FOLDER / file)])
    assert end.value.code == code
    assert capsys.readouterr().err == ""


def test_the_plan_does_not_depend_on_the_order_of_the_files(tmp_path: Path) -> None:
    text = (FOLDER / "http.yaml").read_text()
    turned = tmp_path / "turned.yaml"
    turned.write_text("\n---\n".join(reversed(text.split("\n---\n"))))
    assert as_text(survey(turned).findings) == as_text(survey(FOLDER / "http.yaml").findings)


class TestReading:
    """Files, directories, standard input."""

    def names(self, *paths: Path) -> list[str]:
        return [str(finding.ingress) for finding in survey_files(paths, CONFIG).findings]

    def test_a_directory_is_read_without_its_folders_and_other_files(self, tmp_path: Path) -> None:
        (tmp_path / "a.yaml").write_text((FOLDER / "http.yaml").read_text())
        (tmp_path / "b.json").write_text((FOLDER / "https.json").read_text())
        (tmp_path / "notes.txt").write_text("not: [a manifest")
        (tmp_path / "more").mkdir()
        (tmp_path / "more" / "c.yaml").write_text((FOLDER / "lent.yaml").read_text())
        assert self.names(tmp_path) == ["default/web", "shop/web"]

    def test_several_paths_are_one_cluster(self) -> None:
        assert self.names(FOLDER / "http.yaml", FOLDER / "lent.yaml") == ["default/web", "shop/web"]

    def test_a_dash_is_standard_input(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO((FOLDER / "http.yaml").read_text()))
        assert self.names(Path("-")) == ["shop/web"]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("kind: [unclosed\n", "line 2"),
            ("- a\n- b\n", "document 1 is no Kubernetes object"),
            ("kind: Ingress\n---\njust words\n", "is no Kubernetes object"),
            ("kind: List\nitems: [7]\n", "is no Kubernetes object"),
            ("kind: Ingress\nmetadata: {name: web}\nspec: {rules: 7}\n", "Ingress web: Expected `array | null`"),
            ("kind: Ingress\nmetadata: 7\nspec: {rules: 7}\n", "Ingress without a name"),
            ("kind: Service\nmetadata: {name: w}\nspec: {ports: [{port: http}]}\n", "Service w: Expected `int`"),
        ],
        ids=["yaml", "list", "words", "item", "wrong type", "wrong metadata", "wrong port"],
    )
    def test_what_cannot_be_read_is_named_with_its_file(self, tmp_path: Path, text: str, said: str) -> None:
        file = tmp_path / "bad.yaml"
        file.write_text(text)
        with pytest.raises(ConfigurationError) as refusal:
            self.names(file)
        assert str(refusal.value).startswith("--filename: ")
        assert str(file) in str(refusal.value)
        assert said in str(refusal.value)

    @pytest.mark.parametrize(
        "make", [Path.mkdir, lambda path: path.write_bytes(b"\xff\xfe\x00")], ids=["empty", "bytes"]
    )
    def test_an_empty_directory_and_a_file_of_bytes_are_mistakes(
        self, tmp_path: Path, make: Callable[[Path], object]
    ) -> None:
        path = tmp_path / "manifests"
        make(path)
        with pytest.raises(ConfigurationError, match="--filename: "):
            self.names(path)

    def test_a_key_in_a_broken_secret_is_not_repeated(self, tmp_path: Path) -> None:
        file = tmp_path / "secret.yaml"
        file.write_text("kind: Secret\nmetadata: {name: s}\ndata: {qcloud_cert_id: 'MII-private-key'}\n")
        assert survey_files((file,), CONFIG).findings == ()


def test_a_colour_less_terminal_gets_no_colours(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["plan", "--offline", "-f", str(FOLDER / "http.yaml")])
    assert "\x1b" not in capsys.readouterr().out


def test_json_is_a_list_with_one_object_for_each_ingress(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["plan", "--offline", "-o", "json", "-f", str(FOLDER / "partly.yaml")])
    found = json.loads(capsys.readouterr().out)
    assert [one["ingress"] for one in found] == ["default/hopeless", "default/partly"]
    assert all(one.keys() == {"ingress", "plan", "problems", "waits", "error"} for one in found)


class TestPatience:
    """A plan is no worker: it may sleep."""

    def test_what_is_refused_for_rate_is_asked_again_after_the_told_time(self) -> None:
        refusals = [Throttled("slow", retry_after_s=7.0), Throttled("slow")]
        slept: list[float] = []

        def question() -> str:
            if refusals:
                raise refusals.pop(0)
            return "answer"

        assert patiently(question, slept.append) == "answer"
        assert slept == [7.0, 1.0]

    def test_what_never_is_answered_is_given_up(self) -> None:
        def question() -> str:
            raise Throttled("slow", retry_after_s=60.0)

        with pytest.raises(Throttled):
            patiently(question, lambda _seconds: None)

    def test_other_errors_are_not_waited_for(self) -> None:
        def question() -> str:
            raise Unavailable("away")

        with pytest.raises(Unavailable):
            patiently(question, lambda _seconds: pytest.fail("slept"))


class TestErrors:
    """What the cloud answers to one Ingress is said of this one."""

    def test_an_error_is_that_of_its_ingress_and_the_others_are_planned(self) -> None:
        seen: list[str] = []

        def trouble(call: str) -> None:
            seen.append(call)
            if len(seen) == 1:
                raise Unavailable("the cloud is away")

        files = [FOLDER / "http.yaml", FOLDER / "https.json"]
        worlds = offline(files, Cluster(CONFIG.cluster_id, "uid"), settings_of(CONFIG), FakeClock())
        first, second = plans(replace(worlds, cloud=Account(trouble=trouble)))
        assert (first.error, first.failed) == ("the cloud is away", True)
        assert not second.error
        assert second.plan


def test_the_region_and_the_cluster_may_stay_open_offline(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["plan", "--offline", "-f", str(FOLDER / "http.yaml")])
    assert end.value.code == 2
    assert "tke-clusterId=cls-offline" in capsys.readouterr().out
    assert Config("a", "b").region == "b"
