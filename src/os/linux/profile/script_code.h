/* SPDX-License-Identifier: BSD-2-Clause */
/* The stack of a script in the memory of its process: PHP and Ruby. */
#ifndef SOOTH_OS_LINUX_SCRIPT_CODE_H
#define SOOTH_OS_LINUX_SCRIPT_CODE_H

#include <stddef.h>
#include <stdint.h>

#define SCRIPT_TEXT_BYTES 3072

enum script_kind { SCRIPT_PHP, SCRIPT_RUBY };

/* With its own copies of everything: the call may outlive its caller. */
struct script_code {
	uint32_t pid;
	uint32_t kind;	  /* enum script_kind */
	uint64_t address; /* of executor_globals, or of ruby_current_vm_ptr */
	uint32_t count, size;
	char text[SCRIPT_TEXT_BYTES]; /* "FUNCTION\0FILE:LINE\0" of each frame, innermost first */
};

/* Reads memory that may not come: for a timeout_call() (os/linux/files/timeout.h). */
void do_script_code(void *job);

#endif
