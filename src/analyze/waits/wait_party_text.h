/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of the processes and the object of a link, for a sentence. */
#pragma once

#include "analyze/waits/wait_chain.h"
#include "base/buffer.h"

/* Appends the name of a process or a thread: "sleep (12)". */
void wait_put_name(struct buffer *out, const struct sooth_record *r, const struct sooth_text *name,
	uint32_t id);
/* Appends the name of a process: "sleep (12)". */
void wait_put_process(struct buffer *out, const struct waits_process *p);
/* Appends the other party: "sleep (12) and 2 others", "process 12, which has ended", "itself". */
void wait_put_party(struct buffer *out, const struct wait_link *link);
/* Appends `before` and the object, if there is one with a meaning. */
void wait_put_object(struct buffer *out, const struct wait_link *link, const char *before);
/* Appends the object of a link, a path or an address; nothing if there is none. */
void wait_object_text(struct buffer *out, const struct wait_link *link);
