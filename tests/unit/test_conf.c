/*
 * The classic format: its grammar, its types, and the exact words of every
 * finding.
 */
#include <limits.h>
#include <time.h>

#include "conf_said.h"
#include "plugins.h"

#define IN "[INPUT]\n Name tail\n Tag t\n Path /nowhere/x\n"
#define OUT "[OUTPUT]\n Name es\n Match *\n"

#define TWICE                                                                                      \
	"f:5: warning: 'Tag' is given twice in [INPUT] tail: this one counts, and not that in "    \
	"line 3\n"

#define LOKI "[OUTPUT]\n Name loki\n Match t\n"
#define SKIP "[SERVICE]\n Unbuilt_Outputs skip\n"
#define LOKI_SKIPPED(line)                                                                         \
	"f:" line ": warning: [OUTPUT] loki is Fluent Bit's and not built yet: skipped, nothing "  \
	"goes there; es is\n"

static const struct said_case cases[] = {
	/* what is right says nothing */
	{ IN OUT, "" },
	{ "# c\n\n   # c\n[SERVICE]\n\tFlush\t\t0.5\n \t \n" IN OUT, "" },
	{ "[service]\r\n  FLUSH 1\r\n[Input]\r\n   name TAIL\r\n path /nowhere/x\r\n" OUT, "" },
	{ "\xef\xbb\xbf[SERVICE]\n Flush 1\n" IN OUT, "" },
	{ "[INPUT]\n    Name tail\n  Path /nowhere/x\n\tTag t\n" OUT, "" },

	/* grammar */
	{ IN OUT "x\n", "f:8: 'x' begins in column 1; the entries of a section are indented\n" },
	{ " Flush 1\n Grace 2\n" IN OUT, "f:1: 'Flush' stands before any [SECTION]\n" },
	{ "[SERVICE\n Flush 1\n" IN OUT, "f:1: no ] behind '[SERVICE'\n" },
	{ "[SERVICE] x\n" IN OUT,
	    "f:1: 'x' behind [SERVICE]: a section stands on a line of its own\n" },
	{ " [SERVICE]\n" IN OUT, "f:1: '[SERVICE]' is indented; a section begins in column 1\n" },
	{ "[SERVICE]\n Flush\n" IN OUT, "f:2: 'Flush' has no value\n" },
	{ IN OUT " @set A=80\n Port ${A}\n",
	    "f:8: '@set' is indented; a directive begins in column 1\n" },
	{ IN OUT " @type x\n", "f:8: no option '@type' in [OUTPUT] es\n" },
	{ "@INCLUD x\n" IN OUT, "f:1: no directive '@INCLUD'; did you mean '@INCLUDE'?\n" },
	{ "@SET x\n" IN OUT, "f:1: @SET needs NAME=VALUE\n" },
	{ "@SET a b=1\n" IN OUT, "f:1: 'a…' cannot be a variable's name\n" },
	{ "@INCLUDE\n" IN OUT, "f:1: @INCLUDE needs a path\n" },
	{ "@INCLUDE no.conf\n" IN OUT,
	    "f:1: @INCLUDE 'no.conf': no such file, here or beside the main file\n" },
	{ "@INCLUDE no*.conf\n" IN OUT, "f:1: warning: @INCLUDE 'no*.conf' matches no file\n" },
	{ "@INCLUDE f\n" IN OUT, "f:1: f includes itself\n" },

	/* variables */
	{ "@SET N=8\n[SERVICE]\n Batches ${N}\n" IN OUT, "" },
	{ "[SERVICE]\n Batches ${TOWLINE_NOT_SET:-9}\n" IN OUT, "" },
	{ "[SERVICE]\n Batches ${TOWLINE_NOT_SET}\n" IN OUT,
	    "f:2: the variable TOWLINE_NOT_SET is not set; set it, or write "
	    "${TOWLINE_NOT_SET:-DEFAULT}\n" },
	{ IN "[OUTPUT]\n Name ${TOWLINE_NOT_SET}\n Match *\n",
	    "f:6: the variable TOWLINE_NOT_SET is not set; set it, or write "
	    "${TOWLINE_NOT_SET:-DEFAULT}\n" },
	{ "[PARSER]\n Name ${TOWLINE_NOT_SET}\n Format json\n" IN " Parser own\n" OUT,
	    "f:2: the variable TOWLINE_NOT_SET is not set; set it, or write "
	    "${TOWLINE_NOT_SET:-DEFAULT}\n" },
	{ "[SERVICE]\n Parsers_File ${TOWLINE_NOT_SET}\n" IN " Parser own\n" OUT,
	    "f:2: the variable TOWLINE_NOT_SET is not set; set it, or write "
	    "${TOWLINE_NOT_SET:-DEFAULT}\n" },
	{ "[INPUT]\n Name tail\n Path /nowhere/x\n Tag ${TOWLINE_NOT_SET}\n[OUTPUT]\n Name es\n Match t\n",
	    "f:4: the variable TOWLINE_NOT_SET is not set; set it, or write "
	    "${TOWLINE_NOT_SET:-DEFAULT}\n" },
	{ IN "[OUTPUT]\n Name es\n Match ${TOWLINE_NOT_SET}\n",
	    "f:7: the variable TOWLINE_NOT_SET is not set; set it, or write "
	    "${TOWLINE_NOT_SET:-DEFAULT}\n" },
	{ IN "[OUTPUT]\n Name es\n Match_Regex ${TOWLINE_NOT_SET}\n",
	    "f:7: the variable TOWLINE_NOT_SET is not set; set it, or write "
	    "${TOWLINE_NOT_SET:-DEFAULT}\n" },
	{ "[SERVICE]\n State_Path ${A\n" IN OUT, "f:2: no } behind ${\n" },
	{ "[SERVICE]\n State_Path ${a b}\n" IN OUT, "f:2: '${a…' cannot be a variable's name\n" },

	/* a secret in a wrong place is not shown */
	{ IN OUT " HTTP_Passwd=hunter2\n", "f:8: 'HTTP_Passwd…' has no value\n" },
	{ IN OUT " HTTP_Passwdhunter2\n", "f:8: 'HTTP_Passwd…' has no value\n" },
	{ IN OUT " http_api_keyhunter2 x\n", "f:8: no option 'http_api_key…' in [OUTPUT] es\n" },
	{ IN OUT " HTTP_Passwd: hunter2\n",
	    "f:8: no option 'HTTP_Passwd…' in [OUTPUT] es; did you mean 'HTTP_Passwd'?\n" },
	{ IN OUT " HTTP_Pass=hunter2 x\n", "f:8: no option 'HTTP_Pass…' in [OUTPUT] es\n" },
	{ IN OUT " HTTP_Passwd ${ES KEY:-hunter2}\n",
	    "f:8: '${ES…' cannot be a variable's name\n" },
	{ IN OUT " HTTP_Passwd ${=hunter2}\n", "f:8: '${…' cannot be a variable's name\n" },
	{ IN OUT "HTTP_Passwd=hunter2\n",
	    "f:8: 'HTTP_Passwd…' begins in column 1; the entries of a section are indented\n" },
	{ " HTTP_Passwd=hunter2\n" IN OUT, "f:1: 'HTTP_Passwd…' stands before any [SECTION]\n" },
	{ IN OUT "@SETPW=hunter2\n", "f:8: no directive '@SETPW…'\n" },
	{ IN OUT "@SET PW hunter2=\n", "f:8: 'PW…' cannot be a variable's name\n" },
	{ IN "[OUTPUT] HTTP_Passwd hunter2\n Name es\n Match *\n",
	    "f:5: 'HTTP_Passwd…' behind [OUTPUT]: a section stands on a line of its own\n" },
	{ IN "[OUTPUT HTTP_Passwd hunter2\n Name es\n Match *\n",
	    "f: no [OUTPUT]: nothing would be delivered\n"
	    "f:5: no ] behind '[OUTPUT…'\nf:5: no section [OUTPUT…]\n" },
	{ IN "[OUTPUT]\n Name null HTTP_Passwd hunter2\n Match *\n",
	    "f:6: no plugin 'null…' for [OUTPUT]\n" },

	/* not YAML (test_conf_yaml.c) */
	{ "x:y z\n" IN OUT,
	    "f:1: 'x…' begins in column 1; the entries of a section are indented\n" },

	/* sections and plugins */
	{ "[SERVICES]\n Flush 1\n" IN OUT,
	    "f:1: no section [SERVICES]; did you mean [SERVICE]?\n" },
	{ "[S]\n Flush 1\n" IN OUT, "f:1: no section [S]\n" },
	{ "[INPUT]\n Path x\n" OUT, "f:1: [INPUT] has no Name; it says which plugin this is\n" },
	{ "[INPUT]\n Name tial\n" OUT,
	    "f:2: no plugin 'tial' for [INPUT]; did you mean 'tail'?\n" },
	{ "[INPUT]\n Name mqtt\n" OUT, "f:2: no plugin 'mqtt' for [INPUT]\n" },
	{ "[INPUT]\n Name es\n" OUT, "f:2: 'es' is a plugin of [OUTPUT], not of [INPUT]\n" },
	{ "[FILTER]\n Name grep\n Match *\n" IN OUT,
	    "f:2: [FILTER] grep is Fluent Bit's and not built yet; Match chooses\n" },
	{ "[FILTER]\n Name expect\n" IN OUT,
	    "f:2: warning: [FILTER] expect is Fluent Bit's and not built yet: skipped, nothing is "
	    "added or measured by it\n" },
	{ "[INPUT]\n Name cpu\n Tag n\n" IN OUT " Match_Regex n\n",
	    "f:2: warning: [INPUT] cpu is Fluent Bit's and not built yet: skipped, nothing is read "
	    "by it; an exporter measures\n" },
	{ "[INPUT]\n Name cpu\n" OUT,
	    "f: no [INPUT] of those that are built: there is nothing to read\n"
	    "f:2: warning: [INPUT] cpu is Fluent Bit's and not built yet: skipped, nothing is read "
	    "by it; an exporter measures\n" },
	{ "[INPUT]\n Name http\n" IN OUT,
	    "f:2: [INPUT] http is Fluent Bit's and not built yet; with Unbuilt_Inputs skip in "
	    "[SERVICE] the rest runs without it\n" },
	{ "[INPUT]\n Name http\n" IN OUT "[SERVICE]\n Unbuilt_Inputs skip\n",
	    "f:2: warning: [INPUT] http is Fluent Bit's and not built yet: skipped, nothing is "
	    "read by it\n" },
	{ IN OUT LOKI, "f:9: [OUTPUT] loki is Fluent Bit's and not built yet; es is; with "
		       "Unbuilt_Outputs skip in [SERVICE] the rest runs without it\n" },
	{ IN OUT LOKI SKIP, LOKI_SKIPPED("9") },
	{ IN LOKI SKIP, "f: no [OUTPUT] of those that are built: nothing would be delivered\n" /**/
	    LOKI_SKIPPED("6") },
	{ IN "[OUTPUT]\n Name es\n Match u*\n" LOKI SKIP,
	    "f:3: warning: of the [OUTPUT]s that are built none matches the tag 't': it is read, "
	    "and nothing of it is delivered (f:9 is skipped)\n"
	    "f:7: warning: [OUTPUT] es matches the tag of no [INPUT]\n" LOKI_SKIPPED("9") },
	{ IN "[OUTPUT]\n Name elastic\n", "" },
	{ "[SERVICE]\n Flush 1\n[SERVICE]\n Grace 7\n" IN OUT,
	    "f:3: note: a further [SERVICE]: its keys count with those of the one at f:1\n" },
	{ "[SERVICE]\n Flush 1\n[SERVICE]\n Flush 2\n Grace x\n" IN OUT,
	    "f:3: note: a further [SERVICE]: its keys count with those of the one at f:1\n"
	    "f:4: warning: 'Flush' is given twice in [SERVICE]: this one counts, and not that in "
	    "line 2\n"
	    "f:5: Grace: 'x' is not a time (5, 0.5, 90s, 5m, 1h, 2d) from -1s to 86400s\n" },
	{ "[SERVICE]\n Flush 1\n", "f: no [INPUT]: there is nothing to read\n"
				   "f: no [OUTPUT]: nothing would be delivered\n" },

	/* keys */
	{ IN " Pth x\n" OUT, "f:5: no option 'Pth' in [INPUT] tail; did you mean 'Path'?\n" },
	{ IN " Kube_URL x\n" OUT,
	    "f:5: no option 'Kube_URL' in [INPUT] tail; it belongs to [FILTER] kubernetes\n" },
	{ IN " Zzzzzz x\n" OUT, "f:5: no option 'Zzzzzz' in [INPUT] tail\n" },
	{ IN " Tag u\n" OUT, TWICE },
	{ IN " Number 8\n Number x\n" OUT,
	    "f:6: warning: 'Number' is given twice in [INPUT] tail: this one counts, and not that "
	    "in line 5\n"
	    "f:6: Number: 'x' is not a whole number from 1 to 100\n" },
	{ IN " Path /nowhere/y\n" OUT, "" },
	{ IN " DB.sync full\n" OUT,
	    "f:5: option 'DB.sync' of [INPUT] tail is not built yet: how the state is written\n" },
	{ IN " DB.sync Off\n" OUT,
	    "f:5: note: 'DB.sync' of [INPUT] tail is not built yet, and off anyway\n" },
	{ "[SERVICE]\n Flsh 2\n Zzzzzz x\n Kube_URL x\n" IN OUT,
	    "f:2: note: no option 'Flsh' in [SERVICE], passed over; did you mean 'Flush'?\n"
	    "f:3: note: no option 'Zzzzzz' in [SERVICE], passed over\n"
	    "f:4: note: no option 'Kube_URL' in [SERVICE], passed over; it belongs to [FILTER] "
	    "kubernetes\n" },
	{ IN OUT "[PARSER]\n Name p\n Format json\n Time_Keepp on\n",
	    "f:11: note: no option 'Time_Keepp' in [PARSER], passed over; did you mean "
	    "'Time_Keep'?\n" },
	{ IN " Mem_Buf_Limit 5MB\n" OUT,
	    "f:5: note: 'Mem_Buf_Limit' has no effect here: memory is bounded anyway\n" },
	{ IN OUT " net.keepalive on\n net.x 1\n",
	    "f:8: note: 'net.keepalive' has no effect here: connections are kept\n"
	    "f:9: note: 'net.x' has no effect here: connections are kept\n" },
	{ "[INPUT]\n Name tail\n Tag t\n" OUT, "f:1: [INPUT] tail has no Path; it needs one\n" },
	{ "[SERVICE]\n Daemon on\n" IN OUT,
	    "f:2: warning: Daemon: towline stays in the foreground, as systemd and containers want "
	    "it\n" },
	{ "[SERVICE]\n HTTP_Listen http://a\n" IN OUT,
	    "f:2: HTTP_Listen: 'http://a' is no address; 0.0.0.0 is all of this machine\n" },
	{ "[SERVICE]\n Agent_Labels a b%\n" IN OUT,
	    "f:2: Agent_Labels: 'a b%' is no name of a label\n" },
	{ "[SERVICE]\n Agent_Labels Pod\n" IN OUT, "" },
	{ "[SERVICE]\n Agent_Labels pod., po, pod_\n" IN OUT,
	    "f:2: Agent_Labels: series have 'pod.' already, as which 'pod_' would be exposed\n" },
	{ "[SERVICE]\n Agent_Labels pod\n" IN OUT,
	    "f:2: Agent_Labels: series have 'pod' already, as which 'pod' would be exposed\n" },
	{ "[SERVICE]\n Agent_Labels x.y/z, x-y/z\n" IN OUT,
	    "f:2: Agent_Labels: series have 'x.y/z' already, as which 'x-y/z' would be exposed\n" },
	{ "[SERVICE]\n Agent_Labels build-timestamp\n" IN OUT,
	    "f:2: Agent_Labels: series have 'build_timestamp' already, as which 'build-timestamp' would be exposed\n" },
	{ "[SERVICE]\n Agent_Labels l0, l1, l2, l3, l4, l5, l6, l7, l8, l9, l10\n" IN OUT,
	    "f:2: Agent_Labels: 11 labels; each makes every series longer, and at most 10 are taken\n" },
	{ "[SERVICE]\n Agent_Labels matillion.com/business-unit, matillion.com/cost-centre\n" IN
		OUT,
	    "" },
	{ "[SERVICE]\n Request_Buckets .5, 1e3\n" IN OUT, "" },
	{ "[SERVICE]\n Task_Buckets 1, 1\n" IN OUT,
	    "f:2: Task_Buckets: seconds, each larger than the one before, at most 20: 0.5, 1, 5, 60\n" },
	{ "[SERVICE]\n Task_Buckets 2 1\n" IN OUT,
	    "f:2: Task_Buckets: seconds, each larger than the one before, at most 20: 0.5, 1, 5, 60\n" },
	{ "[SERVICE]\n Task_Buckets 0, 1\n" IN OUT,
	    "f:2: Task_Buckets: seconds, each larger than the one before, at most 20: 0.5, 1, 5, 60\n" },
	{ "[SERVICE]\n Task_Buckets 1, x\n" IN OUT,
	    "f:2: Task_Buckets: seconds, each larger than the one before, at most 20: 0.5, 1, 5, 60\n" },
	{ "[SERVICE]\n Quantiles 0.5, 1\n" IN OUT,
	    "f:2: Quantiles: between 0 and 1, each larger than the one before, at most 20: 0.5, 0.95\n" },
	{ "[SERVICE]\n Quantiles 0.9, 0.5\n" IN OUT,
	    "f:2: Quantiles: between 0 and 1, each larger than the one before, at most 20: 0.5, 0.95\n" },
	{ "[SERVICE]\n Task_Buckets nan\n" IN OUT,
	    "f:2: Task_Buckets: seconds, each larger than the one before, at most 20: 0.5, 1, 5, 60\n" },
	{ "[SERVICE]\n Task_Buckets inf\n" IN OUT,
	    "f:2: Task_Buckets: seconds, each larger than the one before, at most 20: 0.5, 1, 5, 60\n" },
	{ "[SERVICE]\n Task_Buckets 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21\n" IN
		OUT,
	    "f:2: Task_Buckets: seconds, each larger than the one before, at most 20: 0.5, 1, 5, 60\n" },

	/* values */
	{ IN " Flag maybe\n" OUT, "f:5: Flag: 'maybe' is not on or off\n" },
	{ IN " Number 0\n" OUT, "f:5: Number: '0' is not a whole number from 1 to 100\n" },
	{ IN " Number 5x\n" OUT, "f:5: Number: '5x' is not a whole number from 1 to 100\n" },
	{ IN " Number 99999999999999999999\n" OUT,
	    "f:5: Number: '99999999999999999999' is not a whole number from 1 to 100\n" },
	{ IN " Size 5X\n" OUT, "f:5: Size: '5X' is not a size (500, 32K, 5M, 1G) of 0 or more\n" },
	{ IN " Size 9999999999G\n" OUT,
	    "f:5: Size: '9999999999G' is not a size (500, 32K, 5M, 1G) of 0 or more\n" },
	{ "[SERVICE]\n Batch_Size 1G\n Flush 2h\n Agent_Answer_Limit 99999999999G\n" IN OUT,
	    "f:2: warning: Batch_Size: '1G' is above the most, 64000000, which is taken\n"
	    "f:3: warning: Flush: '2h' is above the most, 3600s, which is taken\n"
	    "f:4: warning: Agent_Answer_Limit: '99999999999G' is above the most, 64000000, which "
	    "is taken\n" },
	{ "[SERVICE]\n Batch_Size 1K\n" IN OUT,
	    "f:2: Batch_Size: '1K' is not a size (500, 32K, 5M, 1G) from 64000 to 64000000\n" },
	{ IN " Time soon\n" OUT,
	    "f:5: Time: 'soon' is not a time (5, 0.5, 90s, 5m, 1h, 2d) of 0 or more\n" },
	{ IN " Time -1\n" OUT,
	    "f:5: Time: '-1' is not a time (5, 0.5, 90s, 5m, 1h, 2d) of 0 or more\n" },
	{ IN OUT " Compress gzp\n",
	    "f:8: Compress: 'gzp' is not one of off, gzip; did you mean 'gzip'?\n" },
	{ IN OUT " Port hunter2\n",
	    "f:8: Port: its value is not a whole number from 1 to 65535\n" },
	{ IN " Flag \x1b[31m\n" OUT, "f:5: Flag: '\\x1b[31m' is not on or off\n" },

	/* nothing is taken off a value */
	{ "[INPUT]\n Name tail\n Tag t\n Path /nowhere/x   # the log\n" OUT,
	    "f:4: Path: the # behind its value, and what follows, is part of it; a comment stands "
	    "on a line of its own\n" },
	{ IN "[OUTPUT]\n Name es\n Match *\t#all\n",
	    "f:7: Match: the # behind its value, and what follows, is part of it; a comment stands "
	    "on a line of its own\n" },
	{ IN " Number 9 # x\n" OUT,
	    "f:5: Number: the # behind its value, and what follows, is part of it; a comment "
	    "stands on a line of its own\n" },
	{ IN OUT " HTTP_Passwd hunter2 # x\n",
	    "f:8: warning: HTTP_Passwd: the # behind its value, and what follows, is part of it; a "
	    "comment stands on a line of its own\n" },
	{ IN " Rule a #b\n" OUT,
	    "f:5: warning: Rule: the # behind its value, and what follows, is part of it; a "
	    "comment stands on a line of its own\n" },
	{ IN " Tag #t#u#\n" OUT, TWICE },
	{ IN OUT " HTTP_Passwd 'hunter2'\n",
	    "f:8: warning: HTTP_Passwd: the quotes are part of its value; leave them out\n" },
	{ IN " Path /nowhere/z, \"/nowhere/y\"\n" OUT,
	    "f:5: Path: the quotes are part of its value; leave them out\n" },
	{ IN " Flag \"on\"\n" OUT,
	    "f:5: Flag: the quotes are part of its value; leave them out\n" },
	{ IN " Parser \"cri'\n" OUT, "f:5: no parser '\"cri'' is defined\n" },
	{ IN OUT "[PARSER]\n Name q\n Format json\n Time_Format \"%Y-%m-%d\"\n",
	    "f:11: warning: Time_Format: the quotes are part of its value; leave them out\n" },
	{ IN OUT "[PARSER]\n Name q\n Format regex\n Regex ^(?<a>#.*)$\n", "" },
	{ IN OUT "[PARSER]\n Name q\n Format regex\n Regex ^(?<a>.*)$ # all\n",
	    "f:11: warning: Regex: the # behind its value, and what follows, is part of it; a "
	    "comment stands on a line of its own\n" },

	/* parsers */
	{ IN " Parser cir\n" OUT, "f:5: no parser 'cir' is defined; did you mean 'cri'?\n" },
	{ IN " Parser cri\n" OUT, "" },
	{ IN " multiline.parser java, jav\n" OUT,
	    "f:5: no parser 'jav' is defined; did you mean 'java'?\n" },
	{ IN " Parser p\n" OUT "[PARSER]\n Name p\n Format logfmt\n Logfmt_No_Bare_Keys on\n", "" },
	{ IN OUT "[PARSER]\n Name p\n Format json\n Decode_Field_As escaped log do_next\n"
		 " Decode_Field json  log\n Decode_Field_As mysql_quoted q try_next\n",
	    "" },
	{ IN OUT "[PARSER]\n Name p\n Format json\n Decode_Field base64 log\n",
	    "f:11: parser 'p': Decode_Field: no decoder 'base64'; json, escaped, escaped_utf8 or "
	    "mysql_quoted\n" },
	{ IN OUT "[PARSER]\n Name p\n Format json\n Decode_Field_As json\n",
	    "f:11: parser 'p': Decode_Field_As json names no field\n" },
	{ IN OUT "[PARSER]\n Name p\n Format json\n Decode_Field_As json log next\n",
	    "f:11: parser 'p': Decode_Field_As json log: only try_next or do_next may follow\n" },
	{ IN OUT "[PARSER]\n Name p\n Format regex\n",
	    "f:8: parser 'p' has Format regex and no Regex\n" },
	{ IN OUT "[PARSER]\n Name p\n Format regex\n Regex (?<a>[a&&b])\n",
	    "f:11: parser 'p': && (an intersection of classes) is not supported; use a lookahead, "
	    "(?=[…])[…], at character 8 of the expression\n" },
	{ IN OUT "[PARSER]\n Name p\n Format regex\n Regex (?<a>x\n",
	    "f:11: parser 'p': missing closing parenthesis, at its end\n" },
	{ IN OUT "[PARSER]\n Name p\n Format regex\n Regex x\n",
	    "f:11: parser 'p': the Regex names no group, (?<name>…): it would give no field\n" },
	{ IN OUT "[PARSER]\n Name p\n Format json\n Types a:number\n",
	    "f:11: parser 'p': no type 'number' for a; integer, float, bool, hex or string\n" },
	{ IN OUT "[PARSER]\n Name p\n Format json\n Types a\n",
	    "f:11: parser 'p': Types: 'a' is not FIELD:TYPE FIELD:TYPE … (at most 64)\n" },
	{ IN OUT "[PARSER]\n Name p\n Format json\n Time_Offset 25h\n",
	    "f:11: parser 'p': Time_Offset: '25h' is not +hhmm\n" },
#define ZONED IN OUT "[PARSER]\n Name p\n Format json\n Time_Format %F %T\n "
	{ ZONED "Time_Zone Europe/Vienna\n", "" },
	{ ZONED "Time_System_Timezone on\n", "" },
	{ ZONED "Time_Zone Europe/Wien\n",
	    "f:12: parser 'p': Time_Zone: there is no zone 'Europe/Wien' below "
	    "/usr/share/zoneinfo, where tzdata installs them\n" },
	{ ZONED "Time_Zone Europe\n",
	    "f:12: parser 'p': Time_Zone: there is no zone 'Europe' below "
	    "/usr/share/zoneinfo, where tzdata installs them\n" },
	{ ZONED "Time_Zone ../../../etc/localtime\n",
	    "f:12: parser 'p': Time_Zone: '../../../etc/localtime' is no zone's name, such as "
	    "Europe/Vienna\n" },
	{ ZONED "Time_Zone /etc/localtime\n",
	    "f:12: parser 'p': Time_Zone: '/etc/localtime' is no zone's name, such as "
	    "Europe/Vienna\n" },
	{ ZONED "Time_Zone tzdata.zi\n",
	    "f:12: parser 'p': Time_Zone: 'tzdata.zi' is no zone's name, such as "
	    "Europe/Vienna\n" },
	{ ZONED "Time_Zone leapseconds\n",
	    "f:12: parser 'p': Time_Zone: /usr/share/zoneinfo/leapseconds: it is no TZif file, "
	    "or a part of one\n" },
	{ ZONED "Time_Zone UTC\n Time_System_Timezone on\n Time_Offset +0100\n",
	    "f:13: warning: Time_System_Timezone has no effect: Time_Zone counts\n"
	    "f:14: warning: Time_Offset has no effect: Time_Zone counts\n" },
	{ IN OUT "[PARSER]\n Name p\n Format json\n Time_Key t\n Time_Zone UTC\n",
	    "f:12: warning: Time_Zone has no effect without Time_Format: times are RFC 3339 "
	    "then, which name their zone\n" },
	{ IN OUT "[PARSER]\n Name p\n Format json\n[PARSER]\n Name p\n Format json\n",
	    "f:11: warning: parser 'p' is defined twice; the one at f:8 counts\n" },
	{ IN OUT "[PARSER]\n Name p\n Format json\n Time_Format %Y-%m-%dT%H:%M:%S.%L%%\n", "" },
	{ IN OUT "[PARSER]\n Name p\n Format json\n Time_Format %Y%Q\n",
	    "f:11: Time_Format: no conversion %Q\n" },
	{ IN OUT "[PARSER]\n Name p\n Format json\n Time_Format %Y%\n",
	    "f:11: Time_Format: no conversion %\n" },
	{ IN OUT "[PARSER]\n Name p\n Format json\n Time_Format %b %d %H:%M:%S\n",
	    "f:11: note: Time_Format '%b %d %H:%M:%S' names no year: a time is of the year that "
	    "brings it nearest to the one of the record before it\n" },
	{ IN OUT "[PARSER]\n Format json\n", "f:8: [PARSER] has no Name; it needs one\n" },
	{ IN OUT "[MULTILINE_PARSER]\n name m\n type regex\n",
	    "f:8: multiline parser 'm': it has no rule\n" },
	{ IN " multiline.parser m\n" OUT "[MULTILINE_PARSER]\n name m\n",
	    "f:9: [MULTILINE_PARSER] has no type; it needs one\n" },
	{ IN OUT "[MULTILINE_PARSER]\n name m\n type regex\n rule start_state /a/ b\n",
	    "f:11: multiline parser 'm': rule 1 is not \"STATE\" \"/RE/\" \"NEXT\"\n" },
	{ IN OUT "[MULTILINE_PARSER]\n name m\n type regex\n rule \"a\" \"/a/\" \"b\"\n",
	    "f:11: multiline parser 'm': no rule begins in start_state: no record would begin\n" },
	{ IN OUT "[MULTILINE_PARSER]\n name m\n type regex\n rule \"start_state\" \"/(/\" \"b\"\n",
	    "f:11: multiline parser 'm': missing closing parenthesis, at its end\n" },
	{ IN OUT "[MULTILINE_PARSER]\n name m\n type endswith\n rule \"a\" \"/a/\" \"b\"\n",
	    "f:8: multiline parser 'm': it has no match_string\n"
	    "f:11: warning: multiline parser 'm': rule has no effect with type endswith\n" },
	{ IN " multiline.parser cri, m\n" OUT "[MULTILINE_PARSER]\n name m\n type regex\n"
	     " rule \"start_state\" \"/a # \"b\"/\" \"c\"\n parser apache\n",
	    "f:13: warning: multiline parser 'm': its rules see the whole line; what parser 'apache' "
	    "makes of it is made behind them, by Parser or a [FILTER] parser\n" },
	{ IN OUT "[MULTILINE_PARSER]\n name m\n type eq\n match_string ;\n"
		 "[MULTILINE_PARSER]\n name m\n type eq\n match_string :\n",
	    "f:12: warning: multiline parser 'm' is defined twice; the one at f:8 counts\n" },
	{ "[SERVICE]\n Parsers_File f, none.conf\n parsers_file e.conf\n Flush 1\n" IN OUT,
	    "f:1: [SERVICE] in a parsers' file; only [PARSER] and [MULTILINE_PARSER] belong there\n"
	    "f:2: warning: Parsers_File 'none.conf': no such file beside f or in " TOWLINE_CONF "\n"
	    "f:3: warning: Parsers_File 'e.conf': no such file beside f or in " TOWLINE_CONF "\n"
	    "f:5: [INPUT] in a parsers' file; only [PARSER] and [MULTILINE_PARSER] belong there\n"
	    "f:9: [OUTPUT] in a parsers' file; only [PARSER] and [MULTILINE_PARSER] belong "
	    "there\n" },
	{ "[SERVICE]\n Parsers_File \"none.conf\"\n" IN OUT,
	    "f:2: Parsers_File: the quotes are part of its value; leave them out\n"
	    "f:2: warning: Parsers_File 'none.conf': no such file beside f or in " TOWLINE_CONF
	    "\n" },
	{ "[SERVICE]\n Parsers_File none.conf # mine\n" IN OUT,
	    "f:2: Parsers_File: the # behind its value, and what follows, is part of it; a "
	    "comment stands on a line of its own\n"
	    "f:2: warning: Parsers_File 'none.conf': no such file beside f or in " TOWLINE_CONF
	    "\n" },
	{ "[SERVICE]\n Parsers_File none.conf\n" IN OUT,
	    "f:2: warning: Parsers_File 'none.conf': no such file beside f or in " TOWLINE_CONF
	    "\n" },

	{ IN " Parser p\n multiline.parser docker, cri\n" OUT "[PARSER]\n Name p\n Format json\n",
	    "f:6: warning: multiline.parser has no effect: with Parser 'p' each line is a record; "
	    "lines are joined without Parser, or with cri or docker\n" },
	{ IN " Parser docker\n multiline.parser docker, cri\n" OUT
	     "[PARSER]\n Name docker\n Format json\n",
	    "" },
	{ IN " multiline.parser docker, cri\n" OUT, "" },

	/* tags */
	{ IN "[OUTPUT]\n Name es\n Match u*\n",
	    "f:3: no [OUTPUT] matches the tag 't': nothing of it would be delivered\n"
	    "f:7: warning: [OUTPUT] es matches the tag of no [INPUT]\n" },
	{ IN "[OUTPUT]\n Name es\n", "" },
	{ IN "[OUTPUT]\n Name es\n[OUTPUT]\n Name es\n Match *\n",
	    "f:5: [OUTPUT] es has no Match; it says which tags are taken, * takes all\n" },
	{ IN "[OUTPUT]\n Name es\n" LOKI SKIP,
	    "f:3: warning: of the [OUTPUT]s that are built none matches the tag 't': it is read, "
	    "and nothing of it is delivered (f:8 is skipped)\n"
	    "f:5: [OUTPUT] es has no Match; it says which tags are taken, * takes all\n" /**/
	    LOKI_SKIPPED("8") },
	{ IN "[FILTER]\n Name kubernetes\n" OUT,
	    "f:5: warning: [FILTER] kubernetes has no Match and applies to nothing; it says which "
	    "tags are taken, * takes all\n" },
	{ IN "[OUTPUT]\n Name es\n Match u\n Match_Regex ^t$\n", "" },
	{ IN "[OUTPUT]\n Name es\n Match t\n Match_Regex ^u$\n", "" },
	{ IN "[OUTPUT]\n Name es\n Match_Regex ^t$\n", "" },
	{ IN "[OUTPUT]\n Name es\n Match_Regex (t\n",
	    "f:3: no [OUTPUT] matches the tag 't': nothing of it would be delivered\n"
	    "f:7: Match_Regex: missing closing parenthesis, at its end\n"
	    "f:7: warning: [OUTPUT] es matches the tag of no [INPUT]\n" },
	{ "[INPUT]\n Name tail\n Tag a.*\n Path /nowhere/x\n[OUTPUT]\n Name es\n Match *.log\n",
	    "" },
	{ IN "[FILTER]\n Name kubernetes\n Match k*\n" OUT,
	    "f:7: warning: [FILTER] kubernetes matches the tag of no [INPUT]\n" },

	/* files */
	{ IN "[INPUT]\n Name tail\n Tag u\n Path /nowhere/*\n" OUT,
	    "f:8: warning: Path '/nowhere/*' and '/nowhere/x' of the [INPUT] at f:1 can name one "
	    "file: it belongs to that input, the first, and is shipped once (Exclude_Path parts "
	    "them)\n" },
	{ IN "[INPUT]\n Name tail\n Tag u\n Path /nowhere/*\n Exclude_Path /nowhere/x\n" OUT, "" },
	{ IN "[INPUT]\n Name tail\n Tag u\n Path /*/y\n" OUT, "" },
	{ "[INPUT]\n Name tail\n Tag a\n Path /nowhere/b1*,/nowhere/a\n"
	  "[INPUT]\n Name tail\n Tag b\n Path /nowhere/b*\n Exclude_Path /nowhere/b2\n"
	  "[INPUT]\n Name tail\n Tag c\n Path /nowhere/b22\n"
	  "[INPUT]\n Name tail\n Tag d\n Path /nowhere/c,/nowhere/?22,/nowhere/b12\n" OUT,
	    "f:17: warning: Path '/nowhere/b12' and '/nowhere/b1*' of the [INPUT] at f:1 can name one "
	    "file: it belongs to that input, the first, and is shipped once (Exclude_Path parts "
	    "them)\n" },
	{ "[INPUT]\n Name tail\n Tag t\n Path f\n"
	  "[INPUT]\n Name tail\n Tag u\n Path ./f\n" OUT,
	    "f:4: warning: Path 'f' does not begin with /: it is looked for below the directory that "
	    "towline is started in\n"
	    "f:8: warning: Path './f' does not begin with /: it is looked for below the directory "
	    "that towline is started in\n"
	    "f:8: warning: ./f is also a file of the [INPUT] at f:1: it belongs to that input, the "
	    "first, and is shipped once (Exclude_Path parts them)\n" },

	/* all in one go */
	{ "[SERVIC]\n Flush 1\n" IN " Nmber 1\n Flag x\n" OUT " Prot 1\n",
	    "f:1: no section [SERVIC]; did you mean [SERVICE]?\n"
	    "f:7: no option 'Nmber' in [INPUT] tail; did you mean 'Number'?\n"
	    "f:8: Flag: 'x' is not on or off\n"
	    "f:12: no option 'Prot' in [OUTPUT] es; did you mean 'Port'?\n" },
};

