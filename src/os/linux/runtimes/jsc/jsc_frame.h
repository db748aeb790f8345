/* SPDX-License-Identifier: BSD-2-Clause */
/* The name of one function of JavaScriptCore, from the memory of its process. */
#ifndef SOOTH_OS_LINUX_JSC_FRAME_H
#define SOOTH_OS_LINUX_JSC_FRAME_H

#include <stddef.h>

#include "bpf/javascript.h"
#include "os/linux/runtimes/jsc/jsc_layout.h"
#include "os/linux/runtimes/jsc/jsc_text.h"

#define JSC_TIER_BASELINE 3 /* JITCode::tier: of compiled code, the first */

#define JSC_LETTERS_MAX 300 /* of a name; of an address of a module 2048, and its end is kept */

/* Why a frame has no name. */
enum jsc_refusal {
	JSC_NAMED,
	JSC_STUB,    /* no function: a thunk of the engine */
	JSC_OTHER,   /* objects of other types, or not the same as at the sample */
	JSC_OUTSIDE, /* the code of the function is elsewhere: it is being entered or left */
	JSC_NO_TEXT, /* its name is no text */
	JSC_UNREAD,  /* the memory could not be read: the process has ended */
	JSC_REFUSALS,
};

/* Reads `size` bytes at an address of the target; false: not all of them are there. */
typedef bool (*jsc_read)(void *user, uint64_t address, void *out, size_t size);

/* With its own copies of everything: the call may outlive its caller. */
struct jsc_frame {
	struct jsc_layout layout;
	struct profile_raw_js raw;
	uint64_t pc;	/* in generated code; 0: in the interpreter */
	bool is_top;	/* the frame that was interrupted */
	bool is_placed; /* only whether the code at `pc` is (still) that of the block */
	uint8_t depth;	/* 0: the function; else one that was compiled into it, the
			   innermost is 1: JSC_STUB behind the last one */
	uint8_t tier;	/* of its compiled code, as the engine counts; 0: not checked */
	enum jsc_refusal refusal;
	uint64_t from, to;	    /* the code of the function; 0, 0: not checked */
	uint32_t start;		    /* of the function, in `module` */
	char module[JSC_TEXT_PATH]; /* in the executable, of a function without a name; else empty
				     */
	size_t size;		    /* of the text; 0: no name */
	char text[2 * 4 * JSC_LETTERS_MAX + 64]; /* "FUNCTION\0MODULE+OFFSET\0" */
};

/* Sets executable and name of `raw` from its block and callee, as bpf/javascript.bpf.h does at a
 * sample. May wait, as: */
void jsc_frame_follow(
	struct profile_raw_js *raw, const struct jsc_layout *layout, jsc_read read, void *user);
/* May wait: call it with a timeout (timeout.h). */
void jsc_frame_read(struct jsc_frame *f, jsc_read read, void *user);

#endif
