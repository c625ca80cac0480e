/* The script that a [FILTER] lua names: found, read, put into its box.  Inside src/filter/ alone. */
#ifndef LUA_SCRIPT_H
#define LUA_SCRIPT_H

#include "filter.h"

struct lua_conf {
	struct filter_common common;
	char *script;
	struct list code;
	char *call;
	struct list type_int_key, type_array_key, env;
	bool time_as_table, enable_flb_null;
	uint64_t max_memory;
	int64_t max_instructions;
};

struct lua_script;
struct lua_box;

/**
 * lua_script_new(section, main, why, size):
 * The script of ${section}, run once; relative names are looked for beside the configuration
 * ${main}.  NULL, with the reason in ${why}, when it is not there or wrong.
 */
struct lua_script *lua_script_new(
    const struct section *section, const char *main, char *why, size_t size);
void lua_script_free(struct lua_script *s); /* NULL is harmless */

/**
 * lua_script_check(section, main, findings):
 * Add what is wrong with the script, as run would find it.
 */
void lua_script_check(const struct section *section, const char *main, struct findings *findings);

struct lua_box *lua_script_box(const struct lua_script *s);
const struct list *lua_script_integers(const struct lua_script *s);
const struct list *lua_script_lists(const struct lua_script *s);

#endif
