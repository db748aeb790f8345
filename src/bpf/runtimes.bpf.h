/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The runtimes whose objects walks in the kernel follow, and where they do. */
#ifndef SOOTH_BPF_RUNTIMES_BPF_H
#define SOOTH_BPF_RUNTIMES_BPF_H

#include "bpf/javascript.bpf.h"
#include "bpf/python_names.bpf.h"

/* At its begin. */
static inline void begin_runtimes(struct walk *w)
{
	if (walks_control.known & JAVASCRIPT_KNOWN)
		begin_javascript(w);
}

/* At each frame, before it is counted. */
static inline void meet_runtimes(struct walk *w, uint32_t walk)
{
	if (walks_control.known & 1ULL << RUNTIME_python)
		meet_python(w, w->address - w->mapping.shift);
	if (w->raw.engine &&
		(w->mapping.file == PROFILE_FILE_NONE || w->mapping.file == w->raw.engine)) {
		meet_javascript(walk);
		meet_v8(walk);
	}
}

/* Behind all frames: those that a runtime keeps elsewhere. */
#define walk_runtimes(w) walk_python((w)->index)
/* Names that the collector could not read from a process that has ended. */
#define send_runtime_names(w) send_names((w)->index)

#endif
