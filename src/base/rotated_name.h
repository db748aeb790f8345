/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that log rotation gives: "app.log.1", "app.log-20251126", "app.log.old". */
#ifndef SOOTH_BASE_ROTATED_NAME_H
#define SOOTH_BASE_ROTATED_NAME_H

#include "base/cursor.h"

/* The size of the name before the rotation, "app.log"; 0: it is no such name. */
size_t rotated_name_base(struct span path);

#endif
