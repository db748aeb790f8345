/* SPDX-License-Identifier: BSD-2-Clause */
/* The name of one function of V8, from the memory of its process. */
#pragma once

#include <stddef.h>

#include "os/linux/runtimes/v8/v8_text.h"

/* Why a frame has no name. */
enum v8_refusal {
	V8_NAMED,
	V8_ENGINE,  /* a function of the engine, which has a symbol, or of its host */
	V8_OTHER,   /* objects have other types, or differ from those at the sample */
	V8_NO_TEXT, /* its name is no text */
	V8_UNREAD,  /* the memory could not be read: the process has ended */
	V8_REFUSALS,
};

/* Everything in it is a copy: if the call times out, it may run on when its caller has returned. */
struct v8_frame {
	struct v8_layout layout;
	struct profile_raw_js raw;
	enum v8_refusal refusal;
	uint32_t position; /* start of the function, in letters of the source */
	uint64_t source;   /* a string with the source; 0: none */
	size_t size;	   /* size of `text`; 0: no name */
	char text[2 * 4 * V8_LETTERS_MAX + 64]; /* "FUNCTION\0SCRIPT\0"; each may be empty */
};

/* Reads the name. May wait: call it with a timeout (timeout.h). */
void v8_frame_read(struct v8_frame *f, v8_read read, void *user);
/* Returns whether the code at `pc`, where the thread was interrupted, has its own frame: it is made
 * already, and not left yet. Otherwise the words beside the frame pointer are the caller's. */
bool v8_is_framed(v8_read read, void *user, uint64_t pc);
