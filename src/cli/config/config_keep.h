/* SPDX-License-Identifier: BSD-2-Clause */
/* Saves a choice to a settings file; other lines stay as the user wrote them. */
#pragma once

#include "base/error.h"

/* Replaces the line of that name by NAME = VALUE, or appends it. Value NULL removes the line. A
 * missing file is made, with its folder. -errno. */
int config_save(const char *path, const char *name, const char *value, struct sooth_error *err);
