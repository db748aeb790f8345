/* SPDX-License-Identifier: BSD-2-Clause */
/* What a timeline's picture shows as numbers, for the script in it. */
#ifndef SOOTH_SINKS_TIMELINE_DATA_H
#define SOOTH_SINKS_TIMELINE_DATA_H

#include "sinks/timeline_layout.h"

/* False: out of memory. */
bool timeline_data_put(struct buffer *out, const struct timeline_layout *l);

#endif
