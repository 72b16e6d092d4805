"""`python -m pipeline.cli`: the same as the command `touchline`."""

from pipeline.cli import main

if __name__ == "__main__":
    main()
