"""Whatever stands in the audit log, and every job that can fail, has words on its page."""

import re
from pathlib import Path
from typing import get_args

import backend
from backend.jobs import JobName
from backend.people.audit import KINDS
from frontend.settings.audit_log import DEEDS
from frontend.settings.audit_log import KINDS as NAMES
from frontend.settings.failed_jobs import WORK

WRITTEN = re.compile(r'\baudit\(\s*[^,]+,\s*"(\w+)"(?: if [^\n]+ else "(\w+)")?')


def test_every_deed_has_words() -> None:
    sources = Path(backend.__file__).parent.rglob("*.py")
    words = {
        word
        for path in sources
        for found in WRITTEN.finditer(path.read_text(encoding="utf-8"))
        for word in found.groups()
        if word
    }
    assert {"signed_in", "account_reauthorised", "mailbox_created"} <= words
    assert not words - DEEDS.keys(), "write their words in frontend/settings/audit_log.py"
    assert not words - {each for kind in KINDS.values() for each in kind}, "say in backend/people/audit.py of what kind"
    assert NAMES.keys() == KINDS.keys()


def test_every_job_has_words() -> None:
    assert set(get_args(JobName)) == WORK.keys(), "write its words in frontend/settings/failed_jobs.py"
