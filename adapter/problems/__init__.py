"""Medication-related problems found by rule: rules are data in mappings/problems, one small function per kind of rule."""
