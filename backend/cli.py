"""The `tandem` command."""


def main() -> int:
    return 0
