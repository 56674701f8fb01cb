"""The edge to FHIR: REST client, authentication, references, validation. Nothing else talks to a server."""
