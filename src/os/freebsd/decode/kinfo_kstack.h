/* SPDX-License-Identifier: BSD-2-Clause */
/* struct kinfo_kstack: the stack of a thread in the kernel, as text. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"

enum kstack_state {
	KSTACK_WHOLE,
	KSTACK_SWAPPED,
	KSTACK_RUNNING, /* the thread is on a CPU: there is no stack */
};

struct kstack_thread {
	uint64_t tid;
	enum kstack_state state;
	struct span trace; /* borrowed */
};

struct kstack_frame {
	uint64_t address;
	struct span function; /* empty: unknown */
	uint64_t into;	      /* offset in the function */
};

/* Decodes the next thread. False: the end, or (then the cursor has failed) a cut one. */
bool kstack_next(struct kstack_thread *out, struct cursor *c);
/* Decodes the next line of a trace: "#0 0xffffffff80c2a1be at mi_switch+0xbe". */
bool kstack_frame_next(struct kstack_frame *out, struct cursor *trace);
