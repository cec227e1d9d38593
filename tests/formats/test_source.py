import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import pytest

from skembed.formats import FormatError, read_glove_text, write_glove_text

CONTENT = b"the 1 2\ncat 3 4\n"


def zipped(content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/", "")
        archive.writestr("folder/words.txt", content)
    return buffer.getvalue()


COMPRESSIONS = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zip": zipped,
}


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_compressed_files_are_read_whatever_their_name(tmp_path, compression):
    path = tmp_path / "words.txt"
    path.write_bytes(COMPRESSIONS[compression](CONTENT))
    assert read_glove_text(path).words == ["the", "cat"]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_compressed_files_cut_off_anywhere_are_refused(tmp_path, compression):
    path = tmp_path / "words.txt"
    whole = COMPRESSIONS[compression](CONTENT * 50)
    # The last bytes of xz and zip are an index that is needed; those of bz2 a sum.
    for n_bytes in range(1, len(whole)):
        path.write_bytes(whole[:n_bytes])
        with pytest.raises(FormatError):
            read_glove_text(path)


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_damaged_data_is_refused(tmp_path, compression, rng):
    path = tmp_path / "words.txt"
    # Not to be compressed much, so that data is what lies in the middle.
    content = "".join(f"w{i} {rng.random()}\n" for i in range(100))
    damaged = bytearray(COMPRESSIONS[compression](content.encode()))
    damaged[len(damaged) // 2] ^= 0xFF
    path.write_bytes(damaged)
    with pytest.raises(FormatError):
        read_glove_text(path)


def test_a_text_may_begin_like_an_archive(tmp_path):
    path = tmp_path / "words.txt"
    path.write_bytes(b"BZh9 1 2\n")
    assert read_glove_text(path).words == ["BZh9"]


def test_a_tar_archive_is_recognized(tmp_path):
    path = tmp_path / "words.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo("words.txt")
        entry.size = len(CONTENT)
        archive.addfile(entry, io.BytesIO(CONTENT))
    with pytest.raises(FormatError, match="found a tar archive; extract it first"):
        read_glove_text(path)


def test_an_empty_or_locked_archive_is_explained(tmp_path):
    path = tmp_path / "words.zip"
    content = bytearray(zipped(CONTENT))
    # The flag of encryption, in the entry and in the directory.
    for start in (b"PK\x03\x04", b"PK\x01\x02"):
        place = content.rfind(start)
        content[place + (6 if start[2] == 3 else 8)] |= 1
    path.write_bytes(content)
    with pytest.raises(FormatError, match="encrypted"):
        read_glove_text(path)


def test_errors_of_the_system_are_not_those_of_the_format(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_glove_text(tmp_path / "absent.txt")
    with pytest.raises(IsADirectoryError):
        read_glove_text(tmp_path)


@pytest.mark.parametrize(
    ("extension", "decompress"),
    [("gz", gzip.decompress), ("bz2", bz2.decompress), ("xz", lzma.decompress)],
)
def test_the_extension_chooses_the_compression_to_write(
    tmp_path, extension, decompress, rng
):
    path = tmp_path / f"words.txt.{extension}"
    vectors = rng.normal(size=(2, 3)).astype("f4")
    write_glove_text(path, ["a", "b"], vectors)
    write_glove_text(tmp_path / "words.txt", ["a", "b"], vectors)
    assert decompress(path.read_bytes()) == (tmp_path / "words.txt").read_bytes()


def test_compressing_the_same_gives_the_same_bytes(tmp_path, rng):
    vectors = rng.normal(size=(2, 3)).astype("f4")
    for name in ("one.txt.gz", "two.txt.gz"):
        write_glove_text(tmp_path / name, ["a", "b"], vectors)
    one, two = (tmp_path / f"{name}.txt.gz" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
