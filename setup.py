"""The folder map of the package. Everything else about it is in pyproject.toml."""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["audiofix", "audiofix.*"]),
        "audiofix.trainers",
        *(f"audiofix.trainers.{name}" for name in find_packages("trainers")),
    ],
    package_dir={"audiofix.trainers": "trainers"},
)
