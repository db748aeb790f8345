/* SPDX-License-Identifier: BSD-2-Clause */
/* The kind of most open descriptors of a process: one file, connections to one peer, a type. */
#ifndef SOOTH_ANALYZE_FD_MOST_H
#define SOOTH_ANALYZE_FD_MOST_H

#include "analyze/diagnosis/check.h"

/* Appends "249 of them /srv/old-shop.conf" or "118 of them connections to 10.0.0.1:443"; false:
 * no kind has half of the descriptors. */
bool fd_most_put(struct buffer *out, const struct check *e);

#endif
