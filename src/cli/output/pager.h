/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text longer than the terminal goes to the user's pager, which gets none of the privileges of
 * sooth.
 */
#ifndef SOOTH_CLI_PAGER_H
#define SOOTH_CLI_PAGER_H

#include "cli/output/output.h"

/* A report for people on the terminal of this process, which the user can also read from. */
bool pager_may_show(const struct output_options *o, FILE *stream);
/* By the pager, or by `stream` itself if the text fits or no pager runs. */
int pager_show(FILE *stream, const char *text, size_t size, struct sooth_error *err);

#endif
