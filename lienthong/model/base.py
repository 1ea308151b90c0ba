"""What every model of the inventory is: frozen, and an unknown key is an error."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from lienthong.model.words import Text


class Model(BaseModel):
    """Frozen, and an unknown key is an error."""

    # What validates is built when it is first asked for: inside a site's, most are never asked by themselves,
    # and to build each when it is imported is a tenth of the time of `lienthong validate`.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Bilingual(Model):
    """A name that officers read, in Vietnamese and in English."""

    vi: Text = Field(description="in Vietnamese, as on the door")
    en: Text = Field(description="in English")


def _iso(value: object) -> object:
    if isinstance(value, str) and len(value) == 10 and value[4] == value[7] == "-":
        return value
    if isinstance(value, date):
        return value
    raise ValueError("a date is written year-month-day, e.g. 2026-03-31")


#: A day, written `2026-03-31` (ISO 8601).
Day = Annotated[date, BeforeValidator(_iso)]


class Validity(Model):
    """The days on which something is in force, both included; open where an end is not written."""

    since: Day | None = Field(default=None, alias="from", description="first day, e.g. 2025-07-01")
    until: Day | None = Field(default=None, description="last day")

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.since and self.until and self.until < self.since:
            raise ValueError(f"ends on {self.until}, before it begins on {self.since}")
        return self

    def holds(self, day: date) -> bool:
        """Whether that day lies within."""
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)
