# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Unpacks every DIR/NAME.npz (a zip of .npy files) to OUT/NAME/.  unpack.py DIR OUT"""
import pathlib
import shutil
import sys
import zipfile

source, out = map(pathlib.Path, sys.argv[1:])
shutil.rmtree(out, ignore_errors=True)
for archive in sorted(source.glob("*.npz")):
    with zipfile.ZipFile(archive) as arrays:
        arrays.extractall(out / archive.stem)
