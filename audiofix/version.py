"""The version, a constant: looking metadata up would cost more than printing it."""

VERSION = "0.1.0"
