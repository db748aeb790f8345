/* SPDX-License-Identifier: BSD-2-Clause */
/* The effects of system calls on descriptors, which the row of the call names. */
#ifndef SOOTH_ANALYZE_FD_EFFECTS_H
#define SOOTH_ANALYZE_FD_EFFECTS_H

#include "analyze/calls/fd_follow.h"

/* Takes any record. A call must be reported first, because its arguments refer to the state before
 * it. */
void fd_follow_add_record(struct fd_follow *f, const struct sooth_record *r);

#endif
