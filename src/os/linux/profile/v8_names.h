/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of V8 by name, without a start flag: the walk follows what the engine has beside its
 * frames to the shared function (bpf/v8_step.h), this side checks that again and reads the name as
 * soon as the sample is here.
 */
#ifndef SOOTH_OS_LINUX_V8_NAMES_H
#define SOOTH_OS_LINUX_V8_NAMES_H

#include "base/map.h"
#include "base/names.h"
#include "collect/backend.h"
#include "os/linux/files/timeout.h"
#include "os/linux/profile/v8_frame.h"
#include "os/linux/profile/v8_lines.h"

struct v8_names {
	int map;	      /* BPF: file -> struct profile_v8; negative: none */
	uint64_t *known;      /* set when there is one; shared with the kernel side */
	struct map files;     /* uint64_t file -> struct v8_layout */
	struct map functions; /* process and objects -> uint32_t name */
	struct names names;   /* "FUNCTION\0SCRIPT:LINE" */
	struct v8_lines lines;
	struct timeout timeout;
	uint64_t frames; /* that could have a name */
	uint64_t refused[V8_REFUSALS];
	bool is_late;	  /* a file was not read in time */
	bool has_partial; /* an engine whose constants are not as expected */
};

#define V8_NAME_NONE UINT32_MAX

void v8_names_init(struct v8_names *v, int map, uint64_t *known);
void v8_names_fini(struct v8_names *v);
/* A file that is mapped as code: perhaps with the engine. */
void v8_names_see(struct v8_names *v, uint64_t file, int fd);
/* NULL: the file has no V8 that is known. */
const struct v8_layout *v8_names_layout(const struct v8_names *v, uint64_t file);
/*
 * The name of a frame in the process of the sample, or V8_NAME_NONE. `user`: the frame that it is
 * beside. *is_behind: it is the function that called the code of that frame.
 */
uint32_t v8_names_put(struct v8_names *v, const struct profile_raw *raw,
	const struct profile_raw_js *frame, const struct profile_raw_frame *user, bool *is_behind);
/* The function and its script, NUL-terminated; borrowed until the next put. */
void v8_names_get(
	const struct v8_names *v, uint32_t name, const char **function, const char **file);
/* Reports what could not be named, and why. */
void v8_names_limits(const struct v8_names *v, struct backend_run *run);

#endif
