"""Made trees of control groups, of version 1 and 2."""


def v1(root, name):
    return root / "memory" / name, root / "cpuacct" / name


def v2(root, name):
    return root / name, root / name


def fill(folders, memory, cpu, version):
    """The files of a made tree."""
    of_memory, of_cpu = folders
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    if version == 2:
        (of_memory / "memory.current").write_text(f"{memory + 5}\n")
        (of_memory / "memory.stat").write_text("anon 1\ninactive_file 5\n")
        (of_cpu / "cpu.stat").write_text(f"usage_usec {int(cpu * 1e6)}\n")
    else:
        (of_memory / "memory.usage_in_bytes").write_text(f"{memory + 5}\n")
        (of_memory / "memory.stat").write_text("total_inactive_file 5\n")
        (of_cpu / "cpuacct.usage").write_text(f"{int(cpu * 1e9)}\n")
