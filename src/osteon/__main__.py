"""`python -m osteon` is the `osteon` command."""

from osteon.cli import main

if __name__ == "__main__":
    main()
