/* SPDX-License-Identifier: BSD-2-Clause */
/* The last error in the file that standard error goes to: what the command wrote there. */
#ifndef SOOTH_CLI_SUPERVISE_ERROR_FILE_H
#define SOOTH_CLI_SUPERVISE_ERROR_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buffer.h"

struct error_file {
	bool is_file; /* standard error is a regular file */
	off_t from;   /* its size before the command ran */
};

void error_file_begin(struct error_file *f);
/* Appends the last error since then, with secrets masked; nothing if there is none. Returns whether
 * the file was read. */
bool error_file_read(const struct error_file *f, struct buffer *out);

#endif
