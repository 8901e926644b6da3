"""Runs in a process of its own: writes style sheets into the elements that they dress.

    python -m backend.templates.importing.inliner < {"html": ..., "css": ...} > the page

A hostile page makes css-inline work for minutes, or fall over its own stack, so it is given some seconds, some memory,
and nothing that it could reach: no file and no network, whatever the page names.
"""

import json
import resource
import sys

import css_inline

SECONDS = 3
"""Of a processor."""
UNREADABLE = 3
"""The exit code for style sheets that are none."""
MEMORY = 768 * 1024 * 1024


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    given = json.load(sys.stdin.buffer)
    inliner = css_inline.CSSInliner(
        load_remote_stylesheets=False,
        keep_style_tags=True,  # to be told what of them is lost
        keep_link_tags=True,
        extra_css=given["css"] or None,
        resolve_css_variables=True,
    )
    try:
        page = inliner.inline(given["html"])
    except css_inline.InlineError:
        sys.exit(UNREADABLE)
    sys.stdout.buffer.write(page.encode())


if __name__ == "__main__":
    main()
