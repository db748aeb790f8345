/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the waits of a process, in the words of `sooth why`. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"

struct waited {
	struct buffer text; /* one paragraph, escaped; empty: not known */
	uint64_t time_ns;   /* when it was read */
};

/* Runs `sooth why`, which is killed when the time is over. An old text stays if there is no new
 * one. */
void waited_read(struct waited *w, pid_t pid, uint64_t timeout_ns);
void waited_fini(struct waited *w);
