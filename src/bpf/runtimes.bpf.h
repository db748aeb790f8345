/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The language runtimes whose frames BPF programs walk, and the calls for each part of a walk. */
#pragma once

#include "bpf/javascript.bpf.h"
#include "bpf/python_names.bpf.h"

/* Prepares the runtimes at the beginning of a walk. */
static inline void begin_runtimes(struct walk *w)
{
	if (walks_control.known & JAVASCRIPT_KNOWN)
		begin_javascript(w);
}

/* Puts frames of language runtimes. Called at each frame, before it is counted. */
static inline void put_runtime_frames(struct walk *w, uint32_t walk)
{
	if (walks_control.known & 1ULL << RUNTIME_python)
		note_interpreter(w, w->address - w->mapping.shift);
	if (w->raw.engine &&
		(w->mapping.file == PROFILE_FILE_NONE || w->mapping.file == w->raw.engine)) {
		meet_javascript(walk);
		meet_v8(walk);
	}
}

/* Call this after all frames: adds frames that a runtime keeps outside the stack. */
#define walk_runtimes(w) walk_python((w)->index)
/* Sends names that the collector could not read from an ended process. */
#define send_runtime_names(w) send_names((w)->index)
