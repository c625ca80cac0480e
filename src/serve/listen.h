/* A listening socket, and the message when it cannot be made. */
#ifndef LISTEN_H
#define LISTEN_H

/**
 * listen_on(address, port, got):
 * Listen on ${address}:${port}; *${got} becomes the port (that of ${port} 0 is
 * chosen by the system).  Return the socket, or -1 after saying why.
 */
int listen_on(const char *address, unsigned port, unsigned *got);

#endif
