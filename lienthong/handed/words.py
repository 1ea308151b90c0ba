"""What a role of others may say: a closed list, because a list of what is bad is never complete."""

from __future__ import annotations


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Keywords of a task (Ansible's playbook keywords) that stay on the host the task is for.
KEYWORDS = _set(
    "name when become become_user changed_when failed_when register notify listen tags vars loop loop_control"
    " until retries delay args environment block rescue always ignore_errors no_log async poll diff timeout"
)
#: Keys that are refused wherever they stand, and why.
REFUSED_KEYS = {
    "delegate_to": "would act on another system than the one it is for",
    "delegate_facts": "would write facts of another system",
    "local_action": "would run on the controller",
    "action": "hides which module it is; name the module itself",
    "connection": "would run on the controller, or by another way than the tool's",
    "run_once": "would run for one host and speak for all; say it for each",
    "remote_user": "would log in as somebody else",
    "become_method": "is the tool's to say",
    "become_exe": "is the tool's to say",
    "become_flags": "is the tool's to say",
    "check_mode": "would change things while a plan is made",
    "module_defaults": "changes what modules are told from afar",
    "collections": "brings modules that nobody looked at",
    "vars_files": "would read files of the controller",
    "hosts": "a role does not choose its hosts; the inventory does",
}
#: Of these, what is refused at any depth.
DEEP = _set("delegate_to delegate_facts local_action connection run_once")
#: Modules of ansible.builtin that act on the host alone.
MODULES = _set(
    "apt apt_repository assemble assert async_status blockinfile command copy cron deb822_repository debconf"
    " debug dpkg_selections fail file find get_url getent git group hostname import_tasks include_tasks"
    " include_vars iptables known_hosts lineinfile meta package package_facts ping pip reboot replace"
    " script service service_facts set_fact setup shell slurp stat systemd systemd_service sysvinit tempfile"
    " template unarchive uri user wait_for wait_for_connection"
)
#: Modules that may be told by a plain text.
FREE_FORM = _set("command shell script meta include_tasks import_tasks include_vars")
META = _set("flush_handlers noop end_host end_role reset_connection")
#: Arguments that name files of the controller, and the folder of the role in which they must lie.
CONTROLLER_FILES: dict[str, tuple[tuple[str, ...], str]] = {
    "copy": (("src",), "files"),
    "unarchive": (("src",), "files"),
    "assemble": (("src",), "files"),
    "uri": (("src",), "files"),
    "script": (("cmd",), "files"),
    "template": (("src",), "templates"),
    "include_tasks": (("file",), "tasks"),
    "import_tasks": (("file",), "tasks"),
    "include_vars": (("file", "dir"), "vars"),
}
#: Texts that Ansible takes for expressions without braces.
EXPRESSIONS = _set("when until changed_when failed_when that var")
#: Names that a template may not speak of.
REFUSED_NAMES = {
    "lookup": "a look-up runs on the controller",
    "query": "a look-up runs on the controller",
    "q": "a look-up runs on the controller",
    "hostvars": "what other systems are told is not its business",
    "vars": "reaches variables by names that nobody sees",
}
#: Filters and tests of Ansible that look at the controller's own files or environment.
REFUSED_FILTERS = _set("expandvars expanduser fileglob realpath vault unvault")
REFUSED_TESTS = _set("abs directory exists file is_abs is_dir is_file is_link is_mount is_same_file link")
REFUSED_TESTS |= _set("link_exists mount same_file vault_encrypted vaulted_file")
#: Folders of a role that hold no program of the controller.
FOLDERS = _set("tasks handlers defaults vars meta templates files")
YAML_FOLDERS = _set("tasks handlers defaults vars meta")