static void
test_every_finding_says_what_and_where(void **state)
{
	(void)state;
	assert_each_said("f", cases, COUNT(cases));
}

static void
test_findings_of_one_kind_are_twenty(void **state)
{
	char text[4096] = IN OUT, want[8192] = "";
	size_t n = strlen(text), used = 0;
	struct findings *f = findings_new();
	struct conf *c;
	char *said;

	(void)state;
	for (int i = 0; i < 300; i++) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, " k%d\n", i);
		if (i < 20)
			used += (size_t)snprintf(want + used, sizeof(want) - used,
			    "f:%d: 'k%d' has no value%s\n", 8 + i, i,
			    i == 19 ? " (and 280 more like it)" : "");
	}
	snprintf(text + n, sizeof(text) - n, " Prot 1\n");
	snprintf(want + used, sizeof(want) - used,
	    "f:308: no option 'Prot' in [OUTPUT] es; did you mean 'Port'?\n");
	try_file("f", text);
	c = conf_read("f", &try_registry, f);
	said = try_findings(f);
	assert_string_equal(said, want);
	assert_int_equal(findings_count(f, FINDING_ERROR), 301);
	free(said);
	conf_free(c);
	findings_free(f);
}

/* Nothing that a cut makes of it may crash. */
static void
test_a_file_cut_at_every_byte_is_read_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t len = strlen(cases[i].text);

		for (size_t cut = 0; cut < len; cut++) {
			struct findings *f = findings_new();
			struct conf *c;

			try_write("f", cases[i].text, cut);
			c = conf_read("f", &try_registry, f);
			assert_non_null(service_of(c));
			conf_free(c);
			findings_free(f);
		}
	}
}

