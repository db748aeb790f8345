/* SPDX-License-Identifier: BSD-2-Clause */
/* The effects of system calls on descriptors, as the row of the call names them. */
#ifndef SOOTH_ANALYZE_FD_EFFECTS_H
#define SOOTH_ANALYZE_FD_EFFECTS_H

#include "analyze/calls/fd_follow.h"

/* Takes any record. A call is taken after it was reported: its arguments refer to the state before
 * the call. */
void fd_follow_add_record(struct fd_follow *f, const struct sooth_record *r);

#endif
