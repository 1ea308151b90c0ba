"""Names and slugs as NetBox takes them: unique, short enough, and the same in every export."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from lienthong.model.base import Bilingual

UNKNOWN = "Unknown"


def slugify(text: str, limit: int = 100) -> str:
    """Letters without their marks, digits and hyphens; a digest where nothing would be left."""
    plain = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    ascii_only = plain.encode("ascii", "ignore").decode().lower()
    found = re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")
    return found[:limit].strip("-") or f"x-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def with_slug(text: str, slug: str, limit: int = 100) -> str:
    """A readable name that nobody else has: `Huyện ủy Lộc Ninh (loc-ninh)`."""
    tail = f" ({slug})"
    return text[: limit - len(tail)].rstrip() + tail


def both(name: Bilingual, limit: int = 200) -> str:
    """A name in both languages."""
    return f"{name.vi} / {name.en}"[:limit]


def maker_and_model(text: str | None, role: str) -> tuple[str, str]:
    """The inventory says maker and model in one text: the first word is taken for the maker."""
    if text is None:
        return UNKNOWN, f"{UNKNOWN} {role}"
    maker, _, model = text.partition(" ")
    return maker[:100], (model or maker)[:100].strip()


def unique_slug(text: str, other: str) -> str:
    """A slug that differs whenever the text does, where texts may differ in what a slug leaves out."""
    found = slugify(text, 80)
    return found if found == text else f"{found}-{hashlib.sha256(f'{other}/{text}'.encode()).hexdigest()[:6]}"
