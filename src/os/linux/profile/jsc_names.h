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
#include "os/linux/files/timeout.h"
#include "os/linux/profile/debug_file.h"
#include "os/linux/profile/jsc_frame.h"

struct jsc_names {
	int map;	    /* BPF: executable -> struct profile_jsc */
	uint64_t *known;    /* set when that map has one; shared with the kernel side */
	struct map files;   /* uint64_t file -> struct jsc_file */
	struct map blocks;  /* process and objects -> struct jsc_block */
	struct names names; /* "FUNCTION\0MODULE+OFFSET" */
	struct timeout timeout;
	uint64_t frames;    /* that could have a name */
	uint64_t refused[JSC_REFUSALS];
	char unknown_build[DEBUG_BUILD_ID_SIZE]; /* an engine whose layout is not known; empty: none */
};

#define JSC_NAME_NONE UINT32_MAX

void jsc_names_init(struct jsc_names *j, int map, uint64_t *known);
void jsc_names_fini(struct jsc_names *j);
/* A file that is mapped as code: perhaps an executable with the engine. */
void jsc_names_see(struct jsc_names *j, uint64_t file, int fd);
/* A sample of a process with such an executable, before its frames are named. */
void jsc_names_meet(struct jsc_names *j, const struct profile_raw *raw);
/* The name of a frame in the process of the sample, or JSC_NAME_NONE. `user`: the frame it is
 * beside. */
uint32_t jsc_names_put(struct jsc_names *j, const struct profile_raw *raw,
	const struct profile_raw_js *frame, const struct profile_raw_frame *user);
/* The function and its module, NUL-terminated; borrowed until the next put. */
void jsc_names_get(
	const struct jsc_names *j, uint32_t name, const char **function, const char **file);
/* Of the frames that should have a name, those without one, in percent; and why most of them. NULL:
 * nothing to say. */
const char *jsc_names_refused(const struct jsc_names *j, double *percent);

#endif
