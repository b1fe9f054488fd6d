# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Opens a report in a headless Chromium and checks what it shows.

check_page.py PAGE [--measured N] [--width W] [--text TEXT]

The page must draw every op of its data, one mark for each measured product
(there are N, or none), nothing wider than the window, say TEXT, ask for
nothing from elsewhere, and log nothing on the console.
"""
import argparse
import html.parser
import json
import pathlib
import re
import subprocess
import sys
import tempfile

parser = argparse.ArgumentParser()
parser.add_argument("page", type=pathlib.Path)
parser.add_argument("--measured", type=int, default=0)
parser.add_argument("--width", type=int, default=1280)
parser.add_argument("--text", default="")
options = parser.parse_args()

# The width of the laid-out page is put where the dump has it.
source = options.page.read_text()
if re.search(r"""(src|href)=["'](?!data:)|url\(|@import|fetch\(|XMLHttpRequest""", source):
    sys.exit("error: the page refers to something outside of it")
probe = "<script>document.documentElement.dataset.overflow = document.documentElement.scrollWidth - innerWidth;</script></body>"
with tempfile.TemporaryDirectory() as folder:
    copy = pathlib.Path(folder) / "page.html"
    copy.write_text(source.replace("</body>", probe))
    run = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", f"--user-data-dir={folder}/profile",
         f"--window-size={options.width},900", "--dump-dom", copy.as_uri()],
        capture_output=True, text=True, timeout=120)
if run.returncode:
    sys.exit(f"error: chromium failed:\n{run.stderr}")
console = [line for line in run.stderr.splitlines() if ":CONSOLE" in line]
if console:
    sys.exit("error: on the console: " + "\n".join(console))


class Page(html.parser.HTMLParser):
    """Counts elements by class, collects the embedded data."""

    def __init__(self):
        super().__init__()
        self.counts = {}
        self.data = None
        self.overflow = None
        self.in_data = False
        self.text = ""

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        for name in [tag, *(attributes.get("class") or "").split()]:
            self.counts[name] = self.counts.get(name, 0) + 1
        self.in_data = attributes.get("id") == "data"
        self.overflow = attributes.get("data-overflow", self.overflow)

    def handle_data(self, text):
        if self.in_data:
            self.data = json.loads(text)
            self.in_data = False
        else:
            self.text += text


page = Page()
page.feed(run.stdout)
ops = page.data["ops"]
kept = sum(op["decision"] == "keep" for op in ops)
expected = {
    "op": len(ops),
    "kept": kept + 1,  # and the legend
    "cell": options.measured,
    "tr": len(ops) + 1,
    "svg": 0 if not options.measured else page.counts.get("h3", 0),
}
for name, count in expected.items():
    if page.counts.get(name, 0) != count:
        sys.exit(f"error: {page.counts.get(name, 0)} elements of '{name}', not {count}")
if options.text not in page.text:
    sys.exit(f"error: the page does not say '{options.text}'")
if sum("measured" in op for op in ops) != options.measured:
    sys.exit(f"error: {sum('measured' in op for op in ops)} measured products in the data")
if int(page.overflow) > 0:
    sys.exit(f"error: the page is {page.overflow} pixels wider than a window of {options.width}")
print(f"{len(ops)} ops, {kept} kept, {options.measured} measured")
