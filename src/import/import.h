/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of other tools that are read like captures. sooth converts such a file, when it opens it,
 * into a capture without a name, so that every reader of captures can read it.
 */
#pragma once

#include "capture/capture_file.h"

#define IMPORT_BEGIN_SIZE 6

/* Returns whether a file with these first bytes, IMPORT_BEGIN_SIZE of them, is converted. */
bool import_accepts(const void *begin);
/* Does the same as capture_file_open(), for captures and for these files. */
int import_open(struct capture_file *f, const char *path, struct sooth_error *err);
