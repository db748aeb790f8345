/* SPDX-License-Identifier: BSD-2-Clause */
/* The host in a frame. */
#pragma once

#include "cli/top/model.h"

/* Reads the rows about the host from the current frame. */
void top_host_read_rows(struct top_model *m);
