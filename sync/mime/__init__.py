"""The mail format, as pure functions: bytes in, values out, no network, no database.

parse       bytes -> ParsedMessage; never raises
build       Composition -> bytes
sanitise    the HTML of a stranger -> HTML that can be shown in a sandboxed frame
quotes      what was written now, and what is quoted from before
threading   headers -> which conversation
recipients  what a person typed into To -> addresses and problems
"""
