"""The command line, as ``python -m bayeslmm``."""

from bayeslmm.cli import main

if __name__ == "__main__":
    main()
