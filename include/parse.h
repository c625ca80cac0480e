/* The answer of every parser. */
#ifndef PARSE_H
#define PARSE_H

enum parsed {
	PARSE_OK,   /* done: the out parameter has the result */
	PARSE_MORE, /* the text ends before the answer is known */
	PARSE_BAD,  /* the text has another form than this parser reads */
};

#endif
