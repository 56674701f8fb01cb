"""The Personal Medication List of one person, put together from every record that mentions a drug, before a pharmacist reviews it."""
