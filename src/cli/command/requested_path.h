/* SPDX-License-Identifier: BSD-2-Clause */
/* A path of the user's, as the kernel names it: absolute, and by its real name. */
#ifndef SOOTH_CLI_REQUESTED_PATH_H
#define SOOTH_CLI_REQUESTED_PATH_H

#include "base/error.h"

struct requested_path {
	char *path; /* absolute, without "." and ".."; NULL: none */
	char *real; /* with links resolved; NULL: the same, or missing */
};

/* asked NULL: no path. -EINVAL for an empty one. */
int requested_path_read(struct requested_path *p, const char *asked, struct sooth_error *err);
void requested_path_fini(struct requested_path *p);

#endif
