/* The memory of libraries. */
#ifndef LIBRARIES_H
#define LIBRARIES_H

/**
 * libraries_begin():
 * Before any other call of theirs: where a library finds no memory, the process ends,
 * as it does where we find none (memory.h).
 */
void libraries_begin(void);

#endif
