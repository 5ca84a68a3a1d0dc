"""ASGAN (Baas and Kamper, SLT 2022): speech from Gaussian vectors."""
