/* YAML: the tree of a file, written plainly, is read as the same tree. */
#include "fuzz.h"

#include "conf_file.h"
#include "yaml_try.h"

/* False: it is refused, as a finding says. */
static bool
tree_write(struct buffer *to)
{
	struct findings *f = findings_new();
	struct yaml_doc *doc = yaml_doc_read(CONF_FILE, f);
	bool read = doc != NULL;

	if (read == (findings_count(f, FINDING_ERROR) > 0))
		WRONG("refused %d, and %zu findings", !read, findings_count(f, FINDING_ERROR));
	if (read)
		yaml_write(doc->root, to);
	yaml_doc_free(doc);
	findings_free(f);
	return read;
}

static void
fuzz(struct slice input)
{
	struct buffer once, twice;

	buffer_init(&once, 0);
	buffer_init(&twice, 0);
	fuzz_place();
	conf_file_write(input);
	if (tree_write(&once)) {
		conf_file_write(buffer_slice(&once));
		if (once.len <= 1000000 && !tree_write(&twice))
			WRONG("refused when written again");
		else if (once.len <= 1000000 &&
			 !slice_eq(buffer_slice(&once), buffer_slice(&twice)))
			WRONG("another tree when it is read again");
	}
	buffer_fini(&once);
	buffer_fini(&twice);
}
