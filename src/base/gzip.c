/*
 * gzip at the level of least work: ISA-L's igzip where the build has it (ISAL), else
 * zlib.  A packing allocates its memory when it begins and frees it at its end; the
 * shipper's thread packs one body at a time, that of HTTP one answer.
 */
#include "gzip.h"

#include <stdlib.h>
#include <zlib.h>
#ifdef ISAL
#include <isa-l/igzip_lib.h>
#endif

#define PART 16384u /* bytes at once */

#ifdef ISAL
struct igzip {
	struct isal_zstream z;
	unsigned char level[ISAL_DEF_LVL1_SMALL]; /* more is no faster and packs no closer */
	char in[4 * PART];
};
_Static_assert(sizeof(struct igzip) <= GZIP_MEMORY, "what a packing takes is stated");

static void
igzip_pack(struct buffer *out, gzip_source *source, void *arg)
{
	struct igzip *g = xmalloc(sizeof(*g));

	isal_deflate_init(&g->z);
	g->z.avail_in = 0;
	g->z.level = 1;
	g->z.level_buf = g->level;
	g->z.level_buf_size = sizeof(g->level);
	g->z.gzip_flag = IGZIP_GZIP;
	while (g->z.internal_state.state != ZSTATE_END) {
		if (g->z.avail_in == 0 && !g->z.end_of_stream) {
			g->z.next_in = (unsigned char *)g->in;
			g->z.avail_in = (uint32_t)source(arg, g->in, sizeof(g->in));
			g->z.end_of_stream = g->z.avail_in == 0;
		}
		g->z.next_out = (unsigned char *)buffer_need(out, PART);
		g->z.avail_out = PART;
		if (isal_deflate(&g->z) != COMP_OK)
			abort();
		out->len += PART - g->z.avail_out;
	}
	free(g);
}
#endif

static void
zlib_pack(struct buffer *out, gzip_source *source, void *arg)
{
	z_stream z = { 0 };
	char in[PART];
	int code = Z_OK;

	if (deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	while (code != Z_STREAM_END) {
		if (z.avail_in == 0) {
			z.next_in = (unsigned char *)in;
			z.avail_in = (unsigned)source(arg, in, sizeof(in));
		}
		z.next_out = (unsigned char *)buffer_need(out, PART);
		z.avail_out = PART;
		code = deflate(&z, z.avail_in == 0 ? Z_FINISH : Z_NO_FLUSH);
		out->len += PART - z.avail_out;
	}
	deflateEnd(&z);
}

const struct gzip_way gzip_ways[] = {
#ifdef ISAL
	{ "igzip", igzip_pack },
#endif
	{ "zlib", zlib_pack },
	{ NULL, NULL },
};

const char *
gzip_name(void)
{
	return gzip_ways[0].name;
}

static size_t
text_source(void *arg, char *to, size_t size)
{
	struct slice *rest = arg;
	size_t n = rest->len < size ? rest->len : size;

	if (n > 0)
		memcpy(to, rest->at, n);
	*rest = slice_from(*rest, n);
	return n;
}

void
gzip_text(struct buffer *out, struct slice text)
{
	gzip_ways[0].pack(out, text_source, &text);
}
