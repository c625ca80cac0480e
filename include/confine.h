/* The files that a running towline may open: those that its configuration names, and the system's. */
#ifndef CONFINE_H
#define CONFINE_H

#include "conf.h"

/**
 * confine(conf, state_dir, log_file):
 * Before any other thread exists: keep reading of the roots and of the files
 * that ${conf} names, writing in the state's directory (${state_dir} instead
 * of State_Path, unless NULL) and the sqlite output's, and of ${log_file} (NULL: none),
 * in its directory unless that is one of the system's; give up the rest.
 * Where the kernel cannot do that, it is said.  No core dump is left, unless
 * Core_Dump is on.
 */
void confine(const struct conf *conf, const char *state_dir, const char *log_file);

/**
 * confine_allows(conf, state_dir):
 * True when the process can go on with ${conf}.  False after saying which path
 * it has given up.
 */
bool confine_allows(const struct conf *conf, const char *state_dir);

#endif
