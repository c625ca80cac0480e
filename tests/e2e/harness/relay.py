"""A second way to a server: a port that hands on to it, and can be broken."""

import contextlib
import socket
import struct
import threading


class Relay:
    """Connections to `port` lead to the server; kill(): they are reset and new
    ones refused; stall(): nothing goes on, nobody is told, until go_on(); start():
    as new.  At `most` bytes more it stalls by itself."""

    def __init__(self, port):
        self.to, self.port, self.taken, self.most = port, 0, 0, 0
        self.lock = (
            threading.Lock()
        )  # of most, and of sockets: none is added behind kill()
        self.start()

    def start(self):
        self.flows, self.sockets = threading.Event(), []
        self.flows.set()
        self.listening = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self.accept, args=[self.listening], daemon=True).start()
        return self

    def accept(self, listening):
        with contextlib.suppress(OSError):
            while True:
                near, _ = listening.accept()
                far = socket.create_connection(("127.0.0.1", self.to))
                with self.lock:
                    self.taken += 1
                    self.sockets += [near, far]
                    if listening.fileno() < 0:
                        reset([near, far])
                for pair in (near, far), (far, near):
                    threading.Thread(target=self.copy, args=pair, daemon=True).start()

    def copy(self, source, to):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self.count(len(data))
                self.flows.wait()
                to.sendall(data)
            to.shutdown(socket.SHUT_WR)

    def count(self, n):
        with self.lock:
            if self.most and n >= self.most:
                self.stall()
            self.most = max(0, self.most - n)

    def stall(self):
        self.flows.clear()

    def go_on(self):
        self.flows.set()

    def kill(self):
        with contextlib.suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        with self.lock:
            self.listening.close()
            reset(self.sockets)
        self.flows.set()


def reset(sockets):
    linger = struct.pack("ii", 1, 0)
    for each in sockets:
        with contextlib.suppress(OSError):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            each.shutdown(socket.SHUT_RD)
            each.close()
