"""A plan year of services with planted truth, and the CMS files that follow from it."""
