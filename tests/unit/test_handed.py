"""Roles of Central: what is believed, what is refused with its place, and what is given to them."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from lienthong.errors import InventoryError, LienThongError
from lienthong.handed import lock, scan, signed, specs
from lienthong.inventory import load
from lienthong.model.intent import Node
from lienthong.model.words import Target
from lienthong.plan.build import build
from lienthong.runners import handed
from lienthong.target import Access

ROOT = Path(__file__).resolve().parents[2]
NAME = "central_banner"
GOOD: Mapping[str, str] = {
    "tasks/main.yml": """---
- name: The banner
  ansible.builtin.template: {src: banner.j2, dest: /etc/motd, mode: "0644"}
  when: central_banner_level > 1
- name: A file as it is
  ansible.builtin.copy:
    src: notice.txt
    dest: /etc/central-notice
- name: Two at once
  block:
    - name: Look
      command: uname -r
      register: central_banner_seen
      changed_when: false
    - name: Tell
      debug: {msg: "{{ central_banner_seen.stdout | default('nothing') }}"}
- include_tasks: more.yml
""",
    "tasks/more.yml": "- name: A folder\n  file: {path: /etc/central, state: directory}\n",
    "handlers/main.yml": "- name: Anew\n  systemd_service: {name: ssh, state: reloaded}\n",
    "defaults/main.yml": "central_banner_level: 2\n",
    "templates/banner.j2": "{% for line in central_banner_lines %}\n{{ line }}\n{% endfor %}\n",
    "files/notice.txt": "{{ lookup('pipe', 'id') }} is only text here\n",
    "meta/argument_specs.yml": """
argument_specs:
  main:
    options:
      central_banner_level: {type: int, default: 2, choices: [1, 2, 3]}
      central_banner_lines: {type: list, elements: str, required: true}
      central_banner_strict: {type: bool}
