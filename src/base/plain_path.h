/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paths from the root without ".", ".." and empty parts. Only the names count: if the folder before
 * a ".." is a symbolic link, the kernel would go to another folder.
 */
#pragma once

#include "base/buffer.h"
#include "base/cursor.h"

/* Adds the parts of a path to a plain one. The root is an empty text. */
void plain_path_add(struct buffer *plain, struct span path);
