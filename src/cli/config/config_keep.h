/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeping a choice in a file of settings: its other lines stay as the user wrote them. */
#ifndef SOOTH_CLI_CONFIG_CONFIG_KEEP_H
#define SOOTH_CLI_CONFIG_CONFIG_KEEP_H

#include "base/error.h"

/* NAME = VALUE in the place of the line of that name, else at the end. NULL as value: without that
 * line. A missing file is made, with its folder. -errno. */
int config_save(const char *path, const char *name, const char *value, struct sooth_error *err);

#endif
