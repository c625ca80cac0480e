/* Inside the metrics: the samples of the process_ families; the serve thread's. */
#ifndef PROCESS_H
#define PROCESS_H

#include "exposition.h"

/* When the process began, wall ns; 0: not known. */
int64_t process_began(void);

void process_write_cpu(struct exposition *x, const struct family *f);
void process_write_virtual(struct exposition *x, const struct family *f);
void process_write_resident(struct exposition *x, const struct family *f);
void process_write_open_fds(struct exposition *x, const struct family *f);
void process_write_max_fds(struct exposition *x, const struct family *f);
void process_write_start(struct exposition *x, const struct family *f);

#endif
