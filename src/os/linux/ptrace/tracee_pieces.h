/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the memory to which the arguments of a call point, while its thread is stopped. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "bpf/call_pieces.h"
#include "bpf/syscalls.h"

/* Selects the thread for the next functions. */
void tracee_read_for(const struct syscalls_config *options, pid_t pid, pid_t tid);
/* From now on only pages are read that are in memory: a thread of some target serves others. */
void tracee_serves_pages(void);
/* The same, if the process has a userfaultfd. */
void tracee_find_page_server(pid_t pid);
/* Reads a path at the entry of an exec. Returns its bytes with the NUL, or a negative errno. */
int32_t tracee_read_path(char path[SYSCALLS_PATH_MAX], uint64_t from);
/* Reads a word; 0 if it cannot be read. */
uint64_t tracee_read_word(uint64_t from);
/* Reads any string. */
bool tracee_read_text(char *text, size_t size, uint64_t from);
/* Reads what the kernel will overwrite. Returns the state of the piece. */
uint8_t tracee_read_requested(char asked[SYSCALLS_REQUESTED_BYTES], uint64_t from);
/* Adds the pieces of a call to its record, by its row in the config. The call is filled. Returns
 * the bytes of the record. */
size_t tracee_keep_pieces(struct call_with_pieces *p, uint32_t row);