static void
test_hostile_files_are_refused(void **state)
{
	static const char nul[] = "[SERVICE]\n Flush 1\0002\n" IN OUT;
	char *big = malloc(2 << 20);

	(void)state;
	memset(big, 'x', 2 << 20);
	try_write("f", big, 2 << 20);
	assert_said("f", "f is larger than 1024 KiB; is it a configuration?\n", "large");
	try_write("f", nul, sizeof(nul) - 1);
	assert_said("f", "f:2: a NUL byte; is this a text file?\n", "NUL");
	assert_said("none", "cannot read none: No such file or directory\n", "none");
	free(big);
}

/* A configuration with a section of ${p} whose option ${o} has a value that is refused. */
static void
refused_try(const struct plugin *p, const struct option *o)
{
	static const char *const heads[] = { [SECTION_INPUT] = "INPUT",
		[SECTION_FILTER] = "FILTER",
		[SECTION_OUTPUT] = "OUTPUT",
		[SECTION_SERVICE] = "SERVICE",
		[SECTION_PARSER] = "PARSER",
		[SECTION_MULTILINE_PARSER] = "MULTILINE_PARSER" };
	struct findings *f = findings_new();
	char text[512];

	snprintf(text, sizeof(text), "[%s]\n %s \x17\n%s%s\n%s%s", heads[p->kind], o->name,
	    p->name != NULL ? " Name " : "", p->name != NULL ? p->name : "",
	    p->kind != SECTION_INPUT ? "[INPUT]\n Name tail\n Tag t\n Path /x\n" : "",
	    p->kind != SECTION_OUTPUT ? "[OUTPUT]\n Name null\n Match *\n" : "");
	try_file("f", text);
	conf_free(conf_read("f", &plugins_registry, f));
	if (o->type == OPT_STRING && (o->flags & (OPT_IDLE | OPT_LATER)) == 0 &&
	    findings_count(f, FINDING_ERROR) == 0)
		fail_msg("%s takes a control character", o->name);
	findings_free(f);
}

