"""What the objects of a build define and want, by nm; and circles in a graph."""

import pathlib
import subprocess


def symbols(root, build):
    """{source: (symbols that it defines for others, symbols that it wants)}.

    Every .c file under src/ and parsers/ must have its object.
    """
    sources = sorted(
        str(path.relative_to(root))
        for top in ("src", "parsers")
        for path in (root / top).rglob("*.c")
    )
    if not sources:
        raise SystemExit(f"{root}: no .c file in src/ and parsers/")
    of = {
        str(pathlib.Path(build) / source.replace(".c", ".o")): source
        for source in sources
    }
    out = subprocess.run(
        ["nm", "--extern-only", "--format=posix", *of], capture_output=True, text=True
    )
    if out.returncode:
        raise SystemExit(f"{out.stderr.strip()}\nbuild first: make")
    found = {}
    for line in out.stdout.splitlines():
        if line.endswith(":"):
            defined, wanted = found[of[line[:-1]]] = set(), set()
        elif line:
            name, kind = line.split()[:2]
            (wanted if kind in "Uwv" else defined).add(name)
    return found


def calls(found):
    """{source: {source that defines a symbol it wants: those symbols}}."""
    home = {name: source for source, (defined, _) in found.items() for name in defined}
    graph = {}
    for source, (_, wanted) in found.items():
        graph[source] = {}
        for name in sorted(wanted & home.keys()):
            graph[source].setdefault(home[name], []).append(name)
    return graph


def circles(graph):
    """Strongly connected components (Tarjan), callees before their callers.

    >>> circles({"a": "b", "b": "c", "c": "bd", "d": ""})
    [['d'], ['b', 'c'], ['a']]
    """
    index, low, stack, done = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph[node]:
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            at = stack.index(node)
            done.append(sorted(stack[at:]))
            del stack[at:]

    for node in graph:
        if node not in index:
            visit(node)
    return done
