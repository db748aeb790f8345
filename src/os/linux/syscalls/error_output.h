/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines that processes write to standard error, from calls whose records carry the written bytes
 * (bpf/error_output.bpf.h). Kept are the kind and form of each line, and the text of errors and
 * warnings, cut; of a file nothing. The last line of a process that ends with an error is kept too.
 * All other written bytes are removed from the records. */
#pragma once

#include "base/buffer.h"
#include "base/map.h"
#include "base/sha256.h"

struct error_outputs {
	struct map writers; /* process_id -> the incomplete line that the process has begun */
	struct buffer rebuilt;
	struct hmac form_key; /* after its key, of this run */
	bool has_key;
	uint64_t unkeyed;   /* without a key no two forms are equal */
	bool has_forgotten; /* there were more writers than fit: begun lines are not known */
};

void error_outputs_init(struct error_outputs *e);
void error_outputs_fini(struct error_outputs *e);
/* Handles the records in `out` from byte `from` on. */
void error_outputs_move_to(struct error_outputs *e, struct buffer *out, size_t from);