/* Each option of each plugin; the checks behind the table meet what it left out. */
static void
test_every_option_may_be_refused(void **state)
{
	(void)state;
	for (size_t i = 0; plugins_registry.plugins[i] != NULL; i++) {
		const struct plugin *p = plugins_registry.plugins[i];
		const struct option *const tables[] = { p->options, p->common };

		for (size_t j = 0; j < COUNT(tables) && !p->later; j++)
			for (const struct option *o = tables[j]; o != NULL && o->name != NULL; o++)
				refused_try(p, o);
	}
}

static void
test_no_value_has_a_control_character(void **state)
{
	static const char said[] =
	    "f:2: State_Path: its value has a control character, such as a line break; is "
	    "there one in a variable?\n";
	static const struct {
		const char *value;
		bool right;
	} values[] = { { "abc", true }, { "a\tb", true }, { " abc\n", true }, { "a\nb", false },
		{ "a\r\nX: 1", false }, { "a\x1b[0m", false }, { "\xc3\xa9", true } };

	(void)state;
	try_file("f", "[SERVICE]\n State_Path ${TOWLINE_TRY}\n" IN OUT);
	for (size_t i = 0; i < COUNT(values); i++) {
		setenv("TOWLINE_TRY", values[i].value, 1);
		assert_said("f", values[i].right ? "" : said, values[i].value);
	}
	unsetenv("TOWLINE_TRY");
}

