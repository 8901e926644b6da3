"""A template or a snippet goes into a draft: filled in for whom it is written to."""

from backend.access.asker import Asker
from backend.compose.queries import read_draft
from backend.templates.actions import use_template
from backend.templates.contracts import FillIn, Rendered, RenderFor


async def fill_in(asker: Asker, draft_id: int, template_id: int, given: FillIn) -> Rendered:
    """What the template says in this draft, and one more use of it. The draft's own text is its writer's to change.

    Raises NotFound for a template that the person cannot use, Unacceptable for what it makes too much of.
    """
    draft = await read_draft(draft_id)
    in_conversation = draft.conversation_id is not None
    wanted = RenderFor(
        to=given.to,
        mailbox_id=None if in_conversation else draft.mailbox_id,
        conversation_id=draft.conversation_id,
        given=given.given,
    )
    return await use_template(asker, template_id, wanted)
