"""Every copy button, pasted: each copy runs alone in a fresh interpreter and prints what its page shows.

One process has loaded the modules NumPy and nnfp and done nothing else; for each copy it forks a child
with an empty namespace, so that 300 fresh interpreters take seconds.
"""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

from nnfp.book import snippets
from nnfp.book.reading import Book
from nnfp.book.running import MARK

BOOK = Book()
PAGES = {page.home: page for page in BOOK.pages}

SERVER = r'''
import ast, contextlib, io, json, os, sys, tempfile, traceback, warnings
import numpy, nnfp  # loaded, so that a child need not read them again; its namespace is empty

def paste(job):
    """Run a copy as a whole; what the added lines print is kept apart."""
    warnings.simplefilter("error")
    os.chdir(tempfile.mkdtemp(dir=job["folder"]))
    names = {"__name__": "__main__"}
    tree = ast.parse(job["text"])
    parts = ([n for n in tree.body if n.lineno <= job["added"]],
             [n for n in tree.body if n.lineno > job["added"]])
    printed = []
    for part in parts:
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            exec(compile(ast.Module(part, []), "<pasted>", "exec"), names)
        printed.append(out.getvalue())
    examples = 0
    if job["section"]:
        import doctest
        known = {n: v for n, v in vars(nnfp).items() if n[0] != "_"} | {"np": numpy} | names
        runner, parser = doctest.DocTestRunner(verbose=False), doctest.DocTestParser()
        for name in job["section"]:
            parts = [names[name], *(vars(names[name]).values() if isinstance(names[name], type) else ())]
            for text in {part.__doc__ for part in parts if getattr(part, "__doc__", None)}:
                result = runner.run(parser.get_doctest(text, dict(known), name, None, 0), out=printed.append)
                examples += result.attempted
                assert not result.failed, "".join(printed)
    return {"printed": printed[1], "examples": examples}

for line in sys.stdin:
    job = json.loads(line)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        try:
            result = paste(job)
        except BaseException as error:
            result = {"error": "".join(traceback.format_exception(error, limit=-3))}
        with os.fdopen(write, "w") as out:
            out.write(json.dumps(result))
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as back:
        answer = back.read()
    os.waitpid(child, 0)
    print(answer or json.dumps({"error": "the interpreter died"}), flush=True)
'''


@pytest.fixture(scope="module")
def paste(tmp_path_factory):
    command = [sys.executable, "-W", "error", "-c", SERVER]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    server = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(BOOK.root)}, **pipes)
    folder = str(tmp_path_factory.mktemp("pasted"))

    def send(text: str, added: int = 0, section: tuple = ()) -> dict:
        job = {"text": text, "added": added, "section": section, "folder": folder}
        server.stdin.write(json.dumps(job) + "\n")
        server.stdin.flush()
        return json.loads(server.stdout.readline())

    yield send
    server.stdin.close()
    server.wait(30)
    server.stdout.close()


def without(file: str) -> bool:
    """True for a module that needs an optional package which is not here; its page says what to install."""
    optional = {"nnfp/extras/fast_numba.py": "numba"}.get(file)
    return optional is not None and importlib.util.find_spec(optional) is None


def shown(fence) -> str:
    """What the page says that a fence prints."""
    lines = (line.strip() for line in fence.body.split("\n"))
    marked = [line[len(MARK) :].removeprefix(" ") for line in lines if line.startswith(MARK)]
    return "".join(f"{line}\n" for line in marked)


def trimmed(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


@pytest.mark.parametrize("home", [pytest.param(h, marks=pytest.mark.xdist_group(h)) for h in PAGES])
def test_every_copy_of_the_page_runs_alone(home, paste):
    page, wrong = PAGES[home], []
    copies = snippets.copies(BOOK, page)
    for fence in page.fences:
        if fence.language != "python" or (fence.includes and without(fence.includes[0][1])):
            continue
        copy = copies.get(fence.line) or snippets.Copy(fence.body, 0)
        names = snippets.defined(copy.text) if fence.includes else ()
        result = paste(copy.text, 0 if fence.includes else copy.added, names)
        if "error" in result:
            wrong.append(f"{page.shown}:{fence.line}: the copy fails:\n{result['error']}")
        elif not fence.includes and trimmed(result["printed"]) != trimmed(shown(fence)):
            wrong.append(
                f"{page.shown}:{fence.line}: the copy prints\n{result['printed']}"
                f"the page shows\n{shown(fence)}"
            )
    assert not wrong, "\n".join(wrong)
