"""The auditors' pages."""
