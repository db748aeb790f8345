/* SPDX-License-Identifier: BSD-2-Clause */
/* The members of struct os that launch a command (os/os.h), beside those of os/launch_pipe.h. */
#pragma once

#include <limits.h>

#include "os/os.h"

/* Finds the file of the command as the exec will. */
bool launch_find(const struct launch *launch, char path[PATH_MAX]);
int launch_start(
	const struct os *os, char *const *command, struct launch *launch, struct sooth_error *err);
bool launch_reap(const struct os *os, struct launch *launch);
