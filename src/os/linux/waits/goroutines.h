/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The goroutines of a Go program, in groups: those that began with one function and wait for one
 * reason. Read from its memory; nothing is stopped, so a group may be of two moments.
 *
 * Not seen: programs without a symbol table (-ldflags -s), goroutines beyond the limit.
 */
#ifndef SOOTH_OS_LINUX_WAITS_GOROUTINES_H
#define SOOTH_OS_LINUX_WAITS_GOROUTINES_H

#include "os/linux/waits/wait_reader.h"

struct go_program;

/* Writes the records of a process of the chain; of one that is no Go program none. */
void goroutines_read(struct wait_reader *r, struct wait_node *n);
void go_program_free(struct go_program *p);

#endif
