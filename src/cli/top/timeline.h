/* SPDX-License-Identifier: BSD-2-Clause */
/* The pane with what a session did since the screen began. */
#ifndef SOOTH_CLI_TOP_TIMELINE_H
#define SOOTH_CLI_TOP_TIMELINE_H

#include "cli/top/state.h"

/* Into the open pane, for its process. */
void top_timeline_write(struct top *t);

#endif
