/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paths from the root without ".", ".." and empty parts, by their names alone: where the folder
 * before a ".." is a symbolic link, the kernel goes elsewhere.
 */
#ifndef SOOTH_BASE_PLAIN_PATH_H
#define SOOTH_BASE_PLAIN_PATH_H

#include "base/buffer.h"
#include "base/cursor.h"

/* Adds the parts of a path to one that is plain; the root is empty there. */
void plain_path_add(struct buffer *plain, struct span path);

#endif
