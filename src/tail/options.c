/* [INPUT] tail: its options, and a check of them. */
#include <stddef.h>
#include <string.h>

#include "encoding.h"
#include "tag.h"
#include "tail.h"
#include "timestamp.h"

static const char buffer_is_file[] = "the log file itself is the buffer";
static const char no_database[] = "cursors are kept under State_Path";
static const char one_buffer[] = "all files share one read buffer";
static const char long_lines[] = "a long line is cut at Buffer_Max_Size, and reading goes on";
static const char own_watch[] = "one-shot watches, and a rescan each Refresh_Interval";
static const char *const first_starts[] = { "head", "end", NULL };
static const char *const unicodes[] = { "UTF-8", "UTF-16LE", "UTF-16BE", "auto", NULL };

const struct option tail_input_options[] = {
	OPTION("Tag", OPT_STRING, "*", offsetof(struct input, tag),
	    "what Match is held against; * stands for the file's path, in systemd for the entry's unit"),
	OPTION("Alias", OPT_STRING, NULL, offsetof(struct input, alias), "a name for messages"),
	OPTION("Routable", OPT_BOOL, "on", offsetof(struct input, routable),
	    "off is an error: an input whose records go nowhere is left out"),
	OPTION_IDLE("Mem_Buf_Limit", buffer_is_file),
	OPTION_IDLE("storage.*", buffer_is_file),
	OPTION_IDLE("Threaded", "all inputs share one thread, which waits for no output"),
	OPTION_IDLE("thread.*", "all inputs share one thread, which waits for no output"),
	OPTION_IDLE("log_suppress_interval", "what repeats is said once by itself"),
	OPTION_IDLE("Log_Level", "one level for all parts: Log_Level in [SERVICE]"),
	OPTIONS_END,
};

#define AT(member) offsetof(struct tail_conf, member)

