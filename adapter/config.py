"""Config: how the adapter reaches servers, built once by the shell from environment and options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from requests.auth import AuthBase

from adapter.fhir.auth import auth_from_environment
from adapter.fhir.client import FhirClient


@dataclass(frozen=True)
class Config:
    """Settings of the FHIR client; the defaults suit most servers."""

    timeout: float = 60.0
    retries: int = 4
    max_parallel: int = 4
    page_size: int = 200
    xml: bool = False
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)  # credentials only, never shown

    def client(self, base_url: str) -> FhirClient:
        """A client for ``base_url``; credentials come from the environment and go to this origin only."""
        auth: AuthBase | None = auth_from_environment(base_url, self.environ)
        return FhirClient(
            base_url,
            auth=auth,
            timeout=(5, self.timeout),
            retries=self.retries,
            max_parallel=self.max_parallel,
            page_size=self.page_size,
            format="xml" if self.xml else "json",
        )
