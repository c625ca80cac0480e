/*
 * Points at which the chaos harness (tests/chaos) kills towline.
 * Only a build with FAULTS=1 has them.
 *
 *	TOWLINE_FAULT=NAME:COUNT   the COUNT-th pass of FAULT("NAME") is SIGKILL
 */
#ifndef FAULT_H
#define FAULT_H

#ifdef FAULTS
void fault_pass(const char *name);
#define FAULT(name) fault_pass(name)
#else
#define FAULT(name) ((void)0)
#endif

#endif
