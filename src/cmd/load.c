/* Reading a configuration for a command: one with a mistake is not used. */
#include "cmd.h"

#include "plugins.h"

struct conf *
cmd_conf(const char *path, enum finding least)
{
	struct findings *findings = findings_new();
	struct conf *conf = conf_read(path, &plugins_registry, findings);

	findings_print(findings, least, stderr);
	if (findings_count(findings, FINDING_ERROR) > 0) {
		conf_free(conf);
		conf = NULL;
	}
	findings_free(findings);
	return conf;
}
