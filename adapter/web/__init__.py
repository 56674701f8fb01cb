"""The Flask application: FHIR operations on the same jobs as the command line."""
