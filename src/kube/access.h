/*
 * How the API server is reached: address, TLS, the token, which is read again
 * as it changes.  The kube thread's.
 */
#ifndef ACCESS_H
#define ACCESS_H

#include <curl/curl.h>

#include "kube.h"
#include "memory.h"

struct access;

/**
 * access_new(server), access_free(a):
 * The way to ${server}; NULL after saying that Kube_URL is no URL.
 */
struct access *access_new(const struct kube_server *server);
void access_free(struct access *a);

/**
 * access_stop(a):
 * End a token command that runs: any thread.
 */
void access_stop(struct access *a);

/**
 * access_request(a, easy, headers, path, error):
 * Make ${easy} a GET of ${path} (it begins with a slash), with the current
 * token; ${headers} is freed and made anew.  False: there is no token;
 * access_why() is the reason.
 */
bool access_request(struct access *a, CURL *easy, struct curl_slist **headers, const char *path,
    char error[CURL_ERROR_SIZE]);

/**
 * access_refused(a):
 * The server does not know the token: it is read again before the next request.
 */
void access_refused(struct access *a);

/**
 * access_server(a), access_why(a):
 * The server's address, without secrets; the reason why there is no token.
 */
const char *access_server(const struct access *a);
const char *access_why(const struct access *a);

/**
 * access_file_text(path, most):
 * The text of a file without blanks at its end, at most ${most} bytes of it; NULL
 * with errno.  The caller frees.
 */
char *access_file_text(const char *path, size_t most);

#endif
