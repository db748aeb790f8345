/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of a script that the main thread of a process is in, from the memory of the process,
 * which is not stopped: a moment after the sample, so that a stack of native code and one of the
 * script may be some milliseconds apart. Other threads and versions of unknown layout have none.
 */
#ifndef SOOTH_OS_LINUX_SCRIPT_STACK_H
#define SOOTH_OS_LINUX_SCRIPT_STACK_H

#include "base/map.h"
#include "os/linux/runtimes/runtime.h"

#define SCRIPT_FRAMES_MAX 24
#define SCRIPT_STEPS_MAX  64 /* frames that are looked at */
#define SCRIPT_NAME_BYTES 128

struct script_code;

/* The frames of a process, while they are read. */
struct script_reading {
	struct script_code *code;
	bool is_wrong; /* what is there is not what that version has: nothing more is read */
};

struct script_engine {
	const char *program; /* the beginning of its file's name */
	const char *data;    /* what leads to the stack */
	const char *loop;    /* its functions are called by this one */
	/* Adds the functions, innermost first. `at`: the address of `data`. */
	void (*do_read)(struct script_reading *r, uint64_t at);
};

struct script_stack {
	struct runtime_state of;
	const struct script_engine *engine;
	struct map files;  /* uint64_t file -> struct script_file */
	struct map places; /* struct process_id -> uint64_t: where the engine is in memory; 0: it
			      is not mapped */
	/* The last process that was read, and its functions. */
	uint32_t pid, count;
	uint64_t start_ticks, read_ns;
	uint32_t found[SCRIPT_FRAMES_MAX]; /* innermost first */
	/* The sample: its functions come before this user frame. */
	uint32_t at;
	bool is_met; /* the engine is on its stack */
};

void script_stack_init(void *state, const struct script_engine *engine);
/* Members of struct runtime. */
void script_stack_fini(void *state);
void script_stack_see(void *state, uint64_t file, const char *path, int fd);
void script_stack_begin(void *state, const struct profile_raw *raw);
void script_stack_functions(
	void *state, const struct runtime_frame *at, struct runtime_functions *out);

/* --- for do_read --- */

bool do_script_get(struct script_reading *r, uint64_t at, void *out, size_t size);
uint64_t do_script_pointer(struct script_reading *r, uint64_t at);
/* A name of letters that can be read; longer ones are cut. */
bool do_script_text(
	struct script_reading *r, uint64_t at, uint64_t length, char out[SCRIPT_NAME_BYTES]);
void script_add(struct script_reading *r, const char *function, const char *path, uint64_t line);
bool script_is_empty(const struct script_reading *r);

#endif
