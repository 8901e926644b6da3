"""Style sheets are written into the elements that they dress: beside this process, within limits."""

import asyncio
import json
import sys
from contextlib import suppress

from backend.errors import TooLarge, Unacceptable, Unavailable
from sync.mime.markup_bounds import bounded_markup

SECONDS = 30.0
"""By the clock: a busy machine takes its time. The processor's seconds are counted in the process itself."""
LONGEST_RESULT = 4_000_000
UNREADABLE = 3
"""As the process says it (inliner.py, which this one does not load)."""
_at_once = asyncio.Semaphore(1)


async def inlined(html: str, css: str) -> str:
    """The page, written as browsers understand it, with all styles on its elements; its style sheets still stand in
    it. Raises TooLarge for what makes too much work."""
    bounded, cut = bounded_markup(html)
    if cut:
        raise TooLarge("This page is too long, or too deeply nested.", "Leave something out.")
    given = json.dumps({"html": bounded, "css": css}).encode()
    async with _at_once:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-m", "backend.templates.importing.inliner"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
        )
        try:
            async with asyncio.timeout(SECONDS):
                written, _ = await process.communicate(given)
        except TimeoutError:
            raise Unavailable("Reading the page took too long.", "Try again when less is going on.") from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
    if process.returncode == UNREADABLE:
        raise Unacceptable("A style sheet of this page cannot be read.", "Look at it in a browser first.")
    if process.returncode != 0 or len(written) > LONGEST_RESULT:
        raise TooLarge("The style sheets of this page are too much work.", "Leave those out that it does not need.")
    return written.decode(errors="replace")
