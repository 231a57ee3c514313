"""Core: who asked, and what the new text of a mail says, as facts with evidence."""
