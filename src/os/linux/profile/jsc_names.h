/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of JavaScriptCore by name, without a start flag: the kernel side follows what the
 * engine has beside its frames to the text object of the name (bpf/javascript.bpf.h), this side
 * checks all of it again and reads the text as soon as the sample is here.
 */
#ifndef SOOTH_OS_LINUX_JSC_NAMES_H
#define SOOTH_OS_LINUX_JSC_NAMES_H

#include "base/map.h"
#include "base/names.h"
#include "collect/backend.h"
#include "os/linux/files/timeout.h"
#include "os/linux/profile/debug_file.h"
#include "os/linux/profile/jsc_frame.h"

struct jsc_names {
	int map;	    /* BPF: executable -> struct profile_jsc */
	uint64_t *known;    /* set when that map has one; shared with the kernel side */
	struct map files;   /* uint64_t file -> struct jsc_file */
	struct map blocks;  /* process and objects -> struct jsc_block */
	struct map calls;   /* the same and the place of a call -> struct jsc_call */
	struct names names; /* "FUNCTION\0MODULE+OFFSET" */
	struct timeout timeout;
	uint64_t frames; /* that could have a name */
	uint64_t refused[JSC_REFUSALS];
	char *cache_folder; /* of layouts that were found; NULL: none */
};

#define JSC_NAME_NONE	  UINT32_MAX
#define JSC_FUNCTIONS_MAX 9 /* of one frame: those compiled into a function, and itself */

void jsc_names_init(struct jsc_names *j, int map, uint64_t *known, const char *cache_folder);
void jsc_names_fini(struct jsc_names *j);
/* A file that is mapped as code: perhaps an executable with the engine. */
void jsc_names_see(struct jsc_names *j, uint64_t file, int fd);
/* Whether a file that was seen has the engine. */
bool jsc_names_has(const struct jsc_names *j, uint64_t file);
/* Whether a place is in the interpreter of the engine, in the process of the sample. */
bool jsc_names_is_interpreter(
	const struct jsc_names *j, const struct profile_raw *raw, uint64_t file, uint64_t offset);
/* Sets all of `frame` but its index from what is beside a frame, as the kernel side does. */
void jsc_names_follow(struct jsc_names *j, const struct profile_raw *raw,
	const struct jsc_slots *slots, struct profile_raw_js *frame);
/* A sample of a process with such an executable, before its frames are named. */
void jsc_names_meet(struct jsc_names *j, const struct profile_raw *raw);
/* The names of a frame in the process of the sample, of functions compiled into it first; 0: none.
 * `user`: the frame it is beside; is_calling: the next inner frame is the engine's too. */
size_t jsc_names_put(struct jsc_names *j, const struct profile_raw *raw,
	const struct profile_raw_js *frame, const struct profile_raw_frame *user, bool is_calling,
	uint32_t numbers[JSC_FUNCTIONS_MAX]);
/* The function and its module, NUL-terminated; borrowed until the next put. */
void jsc_names_get(
	const struct jsc_names *j, uint32_t name, const char **function, const char **file);
/* Reports what has no name, and why. */
void jsc_names_limits(const struct jsc_names *j, struct backend_run *run);

#endif
