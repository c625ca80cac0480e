/* What every parser answers. */
#ifndef PARSE_H
#define PARSE_H

enum parsed {
	PARSE_OK,   /* done: the result stands in the out parameter */
	PARSE_MORE, /* the text ends before the answer is known */
	PARSE_BAD,  /* the text is not what this parser reads */
};

#endif