static const struct option tail_options[] = {
	OPTION("Path", OPT_LIST, NULL, AT(from.path), "files to follow: paths or globs",
	    .flags = OPT_NEEDED),
	OPTION("Tag_Regex", OPT_STRING, NULL, AT(tag_regex),
	    "an expression whose named groups, found in the path, stand for <NAME> in Tag; empty where it is not found",
	    .flags = OPT_TEXT),
	OPTION("Exclude_Path", OPT_LIST, NULL, AT(exclude_path), "paths or globs to leave out"),
	OPTION("Parser", OPT_STRING, NULL, AT(parser),
	    "cri: the runtime's lines (the default); docker: those of its json-file driver; else a [PARSER], which is taken as one of these when it reads such lines, whatever its name"),
	OPTION("Read_from_Head", OPT_BOOL, "on", AT(read_from_head),
	    "off: files that are there at the first start are read from their end (First_Start end)"),
	OPTION("First_Start", OPT_ENUM, "head", AT(first_start),
	    "where reading begins in files without a cursor that are there at the start",
	    .choices = first_starts),
	OPTION("Refresh_Interval", OPT_TIME, "60", AT(refresh_interval),
	    "look for files that no event told of", .min = 100 * 1000000LL,
	    .max = 3600 * 1000000000LL),
	OPTION("Ignore_Older", OPT_TIME, NULL, AT(ignore_older),
	    "leave out files that were not begun and have not changed for so long; they are counted (towline_older_files), and read from their head when they are written to",
	    .min = 0, .max = 3650 * 86400 * 1000000000LL),
	OPTION("Rotate_Wait", OPT_TIME, "5", AT(rotate_wait),
	    "a rotated file is closed when it has not grown for so long; it is read to its end first"),
	OPTION("Flush_ms", OPT_INT, "500", AT(flush),
	    "an open record (a stack trace) ends when nothing follows for so many milliseconds; a cut line waits 60 s for its parts",
	    .min = 10, .max = 60000),
	OPTION("Buffer_Max_Size", OPT_SIZE, "1M", AT(buffer_max_size),
	    "the most of a line or a joined record that is kept; the rest is cut, marked and counted",
	    .min = 1024, .max = 16 * 1000 * 1000),
	OPTION("Held_Deleted_Limit", OPT_SIZE, "1G", AT(held_deleted_limit),
	    "disk that deleted files may keep until they are read, less when under 15 % of it is free; beyond it a file's .gz is read instead, or the oldest is lost; 0: no limit"),
	OPTION("Max_Files", OPT_INT, "10000", AT(max_files),
	    "files open at once; when there are more, those that were read and are quiet are closed for others, which wait for room meanwhile: counted and said",
	    .min = 1, .max = 1000000),
	OPTION("DB", OPT_STRING, NULL, AT(db),
	    "Fluent Bit's database: read at the first start, to go on where it stopped"),
	OPTION("Time_Offset", OPT_STRING, NULL, AT(time_offset),
	    "+hhmm, where the time in a plain line names no zone (default: UTC)"),
	OPTION("Path_Key", OPT_STRING, NULL, AT(path_key), "write the file's path under this key"),
	OPTION("Offset_Key", OPT_STRING, NULL, AT(offset_key),
	    "write under this key where in its file a record begins, in bytes"),
	OPTION("Key", OPT_STRING, "log", AT(key), "the key of a record's text"),
	OPTION("Source_Id", OPT_STRING, NULL, AT(source_id),
	    "names this machine in the ids of plain files' records (default: the machine id)"),
	OPTION("Allowed_Roots", OPT_LIST, NULL, AT(from.allowed_roots),
	    "directories that links may lead to, beside each Path's own (of DIR/containers DIR/pods, too) and the kubelet's: none of them may be a link itself"),
	OPTION("Never_Own_Pod", OPT_BOOL, "on", AT(never_own_pod),
	    "leave out the logs of the pod that towline runs in (POD_NAME)"),
	OPTION("Keep_Colors", OPT_BOOL, "off", AT(keep_colors), "leave terminal colours in log"),
	OPTION("multiline.parser", OPT_LIST, NULL, AT(multiline),
	    "[MULTILINE_PARSER]s, tried in order, whose rules join lines; cri, docker, java, go, python, ruby: partial lines and stack traces are joined in any case"),
	OPTION("Multiline", OPT_BOOL, "off", AT(multiline_on),
	    "a line that Parser_Firstline reads begins a record, others go on with it; lines are taken as they stand, and Parser is not used"),
	OPTION("Parser_Firstline", OPT_STRING, NULL, AT(parser_firstline),
	    "with Multiline: the [PARSER], of Format regex, whose fields a record has; the last one has the further lines, too"),
	OPTION("Parser_*", OPT_LINES, NULL, AT(parsers_further),
	    "with Multiline: Parser_1, Parser_2, … in their order; what the first of these [PARSER]s that reads a further line makes of it are fields of the record"),
	OPTION("Multiline_Flush", OPT_TIME, NULL, AT(multiline_wait),
	    "with Multiline: a record ends when nothing follows for so long (default: Flush_ms)",
	    .min = 10 * 1000000LL, .max = 3600 * 1000000000LL),
	OPTION("Docker_Mode", OPT_BOOL, "off", AT(docker_mode),
	    "partial lines are joined in any case; with Docker_Mode_Parser lines, too"),
	OPTION("Docker_Mode_Parser", OPT_STRING, NULL, AT(docker_firstline),
	    "with Docker_Mode: a line whose text this [PARSER], of Format regex, reads begins a record, others go on with it"),
	OPTION("Skip_Empty_Lines", OPT_BOOL, "off", AT(skip_empty),
	    "a record without text is not shipped; it counts as filtered"),
	OPTION("Exit_On_Eof", OPT_BOOL, "off", AT(exit_on_eof),
	    "end when all files are read and delivered, as run --exit-on-eof"),
	OPTION("generic.encoding", OPT_STRING, NULL, AT(encoding_name),
	    "the encoding of the lines, in which ASCII is ASCII: ShiftJIS, GBK, GB18030, Big5, UHC, Win1252, … or a name of iconv's; records are UTF-8"),
	OPTION("unicode.encoding", OPT_ENUM, "UTF-8", AT(utf16),
	    "of files in UTF-16: a byte order mark at a file's head counts before it, and auto is that mark alone (a file without one is UTF-8); lines are no runtime's, a surrogate without the other one becomes U+FFFD (towline_utf16_errors_total)",
	    .choices = unicodes),
	OPTION_IDLE("DB.*", no_database),
	OPTION_IDLE("Buffer_Chunk_Size", one_buffer),
	OPTION_IDLE("Static_Batch_Size", "files take turns by a budget of bytes"),
	OPTION_IDLE("Event_Batch_Size", "files take turns by a budget of bytes"),
	OPTION_IDLE("Skip_Long_Lines", long_lines),
	OPTION_IDLE("Truncate_Long_Lines", long_lines),
	OPTION_IDLE("Inotify_Watcher", own_watch),
	OPTION_IDLE("Watcher_Interval", own_watch),
	OPTION_IDLE("Progress_Check_Interval", own_watch),
	OPTION_IDLE("Read_Newly_Discovered_Files_From_Head", "new files are read from their head"),
	OPTION_IDLE("Docker_Mode_Flush", "an open record ends after Flush_ms"),
	OPTION_IDLE("Progress_Check_Interval_NSec", own_watch),
	OPTION_IDLE("File_Cache_Advise", "a file is read once"),
	OPTION_IDLE("Keep_File_Handle", "Max_Files says how many stay open"),
	OPTION_IDLE("Ignore_Active_Older_Files",
	    "quiet files are closed when others need their room, and read on when they are written to"),
	OPTIONS_END,
};

