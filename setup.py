"""The kernels and the folder map. Everything else about the package is in pyproject.toml."""

import runpy
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

kernels = runpy.run_path(str(Path(__file__).parent / "kernels" / "build.py"))


class BuildKernels(build_ext):
    """Builds the libraries that this machine has a compiler for, without a Python suffix."""

    def get_ext_filename(self, fullname):
        return str(Path(*fullname.split("."))) + ".so"

    def build_extension(self, ext):
        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        kernels["BUILDERS"][target.name](target)


class PlatformWheel(bdist_wheel):
    """The libraries depend on the platform, not on the version of Python."""

    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


setup(
    packages=[
        *find_packages(include=["audiofix", "audiofix.*"]),
        "audiofix.trainers",
        *(f"audiofix.trainers.{name}" for name in find_packages("trainers")),
    ],
    package_dir={"audiofix.trainers": "trainers"},
    ext_modules=[
        Extension(f"audiofix.ops.{Path(name).stem}", []) for name in kernels["libraries"]()
    ],
    cmdclass={"build_ext": BuildKernels, "bdist_wheel": PlatformWheel},
)
