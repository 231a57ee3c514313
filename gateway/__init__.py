"""Referral gateway: an SMTP proxy that makes sure nobody who asked for help is left hanging."""

__version__ = "0.1.0"
