/*
 * [FILTER] lua: a script's function is called for each record, as Fluent Bit calls it:
 *
 *	function cb(tag, timestamp, record) … return code, timestamp, record end
 *	code -1: dropped; 0: as it was; 1: the time and the fields are the returned ones; 2: the fields
 *
 * Where it returns a list of tables, each is a record.  The script is called for the first of
 * them; the others are taken from what it returned then, which is kept.
 *
 * A record on which the script fails goes on as it was, and is counted.
 */
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "lua_script.h"

#include <lua5.1/lauxlib.h>

#include "agent.h"
#include "clock.h"
#include "lua_box.h"
#include "lua_record.h"
#include "ops.h"
#include "voice.h"

#define AT(member) offsetof(struct lua_conf, member)

static const struct option lua_options[] = {
	OPTION("script", OPT_STRING, NULL, AT(script),
	    "the file of the script; where it is not there, the file of its name beside the "
	    "configuration",
	    .flags = OPT_FILE),
	OPTION("code", OPT_LINES, NULL, AT(code), "the script itself, in the place of a file",
	    .flags = OPT_VERBATIM),
	OPTION("call", OPT_STRING, NULL, AT(call),
	    "its function, called with a record's tag, time and fields", .flags = OPT_NEEDED),
	OPTION("type_int_key", OPT_LIST, NULL, AT(type_int_key),
	    "names of fields, with blanks or commas between, whose numbers lose their fraction; whole numbers "
	    "are written whole in any case"),
	OPTION("type_array_key", OPT_LIST, NULL, AT(type_array_key),
	    "names of fields, with blanks or commas between, whose tables are lists, when empty, too"),
	OPTION("time_as_table", OPT_BOOL, "off", AT(time_as_table),
	    "the time is a table of sec and nsec, not a number"),
	OPTION("enable_flb_null", OPT_BOOL, "off", AT(enable_flb_null),
	    "null is flb_null; off: nil, so that the field goes when the script changes the record"),
	OPTION("Env", OPT_LIST, NULL, AT(env),
	    "names of environment variables, with blanks or commas between, that os.getenv and FLB_ENV have"),
	OPTION("Max_Memory", OPT_SIZE, "16M", AT(max_memory), "of the script and its values",
	    .min = 256000, .max = 1000000000),
	OPTION("Max_Instructions", OPT_INT, "1000000", AT(max_instructions),
	    "of one record; a search by a pattern takes one for each comparison", .min = 1000,
	    .max = 1000000000),
	OPTION_IDLE("protected_mode", "a script that fails never ends towline"),
	OPTIONS_END,
};

const struct plugin lua_filter_plugin = {
	.kind = SECTION_FILTER,
	.name = "lua",
	.help = "a script's function changes or drops records",
	.options = lua_options,
	.common = filter_options,
	.size = sizeof(struct lua_conf),
};

/* What the script has returned for a record that it has split. */
struct kept {
	unsigned place; /* in the record's run */
	unsigned n;     /* records; 0: nothing is kept */
	int64_t time;
};

#define PARTS "towline.parts" /* them, in the registry */

struct lua_filter {
	struct filter filter;
	const struct lua_conf *conf;
	struct lua_script *script;
	unsigned *failures;
	struct said said[BOX_ENDS]; /* by the kind of a failure */
	struct kept kept;
};

/* One record on its way through the script. */
struct pass {
	struct lua_filter *filter;
	struct record *record;
	struct lua_record fields;
	bool keep;
	int64_t time;   /* ns */
	unsigned parts; /* that the script has returned; 0: one record */
};

static void
lua_fini(struct filter *f)
{
	lua_script_free(((struct lua_filter *)f)->script);
}

static int
lua_init(struct filter *f, const struct filter_world *world)
{
	struct lua_filter *l = (struct lua_filter *)f;
	char why[512];

	l->conf = f->section->values;
	l->failures = world->failures;
	l->script = lua_script_new(f->section, world->main, why, sizeof(why));
	if (l->script == NULL)
		say_error("filter", "%s:%u: %s", f->section->file, f->section->line, why);
	return l->script != NULL ? 0 : -1;
}

/* ---- the time */

static void
time_push(lua_State *L, const struct pass *p)
{
	int64_t second = p->record->time / NS_PER_S, rest = p->record->time % NS_PER_S;

	if (!p->filter->conf->time_as_table) {
		lua_pushnumber(L, (double)second + (double)rest / NS_PER_S);
		return;
	}
	lua_newtable(L);
	lua_pushnumber(L, (double)second);
	lua_setfield(L, -2, "sec");
	lua_pushnumber(L, (double)rest);
	lua_setfield(L, -2, "nsec");
}

static double
member_number(lua_State *L, int table, const char *name)
{
	double d;

	lua_getfield(L, table, name);
	d = lua_tonumber(L, -1);
	lua_pop(L, 1);
	return d;
}

/* The time at ${at}: as it was when it is the one that was pushed, which is not exact. */
static int64_t
time_take(lua_State *L, int at, const struct pass *p)
{
	double second, nano = 0;

	if (lua_istable(L, at)) {
		second = member_number(L, at, "sec");
		nano = member_number(L, at, "nsec");
	} else {
		time_push(L, p);
		if (lua_rawequal(L, at, -1))
			second = -1;
		else
			second = lua_tonumber(L, at);
		lua_pop(L, 1);
		if (second == -1)
			return p->record->time;
		nano = round((second - floor(second)) * 1e6) * 1e3; /* a double has no more */
	}
	if (!(second > 0 && second < 9e9 && nano >= 0 && nano < 2e9))
		luaL_error(L, "'%s' returns a time that is none", p->filter->conf->call);
	return (int64_t)floor(second) * NS_PER_S + (int64_t)nano;
}

