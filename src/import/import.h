/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of other tools that are read like captures. Such a file is converted, when it is opened,
 * into a capture without a name, so that all that reads captures reads it.
 */
#ifndef SOOTH_IMPORT_IMPORT_H
#define SOOTH_IMPORT_IMPORT_H

#include "capture/capture_file.h"

/* As capture_file_open(), of captures and of these. */
int import_open(struct capture_file *f, const char *path, struct sooth_error *err);

#endif