""",
    "meta/main.yml": "galaxy_info: {author: Central}\ndependencies: []\n",
    "README.md": "what it does\n",
}


def judged(**changed: str) -> list[str]:
    """What is refused of the good role with some files changed."""
    files = dict(GOOD)
    for name, text in changed.items():
        files[name.replace("__", "/").replace("_dot_", ".")] = text
    return [str(problem).split("\nhint")[0] for problem in scan.refusals(NAME, as_bytes(files))]


def as_bytes(files: Mapping[str, str]) -> dict[str, bytes]:
    return {path: text.encode() for path, text in files.items()}


def task(text: str) -> list[str]:
    return judged(tasks__main_dot_yml=text)


def test_a_role_that_stays_on_its_host_passes() -> None:
    assert judged() == []


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ('- debug: {msg: "{{ lookup(\'pipe\', \'id\') }}"}', "1:16", "look-up"),
        ("- debug: {msg: \"{{ query ('env', 'HOME') }}\"}", "1:16", "look-up"),
        ("- debug: {msg: \"{{ q('file', '/etc/shadow') }}\"}", "1:16", "look-up"),
        ("- debug: {msg: \"{% set l = lookup %}{{ l('pipe', 'id') }}\"}", "1:16", "look-up"),
        ("- command: id\n  when: lookup('env', 'HOME')", "2:9", "look-up"),
        ("- shell: |\n    echo\n    {{ lookup('pipe', 'id') }}", "3:1", "look-up"),
        ("- assert: {that: [\"query('env', 'HOME')\"]}", "1:19", "look-up"),
        ("- debug: {var: \"q('env', 'HOME')\"}", "1:16", "look-up"),
        ("- command: id\n  with_items: [1]", "2:3", "with_items"),
        ("- command: id\n  with_pipe: id", "2:3", "with_pipe"),
        ("- command: id\n  delegate_to: localhost", "2:3", "delegate_to"),
        ("- block:\n    - command: id\n      delegate_to: localhost", "3:7", "delegate_to"),
        ("- local_action: command id", "1:3", "local_action"),
        ("- action: command id", "1:3", "action"),
        ("- command: id\n  connection: local", "2:3", "connection"),
        ("- command: id\n  vars: {ansible_connection: local}", "2:10", "steered"),
        ("- set_fact: {ansible_host: 127.0.0.1}", "1:14", "steered"),
        ("- set_fact: {\"{{ 'ansible' }}_host\": 127.0.0.1}", "1:14", "no plain word"),
        ("- command: id\n  register: ansible_connection", "2:13", "steered"),
        ("- command: id\n  run_once: true", "2:3", "run_once"),
        ("- command: id\n  check_mode: false", "2:3", "check_mode"),
        ("- fetch: {src: /etc/shadow, dest: /tmp}", "1:3", "no module"),
        ("- ansible.posix.synchronize: {src: /, dest: /}", "1:3", "no module"),
        ("- add_host: {name: other}", "1:3", "no module"),
        ("- include_role: {name: other}", "1:3", "no module"),
        ("- copy: {src: /etc/shadow, dest: /tmp/x}", "1:15", "no file of the role"),
        ("- copy: {src: ../../vault, dest: /tmp/x}", "1:15", "no file of the role"),
        ("- copy: {src: \"{{ central_banner_level }}\", dest: /tmp/x}", "1:15", "no file of the role"),
        ("- copy: {dest: /tmp/x}\n  args: {src: /etc/shadow}", "2:15", "no file of the role"),
        ("- copy: {src: /etc/x, dest: /tmp/x, remote_src: \"{{ false }}\"}", "1:49", "remote_src"),
        ("- copy: src=/etc/shadow dest=/tmp/x", "1:9", "told by a text"),
        ("- template: {src: files/notice.txt, dest: /tmp/x}", "1:19", "no file of the role"),
        ("- script: /etc/passwd", "1:11", "no file of the role"),
        ("- include_tasks: /tmp/more.yml", "1:18", "no file of the role"),
        ("- include_tasks: {file: more.yml, apply: {become: true}}", "1:42", "apply"),
        ("- include_vars: {dir: /etc}", "1:23", "no file of the role"),
        ("- meta: refresh_inventory", "1:9", "beyond its host"),
        ("- debug: {msg: \"{{ hostvars['other'].secret }}\"}", "1:16", "hostvars"),
        ("- debug: {msg: \"{{ '*' | fileglob }}\"}", "1:16", "fileglob"),
        ("- debug: {msg: \"{{ ''.__class__ }}\"}", "1:16", "inside"),
        ("- debug: {msg: !vault abc}", "1:16", "tag"),
        ("- debug: {msg: !!python/object/apply:os.system [id]}", "1:16", "tag"),
        ("- &a {command: id}\n- *a", "2:3", "alias"),
        ("- debug: {msg: \"{{ oops\"}", "1:16", "not understood"),
        ("- command: [\n", "2:1", "not YAML"),
        ("command: id", "1:1", "no list of tasks"),
    ],
)  # fmt: skip
def test_what_a_role_may_not_do_is_refused_with_its_place(text: str, place: str, what: str) -> None:
    found = task(text)
    assert found, "nothing was refused"
    assert any(
        line.startswith(f"roles/{NAME}/tasks/main.yml:{place}: ") and what in line for line in found
    ), found


@pytest.mark.parametrize(
    ("path", "text", "what"),
    [
        ("library/evil.py", "import os", "folder library/"),
        ("action_plugins/copy.py", "import os", "folder action_plugins/"),
        ("lookup_plugins/x.py", "", "folder lookup_plugins/"),
        ("filter_plugins/x.py", "", "folder filter_plugins/"),
        ("module_utils/x.py", "", "folder module_utils/"),
        ("ansible.cfg", "[defaults]", "beside the folders"),
        ("tasks/main", "- fetch: {}", "not .yml"),
        ("vars/main.json", "{}", "not .yml"),
        ("vars/main.yml", "x: \"{{ lookup('pipe', 'id') }}\"", "look-up"),
        ("defaults/main.yml", "ansible_connection: local", "steered"),
        ("templates/x.j2", "{{ lookup('pipe', 'id') }}", "look-up"),
        ("templates/x.j2", "#jinja2: variable_start_string:'[%'\n[% lookup('pipe', 'id') %]", "marked"),
        ("templates/x.j2", "{% include '/etc/shadow' %}", "outside the role"),
        ("templates/x.j2", "{% import '../x' as y %}", "outside the role"),
        ("meta/main.yml", "dependencies: [other]", "other roles"),
        ("tasks/main.yml", "\udcff", "UTF-8"),
    ],
)
def test_what_lies_in_a_role_is_judged_too(path: str, text: str, what: str) -> None:
    files = {**as_bytes(GOOD), path: text.encode("utf-8", "surrogateescape")}
    found = [str(problem) for problem in scan.refusals(NAME, files)]
    assert any(f"roles/{NAME}/{path}:" in line and what in line for line in found), found


def test_a_role_without_types_for_its_variables_is_refused() -> None:
    files = as_bytes({path: text for path, text in GOOD.items() if path != specs.SPECS})
    assert "is not there" in str(scan.refusals(NAME, files)[0])


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"central_banner_lines": ("a",)}, ""),
        ({"central_banner_lines": ("a",), "central_banner_level": 3, "central_banner_strict": True}, ""),
        ({}, "central_banner_lines is needed"),
        ({"central_banner_lines": "a"}, "not of type list"),
        ({"central_banner_lines": (1,)}, "not of type list"),
        ({"central_banner_lines": (), "central_banner_level": True}, "not of type int"),
        ({"central_banner_lines": (), "central_banner_level": 9}, "one of: 1, 2, 3"),
        ({"central_banner_lines": (), "other": 1}, "has no variable other"),
    ],
)
def test_values_are_of_the_types_that_the_role_says(given: dict[str, object], what: str) -> None:
    found = [str(problem) for problem in specs.mistakes("somewhere", NAME, as_bytes(GOOD), given)]
    assert bool(found) is bool(what)
    assert all(what in line for line in found)


class Central:
    """Somebody with a key, and a checkout where it may sign."""

    def __init__(self, folder: Path) -> None:
        self.root, self.key = folder / "checkout", folder / "key"
        (self.root / "inventory").mkdir(parents=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True)
        public = self.key.with_suffix(".pub").read_text()
        (self.root / signed.SIGNERS).write_text(f'central namespaces="{signed.NAMESPACE}" {public}')

    def hand_over(
        self, files: Mapping[str, str] = GOOD, name: str = NAME, space: str = signed.NAMESPACE
    ) -> Path:
        folder = self.root / "roles" / name
        lines = [f"# {signed.NAMESPACE} {name}\n"]
        for path, text in sorted(files.items()):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
            lines.append(f"{hashlib.sha256(text.encode()).hexdigest()}  {path}\n")
        sums = folder / signed.SUMS
        sums.write_text("".join(lines))
        (folder / signed.SIGNATURE).unlink(missing_ok=True)
        subprocess.run(
            ["ssh-keygen", "-q", "-Y", "sign", "-n", space, "-f", str(self.key), str(sums)],
            check=True,
            capture_output=True,
        )
        return folder


@pytest.fixture
def central(tmp_path: Path) -> Central:
    return Central(tmp_path)


def test_a_signed_role_is_read_whole(central: Central) -> None:
    central.hand_over()
    role = signed.read(central.root, NAME)
    assert (role.name, role.signer) == (NAME, "central")
    assert role.files.keys() == GOOD.keys()


def refused(central: Central) -> str:
    with pytest.raises(LienThongError) as caught:
        signed.read(central.root, NAME)
    return str(caught.value)


def test_any_altered_added_or_missing_file_is_named(central: Central) -> None:
    folder = central.hand_over()
    (folder / "tasks/main.yml").write_text("- command: id\n")
    (folder / "tasks/new.yml").write_text("")
    (folder / "README.md").unlink()
    told = refused(central)
    assert f"roles/{NAME}/tasks/main.yml: was altered" in told
    assert f"roles/{NAME}/tasks/new.yml: is not in" in told
    assert f"roles/{NAME}/README.md: is missing" in told


def test_a_list_that_was_altered_is_not_believed(central: Central) -> None:
    folder = central.hand_over()
    sums = folder / signed.SUMS
    sums.write_text(sums.read_text() + f"{'0' * 64}  files/more\n")
    assert "nobody who may sign roles" in refused(central)


def test_neither_another_key_nor_another_purpose_is_believed(central: Central, tmp_path: Path) -> None:
    central.hand_over(space="lienthong-plan")
    assert "nobody who may sign roles" in refused(central)
    stranger = Central(tmp_path / "stranger")
    stranger.root = central.root
    stranger.hand_over()
    assert "nobody who may sign roles" in refused(central)


def test_a_role_does_not_pass_for_another(central: Central) -> None:
    central.hand_over(name="other")
    (central.root / "roles/other").rename(central.root / "roles" / NAME)
    assert f"not the list of role {NAME}" in refused(central)


def test_a_link_leads_nowhere(central: Central) -> None:
    folder = central.hand_over()
    (folder / "files/notice.txt").unlink()
    (folder / "files/notice.txt").symlink_to("/etc/shadow")
    assert "neither a file nor a folder" in refused(central)


def test_a_role_is_live_only_after_a_lab_has_seen_it_as_it_is(central: Central) -> None:
    central.hand_over()
    role = signed.read(central.root, NAME)
    with pytest.raises(LienThongError, match="was not accepted"):
        lock.must_be_pinned(central.root, role, Target.LAB)
    lock.pin(central.root, role, Target.LAB)
    lock.must_be_pinned(central.root, role, Target.LAB)
    with pytest.raises(LienThongError, match="lab only"):
        lock.must_be_pinned(central.root, role, Target.LIVE)
    with pytest.raises(LienThongError, match="has not run in a lab"):
        lock.pin(central.root, role, Target.LIVE)
    lock.prove(central.root, role.digest)
    lock.pin(central.root, role, Target.LIVE)
    lock.must_be_pinned(central.root, role, Target.LIVE)
    central.hand_over({**GOOD, "README.md": "new\n"})
    with pytest.raises(LienThongError, match="not what was accepted"):
        lock.must_be_pinned(central.root, signed.read(central.root, NAME), Target.LAB)


def test_a_lock_that_makes_no_sense_is_told_with_its_line(central: Central) -> None:
    (central.root / lock.LOCK).write_text("# head\nnonsense\n")
    with pytest.raises(LienThongError, match=r"inventory/roles\.lock:2:1"):
        lock.pins(central.root)


@pytest.fixture
def node() -> Node:
    found = build(load(ROOT / "inventory")).nodes["tinh-uy-portal"]
    return replace(found, handed_over={NAME: {"central_banner_lines": ("{{ lookup('pipe', 'id') }}",)}})


def access(root: Path) -> Access:
    found = Access.__new__(Access)
    object.__setattr__(found, "root", root)
    object.__setattr__(found, "target", Target.LAB)
    return found


def test_one_bad_role_keeps_all_from_running(central: Central, node: Node) -> None:
    central.hand_over({**GOOD, "tasks/main.yml": "- command: id\n  delegate_to: localhost\n"})
    lock.pin(central.root, signed.read(central.root, NAME), Target.LAB)
    with pytest.raises(InventoryError, match=r"tasks/main\.yml:2:3"):
        handed.judged(access(central.root), [node])


def test_values_are_never_templates(node: Node) -> None:
    text = handed.playbook_of([node])
    assert '- !unsafe "{{ lookup(' in text
    plays = yaml.compose(text)
    assert isinstance(plays, yaml.SequenceNode)
    assert len(plays.value) == 1
