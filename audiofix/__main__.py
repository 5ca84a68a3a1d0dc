"""`python -m audiofix`."""

from audiofix.cli.main import main

main()
