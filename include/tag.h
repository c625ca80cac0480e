/* The tag of a file's records: what Match is held against. */
#ifndef TAG_H
#define TAG_H

#include <stddef.h>

/**
 * tag_make(tag, regex, path):
 * Return ${tag} as the records of the file ${path} have it, to be freed.  With a
 * ${regex} (NULL: none), searched for in ${path}, each <NAME> stands for the value of its
 * group NAME: nothing where the group took no part, or the expression is not found.
 * The first * stands for the path, whose slashes are dots there.
 */
char *tag_make(const char *tag, const char *regex, const char *path);

/**
 * tag_pattern(tag, regex):
 * Return a pattern, to be freed, in which * is any text, that matches each tag that
 * tag_make() can make of ${tag}.
 */
char *tag_pattern(const char *tag, const char *regex);

/**
 * tag_judge(tag, regex, why, size):
 * TAG_WRONG: ${regex} is no expression; TAG_VAIN: it has no group for a <NAME> of ${tag},
 * or there is none.  ${why} (${size} bytes) says so.
 */
enum tag_judged { TAG_RIGHT, TAG_VAIN, TAG_WRONG };
enum tag_judged tag_judge(const char *tag, const char *regex, char *why, size_t size);

#endif
