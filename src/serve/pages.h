/* The paths of HTTP, and what is answered.  Inside src/serve/ alone. */
#ifndef PAGES_H
#define PAGES_H

#include <microhttpd.h>

#include "memory.h"
#include "serve.h"

#define PAGES_TEXT "text/plain; charset=utf-8"

struct pages {
	struct serve_world world;
	int64_t began;         /* mono ns */
	struct buffer last[2]; /* the agents' last exposition, in either form */
};

struct page_request {
	struct pages *pages;
	struct MHD_Connection *connection;
	struct slice accept;
};

struct page_answer {
	unsigned status;
	const char *type;
	struct buffer body;
	bool waits;  /* there is none yet: the request comes again */
	bool scrape; /* once the answer is sent, label values that it shows at 0 may be released */
};

/* A path, and what answers it. */
struct page {
	const char *path;
	void (*answer)(const struct page_request *r, struct page_answer *a);
	const char *help;
	bool probe; /* answered without a password: the kubelet has none */
};

void pages_init(struct pages *p, const struct serve_world *world);
void pages_fini(struct pages *p);

/* True when a scrape that waits for counts to reach the disk is to come again. */
bool pages_have_news(const struct pages *p);

/**
 * pages_find(url):
 * The page at ${url}; NULL: there is none.
 */
const struct page *pages_find(const char *url);

#endif
