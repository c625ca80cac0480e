"""A program for which the kernel refuses a system call, as a container's seccomp
profile does:

    refused.py NUMBER ERRNO COMMAND...
"""

import ctypes
import errno
import os
import struct
import sys

OPENAT2 = 437  # on every architecture
LANDLOCK_CREATE_RULESET = 444
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, FILTER = 22, 38, 2
LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]


def refuse(number, error):
    steps = [
        (LOAD, 0, 0, 0),  # the call's number
        (JUMP_EQUAL, 0, 1, number),
        (RETURN, 0, 0, REFUSE | error),
        (RETURN, 0, 0, ALLOW),
    ]
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    libc = ctypes.CDLL(None, use_errno=True)
    program = ctypes.byref(Program(len(steps), code))
    for call in (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, FILTER, program):
        if libc.prctl(*call) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def prefix(number, name):
    """What a command is run with: the call fails with the errno of this name."""
    return [sys.executable, __file__, str(number), str(getattr(errno, name))]


if __name__ == "__main__":
    refuse(int(sys.argv[1]), int(sys.argv[2]))
    os.execvp(sys.argv[3], sys.argv[3:])
