"""Finds the password of an identity the way Ansible does, from Ansible's own settings and by its own code.

`ANSIBLE_VAULT_IDENTITY_LIST=loc-ninh-net@SOURCE,…` names sources by identity, and what stands in
`ANSIBLE_VAULT_PASSWORD_FILE=SOURCE` is for all of them (both may stand in ansible.cfg). A source is a file;
an executable, which prints the password; an executable whose name ends in `-client`, which is given
`--vault-id LABEL`; or `prompt`. Stricter than Ansible: a password that is given for another identity is
never tried, and no source may lie inside the checkout.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lienthong.errors import LienThongError

PROMPTS = frozenset({"prompt", "prompt_ask_vault_pass"})


class NoPassword(LienThongError):
    """Nobody gave a password for an identity."""


def how(label: str) -> str:
    """The hint that says how an identity's password is given."""
    return (
        f"ANSIBLE_VAULT_IDENTITY_LIST={label}@FILE (a file, or an executable that prints it), "
        "or ANSIBLE_VAULT_PASSWORD_FILE=FILE, outside this checkout"
    )


def sources(label: str) -> list[tuple[str, str]]:
    """(label, source) of every password that may be tried for an identity, its own before the default's."""
    from ansible import constants

    settings = constants.config.get_config_value
    unnamed = settings("DEFAULT_VAULT_IDENTITY")
    given = [
        _split(text.strip(), unnamed) for text in settings("DEFAULT_VAULT_IDENTITY_LIST") if text.strip()
    ]
    password_file = settings("DEFAULT_VAULT_PASSWORD_FILE")
    if password_file:
        given.append((unnamed, password_file))
    if settings("DEFAULT_ASK_VAULT_PASS"):
        given.append((unnamed, "prompt_ask_vault_pass"))
    return [pair for pair in given if pair[0] == label] + [
        pair for pair in given if pair[0] == unnamed != label
    ]


def known(label: str, root: Path) -> list[tuple[str, Any]]:
    """The passwords of an identity: (label, Ansible's `VaultSecret`), loaded.

    Raises:
        NoPassword: nobody gave one.
        LienThongError: a source lies in the checkout, is missing, fails, or yields nothing.
    """
    found = [(name, load(label, source, root, named=name)) for name, source in sources(label)]
    if not found:
        raise NoPassword(f"the password of identity {label} is not given", hint=how(label))
    return found


def load(label: str, source: str, root: Path, *, named: str | None = None, new: bool = False) -> Any:
    """One password from one source; `new` asks a prompt twice.

    Raises:
        LienThongError: it lies in the checkout, is missing, fails, or yields nothing.
    """
    from ansible.errors import AnsibleError
    from ansible.parsing.dataloader import DataLoader
    from ansible.parsing.vault import PromptVaultSecret, get_file_vault_secret

    named = named or label
    if source in PROMPTS:
        prompts = ["New vault password (%(vault_id)s): ", "Confirm new vault password (%(vault_id)s): "]
        secret = PromptVaultSecret(
            vault_id=label, prompt_formats=prompts if new else ["Vault password (%(vault_id)s): "]
        )
    else:
        refuse_inside(label, source, root)
        secret = None
    try:
        if secret is None:
            secret = get_file_vault_secret(filename=source, vault_id=named, loader=DataLoader())
        secret.load()
    except AnsibleError as error:
        raise LienThongError(
            f"the password of identity {label} cannot be had from {source}: {_without_output(error)}",
            hint=how(label),
        ) from None
    return secret


def refuse_inside(label: str, source: str, root: Path) -> None:
    """Refuse a password that would travel with the repository.

    Raises:
        LienThongError: the source, or what it links to, lies inside the checkout.
    """
    from ansible.utils.path import unfrackpath

    found, checkout = Path(unfrackpath(source, follow=False)), root.resolve()
    if found.is_relative_to(checkout) or found.resolve().is_relative_to(checkout):
        raise LienThongError(
            f"the password of identity {label} must not lie inside the checkout: {source}",
            hint="move it out, e.g. to ~/.config/lienthong/, and change it if it was ever committed",
        )


def split(text: str, label: str) -> str:
    """The source of `[LABEL@]SOURCE` given for that identity.

    Raises:
        LienThongError: it is given for another one.
    """
    named, source = _split(text, label)
    if named != label:
        raise LienThongError(f"{text} is a password of identity {named}, not of {label}")
    return source


def _split(text: str, unnamed: str) -> tuple[str, str]:
    name, at, source = text.partition("@")
    return (name, source) if at else (unnamed, text)


def _without_output(error: Exception) -> str:
    """Ansible's words, less what a script wrote: that may hold anything."""
    text = str(error)
    return text.partition("): b'")[0].partition('): b"')[0].partition(": b'")[0].rstrip(". ")
