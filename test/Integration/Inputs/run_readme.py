# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the code blocks of a README, one after another, in a folder.

run_readme.py README.md FOLDER [COMMAND=WORDS...]

The language of a block says what is done with it; there is no block without one.
  sh            run as it is
  console       each `$ command` is run, and prints the lines that follow, between
                which others may stand where there is `...`
  yaml, mlir, cuda, python   written to the file that its first line names; Python is
                checked for its syntax
  text          to look at
COMMAND=WORDS says what a command is called here.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

readme, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
commands = folder / "commands"
commands.mkdir()
for definition in sys.argv[3:]:
    name, words = definition.split("=", 1)
    script = commands / name
    *wrapper, tool = words.split()
    script.write_text(f'#!/bin/sh\nexec {" ".join([*wrapper, shutil.which(tool)])} "$@"\n')
    script.chmod(0o755)
environment = {**os.environ, "PATH": f"{commands}:{os.environ['PATH']}"}


def run(text):
    """Runs a script, ends with its error if it fails, and returns what it prints."""
    result = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=folder, env=environment,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode:
        sys.exit(f"error: this command fails:\n{text}\n{result.stdout}")
    return result.stdout


def check(command, shown):
    """Whether the output of a command is what is shown; spaces at the end of a line are not."""
    printed = [line.rstrip() for line in run(command).splitlines()]
    position, may_skip = 0, False
    for line in shown:
        if line.strip() == "...":
            may_skip = True
            continue
        try:
            found = printed.index(line.rstrip(), position)
        except ValueError:
            found = None
        if found is None or (found != position and not may_skip):
            sys.exit(f"error: '{command}' does not print the line\n{line}\nbut\n" + "\n".join(printed[position:position + 5]))
        position, may_skip = found + 1, False


counts = {}
for language, text in re.findall(r"^```(\w*)\n(.*?)^```$", readme.read_text(), re.M | re.S):
    counts[language] = counts.get(language, 0) + 1
    if language == "sh":
        run(text)
    elif language == "console":
        for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
            command, *shown = part.splitlines()
            check(command, shown)
    elif language in ("yaml", "mlir", "cuda", "python"):
        name = re.match(r"(?:#|//) ([\w.]+)", text)[1]
        (folder / name).write_text(text)
        if language == "python":
            compile(text, name, "exec")
    elif language != "text":
        sys.exit(f"error: a block of '{language}' code is not known:\n{text}")
print(" ".join(f"{count} {language}" for language, count in sorted(counts.items())))
