from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from dpt_bench.shards.temporary import is_temporary, locked_temporary, remove_abandoned


def test_it_lies_beside_its_target_and_goes(tmp_path: Path) -> None:
    target = tmp_path / "d" / "x.tar"
    with locked_temporary(target) as path:
        assert path.parent == target.parent
        assert path.exists()
        assert is_temporary(path.name)
    assert list(target.parent.iterdir()) == []


def test_a_living_writer_keeps_its_file(tmp_path: Path) -> None:
    with locked_temporary(tmp_path / "x.tar") as path:
        remove_abandoned(tmp_path)
        assert path.exists()


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from dpt_bench.shards.temporary import locked_temporary\n"
        "with locked_temporary(Path(sys.argv[1])) as path: path.write_bytes(b'half'); print('ready', flush=True); "
        "time.sleep(60)"
    )
    (tmp_path / ".x.tar.note.tmp").write_text("of the user")
    writer = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "x.tar")], stdout=subprocess.PIPE)
    with writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        remove_abandoned(tmp_path, "x.tar")
        assert len([path for path in tmp_path.iterdir() if is_temporary(path.name)]) == 1
        writer.send_signal(signal.SIGKILL)
    remove_abandoned(tmp_path, "y.tar")
    assert len([path for path in tmp_path.iterdir() if is_temporary(path.name)]) == 1
    remove_abandoned(tmp_path, "x.tar")
    assert [path.name for path in tmp_path.iterdir()] == [".x.tar.note.tmp"]
