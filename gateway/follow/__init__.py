"""Follow-through: hand-offs and promises as values, and what mail does to them. Core: no store, no clock."""
