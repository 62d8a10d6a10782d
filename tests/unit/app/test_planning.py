"""`l7lb plan --offline`: what is printed, its exit code, what it reads, and what it says of files it cannot read."""

import io
import json
import re
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
from l7lb.errors import Rejected, Throttled, Unavailable
from l7lb.model.identity import Cluster
from tests.unit.app.account import Account
from tests.unit.app.golden import CONFIG, FOLDER, MANIFESTS, expected, printed, survey
from tests.unit.runtime.fake_clock import FakeClock

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 12)
)


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


@pytest.mark.parametrize("arguments", [["-f", "A", "B"], ["A", "B"], ["-f", "A", "-f", "B"], ["A", "-f", "B"]], ids=str)
def test_further_files_stand_after_the_first_as_a_shell_writes_them(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"A": str(FOLDER / "http.yaml"), "B": str(FOLDER / "lent.yaml")}
    with pytest.raises(SystemExit) as end:
        main(["plan", "--offline", "-o", "json", *(files.get(word, word) for word in arguments)])
    assert end.value.code == 2
    assert [one["ingress"] for one in json.loads(capsys.readouterr().out)] == ["default/web", "shop/web"]


@pytest.mark.parametrize("text", [None, "[" * 20_000, BOMB, "kind: Ingress\n", "\0"], ids=lambda text: repr(text)[:20])
def test_a_file_that_cannot_be_read_is_one_line_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None
) -> None:
    file = tmp_path / "bad.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SystemExit) as end:
        main(["plan", "--offline", "-f", str(file)])
    told = capsys.readouterr()
    assert (end.value.code, told.out, told.err.count("\n")) == (1, "", 1)
    assert told.err.startswith(f"l7lb: {file}: ")


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
            ("- a\n- b\n", "document 1: is no Kubernetes object"),
            ("kind: ConfigMap\n---\njust words\n", "document 2: is no Kubernetes object"),
            ("kind: List\nitems: [7]\n", "is no Kubernetes object"),
            (
                "kind: Ingress\nmetadata: {name: web}\nspec: {rules: 7}\n",
                "document 1: Ingress web: Expected `array | null`",
            ),
            ("kind: Ingress\nmetadata: 7\nspec: {rules: 7}\n", "document 1: Ingress: metadata must be a mapping"),
            ("kind: ConfigMap\n---\nkind: Ingress\nmetadata: {}\n", "document 2: Ingress without a name"),
            ("kind: List\nitems: [{kind: Ingress}]\n", "document 1, item 1: Ingress without a name"),
            ("kind: List\nitems: 7\n", "the items of a List must be a list"),
            ("kind: Ingress\nmetadata: {name: 7}\n", "name and namespace must be text"),
            ("kind: Ingress\nmetadata: {name: web, namespace: [a]}\n", "name and namespace must be text"),
            ("kind: Service\nmetadata: {name: w}\nspec: {ports: [{port: http}]}\n", "Service w: Expected `int`"),
            ("[" * 20_000, "nested too deeply"),
            ("{a: " * 120 + "b" + "}" * 120, "nested more than 100 deep"),
            (BOMB, "aliases add more than 200000 nodes"),
            ("a: &a [" + "x" * 300_000 + "]\nb: [" + "*a, " * 2000 + "]\n", "aliases add more than 200000 nodes"),
            ("&a [*a]", "an alias stands within what it names"),
            ('kind: "\\ud800"\n', "a value is not of the type"),
            ("kind: !!bool perhaps\n", "a value is not of the type"),
            ("kind: !!python/name:os.system x\n", "line 1: could not determine a constructor"),
        ],
        ids=lambda value: repr(value)[:40],
    )
    def test_what_cannot_be_read_is_named_with_its_file(self, tmp_path: Path, text: str, said: str) -> None:
        file = tmp_path / "bad.yaml"
        file.write_text(text)
        with pytest.raises(Rejected) as refusal:
            self.names(file)
        assert str(refusal.value).startswith(f"{file}: ")
        assert said in str(refusal.value)

    @pytest.mark.parametrize(
        "make", [Path.mkdir, lambda path: path.write_bytes(b"\xff\xfe\x00")], ids=["empty", "bytes"]
    )
    def test_an_empty_directory_and_a_file_of_bytes_are_mistakes(
        self, tmp_path: Path, make: Callable[[Path], object]
    ) -> None:
        path = tmp_path / "manifests"
        make(path)
        with pytest.raises(Rejected, match="manifests: "):
            self.names(path)

    def test_a_file_that_is_too_large_is_refused_before_it_is_parsed(self, tmp_path: Path) -> None:
        file = tmp_path / "large.yaml"
        with file.open("wb") as opened:
            opened.truncate((32 << 20) + 1)
        with pytest.raises(Rejected, match="larger than 32 MiB"):
            self.names(file)

    def test_a_line_of_a_broken_secret_is_not_repeated(self, tmp_path: Path) -> None:
        file = tmp_path / "secret.yaml"
        file.write_text("kind: Secret\ndata: {key: MII-private-key\n")
        with pytest.raises(Rejected) as refusal:
            self.names(file)
        assert "MII" not in str(refusal.value)

    def test_aliases_in_measure_and_timestamps_without_quotes_are_read(self, tmp_path: Path) -> None:
        file = tmp_path / "web.yaml"
        file.write_text(
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\n"
            "metadata: {name: &n web, labels: &l {app: *n}, annotations: *l, creationTimestamp: 2020-01-01T00:00:00Z}\n"
            "spec: {rules: []}\n"
        )
        assert self.names(file) == ["default/web"]

    @pytest.mark.parametrize(
        ("kind", "version"),
        [
            ("Ingress", "networking.internal.knative.dev/v1alpha1"),
            ("Ingress", "v1"),
            ("Ingress", "[networking.k8s.io/v1]"),
            ("Service", "serving.knative.dev/v1"),
            ("Node", "example.com/v1"),
        ],
    )
    def test_a_kind_of_another_group_is_not_ours(self, tmp_path: Path, kind: str, version: str) -> None:
        file = tmp_path / "other.yaml"
        file.write_text(f"apiVersion: {version}\nkind: {kind}\nspec: 7\n")
        assert self.names(file) == []

    @pytest.mark.parametrize("version", ["extensions/v1beta1", "networking.k8s.io/v1beta1"])
    def test_an_ingress_of_an_old_version_is_refused(self, tmp_path: Path, version: str) -> None:
        file = tmp_path / "old.yaml"
        file.write_text(f"apiVersion: {version}\nkind: Ingress\nmetadata: {{name: web}}\n")
        with pytest.raises(Rejected, match=f"document 1: Ingress: old API version {version}, convert to"):
            self.names(file)

    def test_two_documents_for_one_ingress_are_refused_with_both_places(self, tmp_path: Path) -> None:
        one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
        one.write_text("kind: Ingress\nmetadata: {name: web}\n")
        two.write_text("kind: ConfigMap\n---\nkind: Ingress\nmetadata: {name: web, namespace: default}\n")
        with pytest.raises(Rejected) as refusal:
            self.names(one, two)
        assert str(refusal.value) == (
            f"{two}: document 2: Ingress default/web is there already, in {one}: document 1"
        )  # fmt: skip

    @pytest.mark.parametrize(("second", "refused"), [(80, False), (81, True)], ids=["same", "other"])
    def test_what_ingresses_share_may_be_repeated_but_not_changed(
        self, tmp_path: Path, second: int, refused: bool
    ) -> None:
        service = "kind: Service\nmetadata: {{name: web}}\nspec: {{ports: [{{port: {}}}]}}\n"
        file = tmp_path / "shared.yaml"
        file.write_text(service.format(80) + "---\n" + service.format(second))
        if not refused:
            assert self.names(file) == []
            return
        with pytest.raises(Rejected, match="Service default/web is there already"):
            self.names(file)

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
    assert all(one.keys() == {"ingress", "loadBalancer", "plan", "problems", "waits", "error"} for one in found)


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
    assert re.search(r"tke-clusterId +cls-offline", capsys.readouterr().out)
    assert Config("a", "b").region == "b"
