/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errors, for a person and for a program.
 *
 * Functions that can fail return 0 or a negative errno value and fill the caller's struct
 * sooth_error, when one is given (NULL is allowed everywhere). The struct needs no initialization
 * and no cleanup, and is not written when nothing failed. The four texts answer the four questions
 * a user asks, in one line each; any of the last three may be empty. Names in the texts may come
 * from a target: escape them before a terminal.
 */
#ifndef SOOTH_ERROR_H
#define SOOTH_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/* The kind of failure. The program's exit status follows from it. */
enum sooth_fault {
	SOOTH_FAULT_NONE = 0,
	SOOTH_FAULT_USAGE,	 /* the request makes no sense: exit 2 */
	SOOTH_FAULT_PRIVILEGE,	 /* a needed privilege is missing: exit 3 */
	SOOTH_FAULT_UNSUPPORTED, /* this system cannot do it: exit 3 */
	SOOTH_FAULT_NOT_FOUND,	 /* the target does not exist: exit 4 */
	SOOTH_FAULT_IO,		 /* reading or writing failed: exit 5 */
	SOOTH_FAULT_INTERNAL,	 /* memory ran out, or a defect in sooth: exit 5 */
	/* Faults of a command to launch, as a shell reports them (POSIX, 2.8.2 Exit Status for
	 * Commands). */
	SOOTH_FAULT_NO_COMMAND,	    /* the command is not found: exit 127 */
	SOOTH_FAULT_NOT_EXECUTABLE, /* the command cannot be executed: exit 126 */
};

struct sooth_error {
	int code; /* negative errno value, 0 when nothing failed */
	enum sooth_fault fault;
	char tried[192];   /* what was tried: "load the system call programs" */
	char why[256];	   /* why it failed: "bpf(BPF_PROG_LOAD): Operation not permitted" */
	char missing[192]; /* what is missing: "the capability cap_bpf" */
	char remedy[256];  /* what to do: "run as root, or setcap cap_bpf,..." */
};

#ifdef __cplusplus
}
#endif
#endif
