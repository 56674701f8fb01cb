"""What a plan holds beside FHIR: rosters, MARx reports, hospice stays, take-back sites."""
