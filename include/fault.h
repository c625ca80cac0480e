/*
 * Points at which the chaos harness (tests/chaos) kills or misleads towline.
 * Only a build with FAULTS=1 has them; in any other they are nothing.
 *
 *	TOWLINE_FAULT=NAME:COUNT   the COUNT-th pass of FAULT("NAME") is SIGKILL
 *	TOWLINE_BUG=NAME           BUG("NAME") is true: a planted bug, which the
 *	                           harness must find
 */
#ifndef FAULT_H
#define FAULT_H

#include <stdbool.h>

#ifdef FAULTS
void fault_pass(const char *name);
bool fault_bug(const char *name);
#define FAULT(name) fault_pass(name)
#define BUG(name) fault_bug(name)
#else
#define FAULT(name) ((void)0)
#define BUG(name) false
#endif

#endif
