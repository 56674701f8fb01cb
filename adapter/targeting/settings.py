"""What every table of a program shares: no key beyond those named, and where its settings come from."""

from __future__ import annotations

from typing import Literal

import msgspec

Standing = Literal["V", "P+", "P", "U"]  # official text; two secondary texts, or one; unverified


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all program tables: immutable, no key beyond those named."""


class Criterion(Strict, frozen=True):
    """Base of the criteria and deadlines: where they come from. ``standing`` is that of every setting that ``chosen`` does not name."""

    standing: Standing
    source: str
    chosen: list[str]  # settings that no official text gives: the choice of whoever wrote the file
