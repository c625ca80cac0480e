"""A process that still has a file which its runtime has rotated and left, and writes
to it: after a silence longer than Rotate_Wait, so that the next file has been begun
meanwhile and what it writes comes behind a seal; or again and again, so that the next
file must be begun though this writer never goes."""

import math
import os
import time


class Slow:
    """side: its records'; stamp: its lines' time, None: of when they are written."""

    def __init__(self, container, side, stamp):
        self.fd, self.file = os.dup(container.fd), container.renamed
        self.held = container.held  # the first and the last mark of the file
        self.wait, self.rng = container.rotate_wait, container.rng
        self.side, self.stamp = side, stamp
        self.talks = self.rng.random() < 0.35  # again and again
        self.stays = self.rng.random() < 0.4  # until its container ends
        self.turns = self.rng.randrange(*((10, 80) if self.talks else (1, 5)))
        if self.talks and self.stays:
            self.turns = math.inf
        self.due = time.monotonic() + self.pause()

    def pause(self):
        least, most = (0.1, 0.8) if self.talks else (1.2, 3)
        return self.wait * self.rng.uniform(least, most)

    def records(self, now):
        """How many it writes now."""
        if now < self.due or not self.turns:
            return 0
        self.turns -= 1
        self.due = now + self.pause()
        return self.rng.choice([1, 1, 2, 3])

    def has_gone(self):
        if self.turns or self.stays:
            return False
        self.close()
        return True

    def close(self):
        os.close(self.fd)