static void
tail_check(const struct section *section, struct findings *findings)
{
	const struct tail_conf *conf = section->values;
	enum tag_judged tag;
	char why[256];
	struct encoding *encoding = NULL;
	int seconds;

	if (conf->time_offset != NULL && !timestamp_offset(conf->time_offset, &seconds))
		findings_add(findings, FINDING_ERROR, section->file,
		    conf_given(section, "Time_Offset"), "Time_Offset: '%s' is not +hhmm",
		    conf->time_offset);
	if (conf->tag_regex != NULL && !conf_unknown(section, "Tag", findings)) {
		tag = tag_judge(conf->input.tag, conf->tag_regex, why, sizeof(why));
		if (tag != TAG_RIGHT)
			findings_add(findings, tag == TAG_WRONG ? FINDING_ERROR : FINDING_WARNING,
			    section->file, conf_given(section, "Tag_Regex"), "Tag_Regex: %s", why);
	}
	if (conf->encoding_name != NULL && (encoding = encoding_new(conf->encoding_name)) == NULL)
		findings_add(findings, FINDING_ERROR, section->file,
		    conf_given(section, "generic.encoding"),
		    "generic.encoding: '%s' is no encoding of iconv's in which ASCII is ASCII",
		    conf->encoding_name);
	encoding_free(encoding);
	if (conf->encoding_name != NULL && conf->utf16 != 0)
		findings_add(findings, FINDING_ERROR, section->file,
		    conf_given(section, "unicode.encoding"),
		    "unicode.encoding and generic.encoding both say what the lines are written in: name "
		    "one of them");
	if (conf->multiline_on && conf->parser_firstline == NULL)
		findings_add(findings, FINDING_ERROR, section->file,
		    conf_given(section, "Multiline"),
		    "Multiline needs Parser_Firstline, which tells the first line of a record");
	if (!conf->multiline_on && conf->parsers_further.n > 0)
		findings_add(findings, FINDING_WARNING, section->file,
		    conf_given(section, "Parser_*"),
		    "Parser_N has no effect without Multiline: it reads a record's further lines");
	if (conf->multiline_on && conf_given(section, "Parser") != 0)
		findings_add(findings, FINDING_WARNING, section->file,
		    conf_given(section, "Parser"),
		    "Parser has no effect with Multiline: Parser_Firstline reads the records");
}

bool
tail_reads_runtime(const struct tail_conf *conf)
{
	if (conf->multiline_on)
		return false;
	return conf->parser == NULL || conf->docker_too || strcmp(conf->parser, "cri") == 0 ||
	       strcmp(conf->parser, "docker") == 0;
}

const struct plugin tail_plugin = {
	.kind = SECTION_INPUT,
	.name = "tail",
	.help = "follow log files",
	.options = tail_options,
	.common = tail_input_options,
	.size = sizeof(struct tail_conf),
	.check = tail_check,
};
