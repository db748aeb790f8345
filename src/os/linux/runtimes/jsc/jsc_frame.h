/* SPDX-License-Identifier: BSD-2-Clause */
/* The name of one function of JavaScriptCore, from the memory of its process. */
#pragma once

#include <stddef.h>

#include "bpf/javascript.h"
#include "os/linux/runtimes/jsc/jsc_layout.h"
#include "os/linux/runtimes/jsc/jsc_text.h"

#define JSC_TIER_BASELINE 3 /* JITCode::tier of the first compiled code */

#define JSC_LETTERS_MAX 300 /* of a name; of a module's path 2048 are read, and its end is kept */

/* Why a frame has no name. */
enum jsc_refusal {
	JSC_NAMED,
	JSC_STUB,    /* no function: a thunk of the engine */
	JSC_OTHER,   /* objects have other types, or differ from those at the sample */
	JSC_OUTSIDE, /* the address is not in the function's code: it is entered or left */
	JSC_NO_TEXT, /* its name is no text */
	JSC_UNREAD,  /* the memory could not be read: the process has ended */
	JSC_REFUSALS,
};

/* Reads `size` bytes at an address of the target; false: not all of them are there. */
typedef bool (*jsc_read)(void *user, uint64_t address, void *out, size_t size);

/* Everything in it is a copy: if the call times out, it may run on when its caller has returned. */
struct jsc_frame {
	struct jsc_layout layout;
	struct profile_raw_js raw;
	uint64_t pc;	/* in generated code; 0: in the interpreter */
	bool is_top;	/* the frame that was interrupted */
	bool is_placed; /* only check whether the code at `pc` still belongs to the code block */
	uint8_t depth; /* 0: the function itself; else a function compiled into it, the innermost is
			  1; JSC_STUB: there is no further one */
	uint8_t tier;  /* tier of the compiled code, in the engine's numbers; 0: not checked */
	enum jsc_refusal refusal;
	uint64_t from, to;	    /* range of the function's code; 0, 0: not checked */
	uint32_t start;		    /* start of the function in `module` */
	char module[JSC_TEXT_PATH]; /* module in the executable, for a function without a name; else
				       "" */
	size_t size;		    /* size of `text`; 0: no name */
	char text[2 * 4 * JSC_LETTERS_MAX + 64]; /* "FUNCTION\0MODULE+OFFSET\0" */
};

/* Sets the executable and the name in `raw` from its block and callee, as bpf/javascript.bpf.h does
 * at a sample. May wait, like the next function: */
void jsc_frame_follow(
	struct profile_raw_js *raw, const struct jsc_layout *layout, jsc_read read, void *user);
/* Reads the name. May wait: call it with a timeout (timeout.h). */
void jsc_frame_read(struct jsc_frame *f, jsc_read read, void *user);