static void
test_a_secrets_file_is_one_line(void **state)
{
	static char large[70000];
	static const struct {
		const char *text;
		size_t len;
		const char *secret, *why;
	} files[] = {
		{ "abc", 3, "abc", NULL },
		{ "abc\n", 4, "abc", NULL },
		{ "abc\r\n", 5, "abc", NULL },
		{ " a b \xc3\xa9", 7, " a b \xc3\xa9", NULL },
		{ "", 0, NULL, "is empty" },
		{ "\n", 1, NULL, "is empty" },
		{ "abc\n\n", 5, NULL, "has a control character, or more than one line" },
		{ "abc\nX-Evil: 1", 13, NULL, "has a control character, or more than one line" },
		{ "a\tb", 3, NULL, "has a control character, or more than one line" },
		{ "a\0b", 3, NULL, "has a control character, or more than one line" },
		{ "a\x7f", 2, NULL, "has a control character, or more than one line" },
		{ large, sizeof(large), NULL, "is no secret: too long" },
	};
	const char *why;
	char *secret;

	(void)state;
	memset(large, 'x', sizeof(large));
	for (size_t i = 0; i < COUNT(files); i++) {
		try_write("f", files[i].text, files[i].len);
		secret = conf_secret_file("f", &why);
		if (files[i].why == NULL)
			assert_string_equal(secret, files[i].secret);
		else
			assert_string_equal(why, files[i].why);
		assert_int_equal(secret == NULL, files[i].why != NULL);
		free(secret);
	}
	assert_null(conf_secret_file("none", &why));
	assert_string_equal(why, "cannot be read");
}

