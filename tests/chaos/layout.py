"""Where a container's log lies, what its rotated files are called, and the Path that
finds it.  Some Paths find the rotated names, too; drawn for each container by its seed."""

import dataclasses
import random

SHARE = 0.5  # of the containers have a Path of their own
LIVE = "app.log"  # of a plain file

# style: how often; the patterns of a plain file's Path
STYLES = {"kubelet": 3, "numbers": 2, "dateext": 2, "copytruncate": 2, "prefix": 2}
POD_GLOBS = ["0.log*", "*.log*", "*"]
PLAIN_GLOBS = ["app.log*", "*"]
PREFIX_GLOBS = ["*app.log", "*"]


@dataclasses.dataclass
class Layout:
    style: str = "kubelet"  # the name that a rotation gives
    glob: str = ""  # what the Path finds; "": the kubelet's links
    plain: bool = False  # a plain file, of no pod

    @property
    def is_wide(self):
        return self.glob != ""

    @property
    def restarts(self):
        return not self.plain and self.glob != "0.log*"

    @property
    def packs(self):
        """A .gz that no Path finds, of a name that tells nothing, would be lost."""
        return self.glob != "*app.log"

    def folder(self, root, number, pod, uid, name):
        if self.plain:
            return root / "plain" / str(number)
        return root / "pods" / f"matillion_{pod}_{uid}" / name

    def path(self, root, number, pod):
        if self.plain:
            return f"{root}/plain/{number}/{self.glob}"
        return f"{root}/pods/matillion_{pod}_*/*/{self.glob}"

    def is_rotated(self, file, live):
        if file == live or file.suffix == ".tmp":
            return False
        return self.plain or file.name.startswith(live.name)

    def rotated(self, live, when):
        """The new name of a file that has the live one."""
        return live.with_name(
            {
                "kubelet": f"{live.name}.{when}",
                "dateext": f"{live.name}-{when}",
                "prefix": f"old-{when}-{live.name}",
            }.get(self.style, f"{live.name}.1")
        )

    @property
    def is_numbered(self):
        return self.style in ("numbers", "copytruncate")

    def age(self, file, live):
        """A key: the oldest first."""
        if not self.is_numbered:
            return file.name
        return -self.number(file, live), file.name

    def number(self, file, live):
        return int(file.name.removeprefix(f"{live.name}.").removesuffix(".gz"))


def layout_of(seed, number, kinds):
    """Of this container; its Path is one of its own when it is_wide."""
    rng = random.Random(f"{seed}/paths/{number}")
    if "paths" not in kinds or rng.random() >= SHARE:
        return Layout()
    styles = {s: n for s, n in STYLES.items() if s != "copytruncate" or s in kinds}
    style = rng.choices(list(styles), list(styles.values()))[0]
    if style == "prefix":
        return Layout(style, rng.choice(PREFIX_GLOBS), True)
    if style == "kubelet" or rng.random() < 0.5:
        return Layout(style, rng.choice(POD_GLOBS))
    return Layout(style, rng.choice(PLAIN_GLOBS), True)


def pod_name(number):
    return f"matillion-agent-{number}"


def wide_paths(seed, kinds, total, root):
    """The Paths of pods, and those of plain files."""
    paths = [], []
    for number in range(total):
        layout = layout_of(seed, number, kinds)
        if layout.is_wide:
            paths[layout.plain].append(layout.path(root, number, pod_name(number)))
    return paths
