"""Evaluation: how well the reading and the policies do on labelled mail, in figures with their uncertainty."""