static const struct section *
section_of(const struct conf *c, enum section_kind kind)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->sections[i].plugin->kind == kind)
			return &c->sections[i];
	return NULL;
}

static void
test_values_have_their_types(void **state)
{
	struct findings *f = findings_new();
	const struct try_output *out;
	const struct try_input *in;
	const struct service *s;
	struct conf *c;

	(void)state;
	try_file("f", "[SERVICE]\n Flush 0.25\n Grace -1\n Log_Level warning\n" IN
		      " Path /nowhere/a, /nowhere/b ,\n Flag No\n Number 9\n Time 1.5m\n Size 2MB\n"
		      " Rule \"a\" \"/b,  c/\"  d\n Rule 2\n" OUT
		      " Retry_Limit No_Retries\n Compress GZIP\n");
	c = conf_read("f", &try_registry, f);
	assert_int_equal(findings_count(f, FINDING_ERROR), 0);
	s = service_of(c);
	assert_int_equal(s->flush, 250000000);
	assert_int_equal(s->grace, -1000000000);
	assert_int_equal(service_voice(s), VOICE_WARN);
	assert_true(s->http_server);
	assert_int_equal(s->http_port, 8000);
	assert_int_equal(s->batch_size, 1000000);
	assert_int_equal(s->agent_pods.n, 2);
	assert_string_equal(s->agent_pods.at[0], "matillion-agent*");
	assert_string_equal(s->agent_pods.at[1], "*matillion-runner*");
	assert_int_equal(s->agent_exclude_pods.n, 1);
	in = section_of(c, SECTION_INPUT)->values;
	assert_int_equal(in->path.n, 3);
	assert_string_equal(in->path.at[2], "/nowhere/b");
	assert_false(in->flag);
	assert_int_equal(in->number, 9);
	assert_int_equal(in->time, 90000000000);
	assert_int_equal(in->size, 2000000);
	assert_int_equal(in->rule.n, 2);
	assert_string_equal(in->rule.at[0], "\"a\" \"/b,  c/\"  d");
	assert_int_equal(conf_given(section_of(c, SECTION_INPUT), "flag"), 10);
	assert_int_equal(conf_given(section_of(c, SECTION_INPUT), "parser"), 0);
	out = section_of(c, SECTION_OUTPUT)->values;
	assert_int_equal(out->retry, -2);
	assert_int_equal(out->compress, 1);
	assert_int_equal(out->port, 9200);
	conf_free(c);
	findings_free(f);
}

