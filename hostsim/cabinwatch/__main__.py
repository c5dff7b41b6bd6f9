"""``python -m cabinwatch``: the same as the command."""

from cabinwatch.cli.main import main

if __name__ == "__main__":
    main()
