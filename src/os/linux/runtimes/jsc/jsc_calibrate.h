/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the layout of an unknown build of JavaScriptCore in a running process. The engine keeps
 * some values twice: their offsets are those where both copies are equal for many functions, and no
 * other offsets fit. Half of the samples decide, the other half is the test. */
#pragma once

#include "os/linux/runtimes/jsc/jsc_frame.h"

#define JSC_PAIRS_MAX	1024
#define JSC_PAIRS_LEAST 96 /* the least number of pairs for a try */
#define JSC_STARTS_MAX	64

/* A frame during a call. */
struct jsc_pair {
	uint64_t block, callee;
	uint64_t pc; /* in generated code; 0: in the interpreter */
};

/* A function with a known name, in a module inside the executable. */
struct jsc_named {
	char module[JSC_TEXT_PATH];
	char name[64];
	unsigned char unlinked[128]; /* bytes of its UnlinkedFunctionExecutable */
};

/* Everything in it is a copy: if the call times out, it may run on when its caller has returned. */
struct jsc_calibration {
	uint32_t pid;
	uint32_t count;
	struct jsc_pair pairs[JSC_PAIRS_MAX];
	/* out: */
	struct jsc_layout layout; /* without the place where the text of a function starts */
	bool is_known;
	char reason[160]; /* why there is no layout */
	uint32_t named;
	struct jsc_named functions[JSC_STARTS_MAX];
};

/* Makes some ten thousand small reads: call it with a timeout. */
void jsc_calibrate(struct jsc_calibration *c, jsc_read read, void *user);