static void
test_included_and_parsers_files_are_found_and_sorted(void **state)
{
	static const char *const names[] = { "d/2.conf", "d/10.conf", "d/main", "d/p.parsers",
		NULL };
	struct findings *f = findings_new();
	struct conf *c;
	char *said;

	(void)state;
	if (mkdir("d", 0700) != 0)
		abort();
	try_file("d/10.conf", IN);
	try_file("d/2.conf", "@SET WHERE=/nowhere/z\n" OUT " Prot 1\n");
	try_file("d/main", "[SERVICE]\n Parsers_File p.parsers\n@INCLUDE *.conf\n Flsh 1\n");
	try_file("d/p.parsers", "[PARSER]\n Name p\n Format json\n");
	c = conf_read("d/main", &try_registry, f);
	said = try_findings(f);
	assert_string_equal(said,
	    "d/main:4: note: no option 'Flsh' in [SERVICE], passed over; did you mean 'Flush'?\n"
	    "d/2.conf:5: no option 'Prot' in [OUTPUT] es; did you mean 'Port'?\n");
	free(said);
	assert_int_equal(c->sections[1].plugin->kind, SECTION_INPUT);
	assert_string_equal(c->sections[1].file, "d/10.conf");
	conf_free(c);
	findings_free(f);
	for (size_t i = 0; names[i] != NULL; i++)
		unlink(names[i]);
	rmdir("d");
}

/* Also below a directory that the current one has not; one that cannot be read is no empty one. */
static void
test_a_glob_of_includes_is_looked_for_beside_the_main_file(void **state)
{
	struct findings *f = findings_new();
	struct conf *c;
	char *said;

	(void)state;
	if (mkdir("d", 0700) != 0 || mkdir("d/more", 0700) != 0 || symlink("ring", "d/ring") != 0)
		abort();
	try_file("d/more/in.conf", IN);
	try_file(
	    "d/main", "@INCLUDE more/*.conf\n@INCLUDE none/*.conf\n@INCLUDE ring/*.conf\n" OUT);
	c = conf_read("d/main", &try_registry, f);
	said = try_findings(f);
	assert_string_equal(said,
	    "d/main:2: warning: @INCLUDE 'none/*.conf' matches no file\n"
	    "d/main:3: @INCLUDE 'ring/*.conf': Too many levels of symbolic links\n");
	free(said);
	assert_string_equal(c->sections[0].file, "d/more/in.conf");
	conf_free(c);
	findings_free(f);
	unlink("d/more/in.conf");
	unlink("d/main");
	unlink("d/ring");
	rmdir("d/more");
	rmdir("d");
}

/* A shell has HOSTNAME and hands it down to no program. */
static void
test_the_machines_name_needs_no_environment(void **state)
{
	struct findings *f = findings_new();
	char host[HOST_NAME_MAX + 1];
	struct conf *c;

	(void)state;
	unsetenv("HOSTNAME");
	assert_int_equal(gethostname(host, sizeof(host)), 0);
	try_file("f", "[INPUT]\n Name tail\n Path /nowhere/x\n Tag ${HOSTNAME}\n" OUT);
	c = conf_read("f", &try_registry, f);
	assert_string_equal(*(char *const *)conf_value(&c->sections[0], "Tag"), host);
	conf_free(c);
	setenv("HOSTNAME", "other", 1);
	c = conf_read("f", &try_registry, f);
	assert_string_equal(*(char *const *)conf_value(&c->sections[0], "Tag"), "other");
	assert_int_equal(findings_count(f, FINDING_ERROR), 0);
	unsetenv("HOSTNAME");
	conf_free(c);
	findings_free(f);
}

