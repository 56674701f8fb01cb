"""FHIR resources to tidy rows with lineage, one module per table. Pure functions of Ibis tables."""
