"""Results to FHIR resources. Pure: dictionaries in FHIR JSON form, no I/O."""
