"""How the models of the second reader are made; nothing here runs in the gateway. `python -m gateway.training -h`."""
