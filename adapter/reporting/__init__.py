"""The CMS beneficiary-level file of one contract: records, layout, checks."""
