"""How the models of the second reader are made. Nothing here runs in the gateway; see `python -m gateway.training -h`."""
