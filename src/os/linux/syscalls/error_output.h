/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines that processes write to standard error, from calls whose records carry the written bytes
 * (bpf/error_output.bpf.h). Kept are the kind and form of each line, and the text of errors and
 * warnings, cut; of a file nothing. The last line of a process that ends with an error is kept too.
 * All other written bytes are removed from the records. */
#pragma once

#include "base/buffer.h"
#include "base/map.h"

struct error_outputs {
	struct map writers; /* process_id -> the incomplete line that the process has begun */
	struct buffer rebuilt;
};

void error_outputs_init(struct error_outputs *e);
void error_outputs_fini(struct error_outputs *e);
/* Handles the records in `out` from byte `from` on. */
void error_outputs_move_to(struct error_outputs *e, struct buffer *out, size_t from);
