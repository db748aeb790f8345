/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A launcher does nothing itself: of a shell, npm, timeout or an init of a container, a user wants
 * to know what is wrong with what it started.
 */
#ifndef SOOTH_CLI_DIAGNOSING_TREE_H
#define SOOTH_CLI_DIAGNOSING_TREE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"

/* `pids` has one process (uint32_t): if that is a launcher, appends what runs below it, the caller
 * excepted. Returns whether there was any, or a negative errno. */
int diagnosing_add_tree(struct buffer *pids, struct sooth_error *err);

#endif
