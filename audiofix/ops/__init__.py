"""Operators with a compiled twin and a plain one."""
