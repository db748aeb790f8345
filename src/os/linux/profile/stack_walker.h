/* SPDX-License-Identifier: BSD-2-Clause */
/* Walks stacks of another process in user space, by the same steps as the kernel side of profile:
 * mappings from procfs, memory by process_vm_readv(2), an unwind rule for each address. */
#pragma once

#include <sys/types.h>

#include "base/map.h"
#include "model/process_id.h"
#include "os/linux/files/timeout.h"
#include "os/linux/profile/profile_stacks.h"
#include "os/linux/profile/unwind_table.h"
#include "os/linux/profile/stack_mappings.h"

/* Bytes of a stack, all copied at one moment. */
struct stack_copy {
	const unsigned char *bytes;
	uint64_t address;
	size_t size;
};

/* Memory of another process, kept in pages while one stack is walked, so that its words are of
 * nearly one moment. A page may never arrive, so reading has a timeout. */
struct stack_memory {
	pid_t pid;
	int status;		       /* status of the last read that failed; 0: none failed */
	const struct stack_copy *copy; /* the only bytes that are read; NULL: the process is read */
	struct map pages;	       /* number of the page -> its bytes */
	struct timeout timeout;
};

struct stack_walker {
	struct profile_files files;
	struct profile_stacks stacks;
	struct map rows;   /* file and offset -> struct unwind_found */
	struct map tables; /* file without an index -> struct unwind_table */
	struct timeout timeout;
	struct stack_memory memory;
	struct buffer bytes; /* text of /proc/PID/maps */
	struct buffer own_mappings;
	const struct buffer *mappings; /* of the process: `own_mappings`, or the caller's */
	struct process_id process;
	struct profile_known *file; /* file of the current frame; NULL: none */
	struct runtime_walk at;
};

/* Data of a thread, copied when it was interrupted. The caller owns all of it. */
struct stack_copied {
	struct process_id process;
	const struct buffer *mappings; /* as stack_mappings.h keeps them */
	struct stack_copy stack;
	const uint64_t *kernel; /* seen->kernel_frames addresses */
};

/* Opens the walker. `stack_kind` and `frame_kind` are the kinds of the records that define stacks
 * and frames. Call stack_walker_fini() even after a failure. */
int stack_walker_open(struct stack_walker *s, uint16_t stack_kind, uint16_t frame_kind,
	const struct probe_options *options, struct sooth_error *err);
void stack_walker_fini(struct stack_walker *s);
/* Sets the process of the next walks, with its directory. Returns 0, or why its mappings could not
 * be read. */
int stack_walker_process(struct stack_walker *s, const struct process_id *process, int directory);
/* Walks the stack of a thread of that process; `kernel`: seen->kernel_frames addresses. Returns the
 * number of the stack. A new stack is written to `out`. */
uint32_t stack_walker_walk(struct stack_walker *s, const struct stacks_seen *seen,
	const uint64_t *kernel, uint64_t time_ns, struct buffer *out);
/* Walks a stack from a copy; stack_walker_process() is not needed. Functions of Python are not
 * found: their frames are not in the copy. */
uint32_t stack_walker_walk_copy(struct stack_walker *s, const struct stack_copied *of,
	const struct stacks_seen *seen, uint64_t time_ns, struct buffer *out);
/* Opens a file, through the process if that still has it mapped, or by its path, for later
 * walks. */
void stack_walker_meet(struct stack_walker *s, const struct process_id *process,
	const struct stack_mapping *mapping, const char *path);
/* Names all frames and writes them; 0 or a negative errno. */
int stack_walker_name(struct stack_walker *s, struct buffer *out, bool *is_kernel_hidden);