/* ---- a record */

/* The table on top becomes the record. */
static void
record_take(lua_State *L, const struct pass *p)
{
	lua_record_check(L);
	lua_box_unbound(L); /* the fields are not left half changed */
	lua_record_take(L, &p->fields);
}

/* The list on top, of ${n} records: kept, and the one that is wanted becomes the record. */
static void
parts_take(lua_State *L, struct pass *p, unsigned n)
{
	const struct split *split = &p->record->split;
	struct lua_filter *l = p->filter;

	if (n > split->most)
		luaL_error(L, "'%s' returns %d records for one; at most %d are possible here",
		    l->conf->call, (int)n, (int)split->most);
	for (unsigned i = 1; i <= n; i++) {
		lua_rawgeti(L, -1, (int)i);
		if (!lua_istable(L, -1))
			luaL_error(L, "'%s' returns a list of records whose element %d is a %s",
			    l->conf->call, (int)i, luaL_typename(L, -1));
		lua_record_check(L);
		lua_pop(L, 1);
	}
	lua_pushvalue(L, -1);
	lua_setfield(L, LUA_REGISTRYINDEX, PARTS);
	l->kept = (struct kept){ split->place, n, p->time };
	p->parts = n;
	p->keep = split->part < n; /* else it has returned more the time before */
	if (!p->keep)
		return;
	lua_rawgeti(L, -1, (int)split->part + 1);
	record_take(L, p);
}

static void
records_take(lua_State *L, struct pass *p)
{
	size_t n;

	if (!lua_istable(L, 3))
		luaL_error(L, "'%s' returns a %s for the record", p->filter->conf->call,
		    luaL_typename(L, 3));
	lua_settop(L, 3);
	n = lua_record_count(L);
	if (n > 1) {
		parts_take(L, p, n < UINT_MAX / 2 ? (unsigned)n : UINT_MAX / 2);
		return;
	}
	if (n == 1)
		lua_rawgeti(L, 3, 1);
	record_take(L, p);
}

static void
pass(lua_State *L, void *arg)
{
	struct pass *p = arg;
	lua_Integer code;

	lua_box_push(L);
	lua_pushlstring(L, p->record->tag.at, p->record->tag.len);
	time_push(L, p);
	lua_record_push(L, &p->fields);
	lua_call(L, 3, 3);
	code = lua_tointeger(L, 1);
	if (code < -1 || code > 2)
		luaL_error(L, "'%s' returns the code %d; it is one of -1, 0, 1, 2",
		    p->filter->conf->call, (int)code);
	p->keep = code != -1;
	if (code == 1)
		p->time = time_take(L, 2, p);
	if (code > 0)
		records_take(L, p);
}

/* The part that is wanted, of what was kept. */
static void
pass_part(lua_State *L, void *arg)
{
	struct pass *p = arg;

	p->time = p->filter->kept.time;
	p->parts = p->filter->kept.n;
	lua_getfield(L, LUA_REGISTRYINDEX, PARTS);
	if (!lua_istable(L, -1))
		luaL_error(L, "the records of '%s' are gone", p->filter->conf->call);
	lua_rawgeti(L, -1, (int)p->record->split.part + 1);
	record_take(L, p);
}

/* True when the part that is wanted is one of those that were kept. */
static bool
is_kept(const struct lua_filter *l, const struct split *split)
{
	return split->again && split->place == l->kept.place && split->part < l->kept.n;
}

static void
failed(struct lua_filter *l, enum lua_box_end end)
{
	*l->failures |= 1u << FAILURE_SCRIPT;
	if (!said_lately(&l->said[end]))
		say_warn("lua", "%s; the record goes on as it was  filter=%s:%u",
		    lua_box_why(lua_script_box(l->script)), l->filter.section->file,
		    l->filter.section->line);
}

static bool
lua_run(struct filter *f, struct record *r, const struct agent_line *parsed, const struct pod *pod,
    struct arena *arena)
{
	struct lua_filter *l = (struct lua_filter *)f;
	const struct lua_script *script = l->script;
	struct pass p = { .filter = l,
		.record = r,
		.keep = true,
		.time = r->time,
		.fields = { r->shape, lua_script_integers(script), lua_script_lists(script),
		    l->conf->enable_flb_null } };
	enum lua_box_end end;

	(void)parsed;
	(void)pod;
	(void)arena;
	if (!r->split.again && r->split.place <= l->kept.place)
		l->kept.n = 0;
	end = lua_box_run(lua_script_box(script), is_kept(l, &r->split) ? pass_part : pass, &p);
	r->split.parts = p.parts;
	if (r->shape->full) /* the chain says so */
		return true;
	if (end != BOX_DONE) {
		if (r->split.part == 0) /* what goes on as it was has all parts in it */
			r->split.parts = 0;
		failed(l, end);
		return true;
	}
	r->time = p.time;
	return p.keep;
}

const struct filter_ops lua_ops = {
	.plugin = &lua_filter_plugin,
	.reshapes = true,
	.size = sizeof(struct lua_filter),
	.init = lua_init,
	.fini = lua_fini,
	.run = lua_run,
};
