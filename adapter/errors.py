"""The one tree of expected faults, and the exit code of each.

Logic raises these; only the shell (``cli/``, ``web/``) turns them into an exit code or an OperationOutcome. Each message is
one sentence that names the thing, the place and the remedy, and never holds personal data (names, identifiers, birth dates).

    AdapterError
    ├── ConfigError        options, environment or configuration file that cannot be used     exit 2
    │   └── RefusedRecord  a service or opt-out that cannot be recorded
    ├── MappingError       a fault in mappings/ or in a plan's own program, list or layout    exit 3
    ├── SourceError        the source cannot be read, or --strict met a bad resource          exit 4
    ├── ConformanceError   a resource that the adapter made does not validate                 exit 5
    ├── SinkError          something could not be written; what was written is told           exit 6
    └── ReportError        the CMS file cannot be made as its layout asks                     exit 7
"""

from __future__ import annotations

from dataclasses import dataclass

EXIT_OK = 0
EXIT_BUG = 1  # an unexpected fault: a traceback is shown, please report it


class AdapterError(Exception):
    """An expected fault, told in one sentence without a traceback."""

    exit_code = EXIT_BUG


class ConfigError(AdapterError):
    """Options, environment or configuration that cannot be used."""

    exit_code = 2


class RefusedRecord(ConfigError):
    """A service or opt-out that cannot be recorded, because it is impossible or contradicts what stands; nothing was written."""


@dataclass(frozen=True)
class Fault:
    """One fault in a mapping file: where (file, row or key) and what."""

    file: str
    place: str
    fault: str

    def __str__(self) -> str:
        return f"{self.file}: {self.place}: {self.fault}" if self.place else f"{self.file}: {self.fault}"


class MappingError(AdapterError):
    """A fault in mappings/ or in a plan's own file; ``faults`` holds every one, not only the first."""

    exit_code = 3

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


class SourceError(AdapterError):
    """The source cannot be read as FHIR R4, or answered with an error; ``status`` is the HTTP status if there was one."""

    exit_code = 4

    def __init__(self, message: str, status: int | None = None) -> None:
        self.status = status
        super().__init__(message)


class UnknownBeneficiary(SourceError):
    """The source does not hold that Patient; another fault than a server that answers 404 to a search."""

    def __init__(self) -> None:
        super().__init__("There is no such beneficiary in the source; give the id of one of its Patients", 404)


class ConformanceError(AdapterError):
    """A resource does not pass validation against FHIR R4."""

    exit_code = 5


class SinkError(AdapterError):
    """Resources could not be written; ``status`` is the HTTP status if there was one."""

    exit_code = 6

    def __init__(self, message: str, status: int | None = None) -> None:
        self.status = status
        super().__init__(message)


class ReportError(AdapterError):
    """The CMS file cannot be produced as its layout asks."""

    exit_code = 7
