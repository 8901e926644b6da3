"""The benchmark runs through and prints what it promises. Its times mean nothing on a machine that runs tests."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.interface import at
from tests.servers.tandem import PROJECT

SAMPLES = 3
PATIENCE = 220
"""Seconds. It shares the machine with other tests."""
pytestmark = pytest.mark.timeout(PATIENCE + 20)


@pytest.mark.browser
def test_live_benchmark_prints_one_object() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.live", "--json", "--conversations", "40", "--samples", str(SAMPLES)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads(done.stdout.splitlines()[-1])
    for name in ("click_to_conversation_ms", "action_to_dom_ms", "push_to_dom_ms"):
        assert 0 < figures[name]["p50"] <= figures[name]["p95"] <= figures[name]["max"], name
    assert figures["click_to_conversation_ms"]["samples"] == SAMPLES
    assert {kind["samples"] for kind in figures["action_to_dom_ms"]["by_kind"].values()} == {1}
    assert figures["push_to_dom_ms"]["samples"] == 4, "two mails, each seen in both browsers"
    assert figures["web_rss_mb"] > 30 and figures["worker_rss_mb"] > 20
    assert figures["start_seconds"] > 0
    assert figures["signed_in"] == {"browsers": 2, "clients": 3}
    durability = figures["postgres"]
    assert {durability[name] for name in ("fsync", "synchronous_commit", "full_page_writes")} == {"on"}
    assert figures["commit"] and figures["cpu_count"]


def test_sync_benchmark_prints_one_object() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.sync", "--json", "--messages", "120", "--rounds", "2"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    [line] = done.stdout.splitlines()
    figures = json.loads(line)
    for name in ("initial", "noop", "delta"):
        ours, theirs = figures[f"{name}_seconds"], figures[f"mbsync_{name}_seconds"]
        assert ours > 0 and theirs > 0, name
        assert figures[f"{name}_ratio"] == pytest.approx(ours / theirs, abs=0.006), name
    assert 0 < figures["initial_first_screen_seconds"] <= figures["initial_seconds"]
    assert figures["notmuch_new_seconds"] > 0 and figures["peak_rss_mb"] > 30
    assert 10 < figures["mean_kb"] < 20 and figures["messages"] == 120
    assert figures["events"] < 30, "old mail is told in batches"
    assert {figures["postgres"][name] for name in ("fsync", "synchronous_commit", "full_page_writes")} == {"on"}
    assert figures["commit"] and set(figures["peers"]) == {"mbsync", "notmuch"}


def test_memory_benchmark_compares_two_sizes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.sync_memory", "--json", "--sizes", "80", "40"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    [line] = done.stdout.splitlines()
    figures = json.loads(line)
    assert [run["messages"] for run in figures["runs"]] == [40, 80]
    small, large = (run["peak_rss_mb"] for run in figures["runs"])
    assert min(small, large) > 30
    assert figures["growth_ratio"] == pytest.approx(large / small, abs=0.006)
    assert {figures["postgres"][name] for name in ("fsync", "synchronous_commit", "full_page_writes")} == {"on"}


def test_team_benchmark_prints_one_object() -> None:
    asked = ("--people", "12", "--mailboxes", "3", "--seconds", "2", "--changes", "10", "--moves", "20")
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.team", "--json", *asked],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["changes"] > 5 and figures["events_received"] > 4 * 5, "each change reaches four people"
    assert 0 < figures["event_ms"]["p50"] <= figures["event_ms"]["p95"] <= figures["event_ms"]["p99"]
    assert (figures["lost"], figures["repeated"]) == (0, 0)
    assert figures["presence_frames"] > 12
    assert figures["web_rss_mb"] > 30 and figures["web_cpu_percent"] > 0
    assert {figures["postgres"][name] for name in ("fsync", "synchronous_commit", "full_page_writes")} == {"on"}


def test_outbox_benchmark_prints_one_object() -> None:
    asked = ("--mails", "24", "--kill-seconds", "0", "--rate-mails", "24", "--single", "2", "--seed", "1")
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.outbox", "--json", *asked],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads(done.stdout.splitlines()[-1])
    for name in ("lost", "doubled", "unknown_unexplained", "undone_sent"):
        assert figures[name] == 0, name
    assert figures["mails"] == 24 and figures["sent"] == 24 and figures["attempts_per_mail"] == 1
    assert figures["sent_per_second"] > 0 and figures["bare_per_second"] > 0 and figures["peak_rss_mb"] > 20
    assert {figures[name] for name in ("fsync", "synchronous_commit", "full_page_writes")} == {"on"}


def test_templates_benchmark_prints_one_object() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.templates", "--json", "--mails", "70"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["mails"] == 70 and figures["templates"] >= 30
    assert figures["renders_per_minute"] > 0 and figures["characters"] > 70 * 1000


@pytest.mark.browser
def test_interface_benchmark_prints_one_object(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.interface", "--json", "--conversations", "120", "--samples", "1"],
        cwd=PROJECT,
        env={**os.environ, "TANDEM_BENCH_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["messages"] == 600
    for name in figures["floors"]:
        assert at(figures, name) > 0, name
    assert {figures["postgres"][name] for name in ("fsync", "synchronous_commit", "full_page_writes")} == {"on"}


def test_search_benchmark_prints_one_object_and_keeps_its_mail(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.bench.search", "--json", "--messages", "120", "--rounds", "1"]
    kept = os.environ | {"TANDEM_BENCH_DATA": str(tmp_path)}
    runs = [
        subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE / 2, env=kept)
        for _ in range(2)
    ]
    assert all(done.returncode == 0 for done in runs), runs[-1].stderr[-3000:]
    first, figures = (json.loads(done.stdout.splitlines()[-1]) for done in runs)
    assert 0 < figures["p50_ms"] <= figures["p95_ms"] and figures["worst_ratio"] > 0
    assert len(figures["searches"]) == 10 and figures["searches"]["a word that most hold"]["shown"] > 20
    assert first["index_seconds_per_1000"] == figures["index_seconds_per_1000"] > 0, "the mail of the first run is used"
    assert figures["messages"] == 120 and figures["commit"] and set(figures["peers"]) == {"mbsync", "notmuch"}
