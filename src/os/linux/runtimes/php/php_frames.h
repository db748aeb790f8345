/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the functions in which a script of PHP is, in the memory of its process, which is not
 * stopped. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SCRIPT_FRAMES_MAX 24
#define SCRIPT_TEXT_BYTES 3072

/* Everything in it is a copy: if the call times out, it may run on when its caller has returned. */
struct script_code {
	uint64_t address; /* address of executor_globals */
	uint32_t version, pid, count, size;
	char text[SCRIPT_TEXT_BYTES]; /* "FUNCTION\0FILE:LINE\0" of each frame, innermost first */
};

/* Returns whether the layout of a version is known. `version` is in the form of PHP_VERSION_ID:
 * 80207. */
bool php_is_known(uint32_t version);
/* Adds the functions. The memory may not answer: call this by timeout_call() (timeout.h). */
void do_php_frames(void *script_code);
