"""Core: who is who at this site (teams, agents, departments, hours), as read from site.yaml."""
