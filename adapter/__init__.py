"""The open MTM adapter: who is targeted, what is due, and what CMS is told, from any FHIR R4 server."""

__version__ = "0.1.0"
