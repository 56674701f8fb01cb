"""The papers by kind. Each is made of the facts of one member and of what is the same for all; no layout, no file, no clock.

A paper that the facts do not carry is refused by ``Missing``, which says what is missing and never who.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from adapter.documents import fax, letters, summary
from adapter.documents.blocks import Paper
from adapter.documents.desk import Desk
from adapter.documents.view import Facts

Composer = Callable[[Facts, Desk], Paper]

COMPOSERS: Mapping[str, Composer] = {
    "invitation": letters.invitation,
    "summary": summary.summary,
    "to-do": summary.to_do_list,
    "pml": summary.medication_list,
    "safe-disposal": letters.safe_disposal,
    "prescriber-fax": fax.prescriber_fax,
}
