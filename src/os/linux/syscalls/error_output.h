/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines that processes write to standard error, of calls that carry what was written
 * (bpf/error_output.bpf.h). The kind and the form of each line are kept, and the text of errors and
 * warnings, cut. Everything else that was written is removed from the records.
 */
#ifndef SOOTH_OS_LINUX_ERROR_OUTPUT_H
#define SOOTH_OS_LINUX_ERROR_OUTPUT_H

#include "base/buffer.h"
#include "base/map.h"

struct error_outputs {
	struct map writers; /* process_id -> the incomplete line that it has begun */
	struct buffer rebuilt;
};

void error_outputs_init(struct error_outputs *e);
void error_outputs_fini(struct error_outputs *e);
/* Takes the records in `out` from that byte on. */
void error_outputs_move_to(struct error_outputs *e, struct buffer *out, size_t from);

#endif
