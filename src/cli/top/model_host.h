/* SPDX-License-Identifier: BSD-2-Clause */
/* The host in a frame. */
#ifndef SOOTH_CLI_TOP_MODEL_HOST_H
#define SOOTH_CLI_TOP_MODEL_HOST_H

#include "cli/top/model.h"

/* Reads the rows about the host from the current frame. */
void top_host_read_rows(struct top_model *m);

#endif
