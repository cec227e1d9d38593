import os
import subprocess
import sys
import textwrap

import pytest

from skembed import WordVectors
from skembed._atomic import atomic_path


def test_the_file_appears_when_it_is_complete(tmp_path):
    final = tmp_path / "file"
    with atomic_path(final) as temporary:
        temporary.write_text("new")
        assert temporary.parent == tmp_path
        assert not final.exists()
    assert final.read_text() == "new"
    assert list(tmp_path.iterdir()) == [final]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_the_earlier_file_and_nothing_else(tmp_path, error):
    final = tmp_path / "file"
    final.write_text("old")

    def fail():
        with atomic_path(final) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert final.read_text() == "old"
    assert list(tmp_path.iterdir()) == [final]


def test_the_folder_must_exist(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match=r"absent does not exist"),
        atomic_path(tmp_path / "absent" / "file"),
    ):
        pass


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "target").write_text("old")
    link = tmp_path / "link"
    link.symlink_to("target")
    with atomic_path(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_others_may_read_the_file_as_the_umask_says(tmp_path):
    before = os.umask(0o027)
    try:
        with atomic_path(tmp_path / "file") as temporary:
            temporary.write_text("new")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


def test_two_writers_do_not_meet(tmp_path):
    with (
        atomic_path(tmp_path / "file") as one,
        atomic_path(tmp_path / "file") as other,
    ):
        assert one != other
        one.write_text("one")
        other.write_text("other")
    assert (tmp_path / "file").read_text() == "one"
    assert len(list(tmp_path.iterdir())) == 1


FULL_DISK = """
import resource, signal, sys
import numpy as np
from skembed import WordVectors

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
words = WordVectors([f"w{i}" for i in range(1000)], np.ones((1000, 50)))
try:
    words.save(sys.argv[1])
except OSError as error:
    print(type(error).__name__, error.errno)
"""


@pytest.mark.slow
@pytest.mark.parametrize("extension", [".safetensors", ".bin", ".txt", ".txt.bz2"])
def test_a_full_disk_leaves_the_earlier_file(tmp_path, extension):
    path = tmp_path / f"words{extension}"
    earlier = WordVectors(["a"], [[1.0, 2.0]])
    earlier.save(path)
    # In a process of its own, as the limit cannot be lifted again.
    limit = FULL_DISK.replace("20_000", "200") if ".bz2" in extension else FULL_DISK
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(limit), path],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path.parent)},
    )
    assert result.stdout.startswith("OSError")
    assert list(tmp_path.iterdir()) == [path]
    assert WordVectors.load(path).index_to_key == ["a"]
