"""Writing: the composers that stand open in one tab.

A composer's text belongs to the browser. It goes up with every pause in typing and never comes back down: what a
composer begins with is fixed when it opens (`ComposerView.key` changes when it must begin again), and the answers
change only its status line.

They are one state and not several, for a save, a take-over and a Send all change the same composers: what stands open
(`standing`), the ways in (`opening`), colleagues who write there too (`colleagues`), `saving`, `sending`, `recipients`
and `attaching`.
"""

from __future__ import annotations

from frontend.compose.attaching import Attaching
from frontend.compose.colleagues import Colleagues
from frontend.compose.recipients import Recipients
from frontend.compose.sending import Sending
from frontend.session import Session
from frontend.view import View


class Compose(Colleagues, Sending, Recipients, Attaching, Session):
    """The open composers: one at most in each conversation, and one for a new mail."""

    def repaint(self, before: View | None, view: View) -> None:
        """Follow drafts: open mine where a conversation comes into the page, drop what was sent or discarded."""
        if before is not None and before.mailboxes is not view.mailboxes:
            self._follow_settings(view)
        if self.fresh["id"] in view.gone_drafts:
            self._miss(self.fresh["id"])
        if before is None or before.details is view.details:
            return
        for conversation_id, composer in list(self.docked.items()):
            if conversation_id not in view.details:
                # Its place in the page is gone, and what was typed with it: it opens from what was saved.
                self._close(composer["id"])
        if gone := self.asking.keys() - view.details.keys():
            self.asking = {i: each for i, each in self.asking.items() if i not in gone}
        for conversation_id, detail in view.details.items():
            known = before.details.get(conversation_id)
            if known is None or known.drafts is not detail.drafts:
                self._follow(view, known, detail)


Session.painters.append(Compose)
