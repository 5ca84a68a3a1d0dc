"""The published systems, one package each. Torch begins here."""