/* However many there are. */
static void
test_the_last_of_many_parsers_is_defined(void **state)
{
	struct findings *f = findings_new();
	struct buffer text;
	struct conf *c;

	(void)state;
	buffer_init(&text, 0);
	buffer_printf(&text, IN " Path /nowhere/a\n Parser p299\n" OUT);
	for (int i = 0; i < 300; i++)
		buffer_printf(&text, "[PARSER]\n Name p%d\n Format json\n", i);
	buffer_put(&text, (struct slice){ "", 1 });
	try_file("f", text.at);
	c = conf_read("f", &try_registry, f);
	assert_int_equal(findings_count(f, FINDING_ERROR), 0);
	conf_free(c);
	findings_free(f);
	buffer_fini(&text);
}

/* Each filter is compared with each input: what is compared is found once for each of them. */
static void
test_thousands_of_inputs_and_filters_take_no_time(void **state)
{
	struct findings *f = findings_new();
	struct timespec before, after;
	struct buffer text;
	struct conf *c;

	(void)state;
	buffer_init(&text, 0);
	for (int i = 0; i < 2000; i++)
		buffer_printf(&text,
		    "[INPUT]\n Name tail\n Path /nowhere/%d\n Tag t.%d\n"
		    "[FILTER]\n Name kubernetes\n Match_Regex t.%d$\n",
		    i, i, 1999 - i);
	buffer_printf(&text, OUT);
	buffer_put(&text, (struct slice){ "", 1 });
	try_file("f", text.at);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	c = conf_read("f", &try_registry, f);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	assert_int_equal(findings_count(f, FINDING_ERROR) + findings_count(f, FINDING_WARNING), 0);
	assert_in_range(after.tv_sec - before.tv_sec, 0, 10);
	conf_free(c);
	findings_free(f);
	buffer_fini(&text);
}

static void
test_match_knows_only_the_star(void **state)
{
	static const struct {
		const char *pattern, *tag;
		bool want;
	} matches[] = {
		{ "*", "", true },
		{ "*", "a.b", true },
		{ "", "", true },
		{ "", "a", false },
		{ "matillion.agent.*", "matillion.agent.var.log.x.log", true },
		{ "matillion.agent.*", "matillion.agent", false },
		{ "matillion.agent.*", "matillion.agent.", true },
		{ "Matillion*", "matillion", false },
		{ "*.log", "a.log.log", true },
		{ "a*b*c", "a-b-b-c", true },
		{ "a*b*c", "a-c-b", false },
		{ "a?c", "abc", false },
		{ "a.c", "abc", false },
		{ "[ab]", "a", false },
		{ "**a", "aaa", true },
		{ "a*", "a", true },
		{ "*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(matches); i++)
		assert_int_equal(
		    conf_match(matches[i].pattern, slice_of(matches[i].tag)), matches[i].want);
	assert_true(conf_match("a*", (struct slice){ "a\0b", 3 }));
	assert_false(conf_match("a", (struct slice){ "a\0b", 3 }));
}

static void
test_blocks_are_read_without_a_table(void **state)
{
	struct findings *f = findings_new();
	struct conf_blocks *b;

	(void)state;
	try_file("f", "[EVENTS]\n  TASK_COMPLETED  completed \n[Keys]\n a b\n c  d  e\n");
	b = conf_blocks_read("f", f);
	assert_int_equal(findings_count(f, FINDING_ERROR), 0);
	assert_int_equal(b->n, 2);
	assert_string_equal(b->at[0].name, "EVENTS");
	assert_string_equal(b->at[0].entries[0].key, "TASK_COMPLETED");
	assert_string_equal(b->at[0].entries[0].value, "completed");
	assert_string_equal(b->at[1].entries[1].value, "d  e");
	assert_int_equal(b->at[1].entries[1].line, 5);
	assert_string_equal(b->at[1].file, "f");
	conf_blocks_free(b);
	assert_null(conf_blocks_read("none", f));
	assert_int_equal(findings_count(f, FINDING_ERROR), 1);
	findings_free(f);
}

static void
test_nearest_is_near(void **state)
{
	static const char *const names[] = { "Kube_URL", "Labels", "Match", "tls.verify" };

	(void)state;
	assert_string_equal(findings_nearest("Kube_UR", names, 4), "Kube_URL");
	assert_string_equal(findings_nearest("kubeurl", names, 4), "Kube_URL");
	assert_string_equal(findings_nearest("Mathc", names, 4), "Match");
	assert_null(findings_nearest("Buffer", names, 4));
	assert_null(findings_nearest("", names, 4));
}

static void
test_help_and_reference_come_from_the_tables(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	(void)state;
	conf_help(&try_output_plugin, to);
	fclose(to);
	assert_non_null(strstr(text, "[OUTPUT] es: server\n"));
	assert_non_null(
	    strstr(text, "Compress                 word           gzip: off, gzip (off)"));
	assert_null(strstr(text, "net.*"));
	free(text);
	to = open_memstream(&text, &len);
	conf_reference(&try_registry, to);
	fclose(to);
	assert_non_null(strstr(text, "\n## [INPUT] tail\n"));
	assert_non_null(strstr(text, "| `Path` | list | needed | files |\n"));
	assert_non_null(strstr(text, "Known, not built yet: `DB.Sync`.\n"));
	assert_non_null(
	    strstr(text, "Accepted, without effect: `net.*` (connections are kept).\n"));
	assert_non_null(strstr(text, "| `[FILTER] grep` | an error | Match chooses |\n"));
	assert_non_null(strstr(text, "| `[INPUT] cpu` | skipped | an exporter measures |\n"));
	assert_non_null(strstr(text, "Server; `elastic` is another name of it.\n"));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_finding_says_what_and_where),
		cmocka_unit_test(test_findings_of_one_kind_are_twenty),
		cmocka_unit_test(test_a_file_cut_at_every_byte_is_read_or_refused),
		cmocka_unit_test(test_hostile_files_are_refused),
		cmocka_unit_test(test_no_value_has_a_control_character),
		cmocka_unit_test(test_every_option_may_be_refused),
		cmocka_unit_test(test_a_secrets_file_is_one_line),
		cmocka_unit_test(test_values_have_their_types),
		cmocka_unit_test(test_included_and_parsers_files_are_found_and_sorted),
		cmocka_unit_test(test_a_glob_of_includes_is_looked_for_beside_the_main_file),
		cmocka_unit_test(test_the_machines_name_needs_no_environment),
		cmocka_unit_test(test_the_last_of_many_parsers_is_defined),
		cmocka_unit_test(test_thousands_of_inputs_and_filters_take_no_time),
		cmocka_unit_test(test_match_knows_only_the_star),
		cmocka_unit_test(test_blocks_are_read_without_a_table),
		cmocka_unit_test(test_nearest_is_near),
		cmocka_unit_test(test_help_and_reference_come_from_the_tables),
	};

	return cmocka_run_group_tests(tests, try_setup, try_teardown);
}
