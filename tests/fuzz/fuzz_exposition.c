/* Label values: any bytes are one sample's label that a slow reader has again. */
#include "fuzz.h"

#include "../../src/metrics/exposition.h"
#include "mended.h"
#include "shown.h"

/* Read name="value", by the text format's rules, to the value's end. */
static size_t
slow_label(struct slice s, const char *name, struct buffer *value)
{
	size_t i = strlen(name) + 2;

	if (!slice_starts(s, slice_of(name)) || s.len < i || memcmp(s.at + i - 2, "=\"", 2) != 0)
		WRONG("no %s: %.*s", name, SHOW(s));
	for (; i < s.len && s.at[i] != '"'; i++) {
		char c = s.at[i];

		if (c == '\n')
			WRONG("a line ends: %.*s", SHOW(s));
		if (c == '\\' && i + 1 < s.len)
			c = s.at[++i] == 'n' ? '\n' : s.at[i];
		buffer_put(value, (struct slice){ &c, 1 });
	}
	if (i == s.len)
		WRONG("no end: %.*s", SHOW(s));
	return i + 1;
}

static void
label_judge(struct slice value)
{
	struct buffer labels, read;
	struct slice text;
	size_t end;

	buffer_init(&labels, 0);
	buffer_init(&read, 0);
	buffer_need(&read, 1);
	exposition_label(&labels, "pod", value);
	exposition_label(&labels, "other", value);
	text = buffer_slice(&labels);
	end = slow_label(text, "pod", &read);
	if (!slice_eq(buffer_slice(&read), value) || text.at[end] != ',')
		WRONG("'%.*s' is read as '%.*s'", SHOW(value), SHOW(buffer_slice(&read)));
	buffer_clear(&read);
	if (slow_label(slice_from(text, end + 1), "other", &read) != text.len - end - 1 ||
	    !slice_eq(buffer_slice(&read), value))
		WRONG("'%.*s' is read as '%.*s'", SHOW(value), SHOW(buffer_slice(&read)));
	buffer_fini(&read);
	buffer_fini(&labels);
}

/* A sample's value is the number that was given. */
static void
value_judge(double value)
{
	static const struct family family = { FAMILY_GAUGE, "x", "", "Help." };
	struct buffer page;
	struct exposition x = { .to = &page, .headed = &family };

	buffer_init(&page, 0);
	exposition_value(&x, &family, SLICE(""), value);
	buffer_put(&page, (struct slice){ "", 1 });
	if (strncmp(page.at, "x ", 2) != 0 ||
	    (strtod(page.at + 2, NULL) != value && value == value))
		WRONG("%.17g is '%s'", value, page.at);
	buffer_fini(&page);
}

static void
fuzz(struct slice input)
{
	char clean[LABEL_MAX], again[LABEL_MAX];
	struct slice value = { clean, exposition_label_clean(input, clean) };
	json_t *valid = json_stringn(input.at, input.len),
	       *utf8 = json_stringn(value.at, value.len);
	double number = 0;

	if (value.len > LABEL_MAX || utf8 == NULL)
		WRONG("'%.*s' is cleaned to '%.*s'", SHOW(input), SHOW(value));
	if (valid != NULL && input.len <= LABEL_MAX && !slice_eq(value, input)) {
		struct slice s = value;

		while (s.len > 0 && shown_char(s) > 0)
			s = slice_from(s, shown_char(s));
		if (s.len > 0)
			WRONG("'%.*s' cannot be shown", SHOW(value));
	}
	if (exposition_label_clean(value, again) != value.len ||
	    memcmp(clean, again, value.len) != 0)
		WRONG("cleaned again it is '%.*s'", (int)value.len, again);
	label_judge(value);
	memcpy(&number, input.at, least(input.len, sizeof(number)));
	value_judge(number);
	json_decref(valid);
	json_decref(utf8);
}
