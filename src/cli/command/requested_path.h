/* SPDX-License-Identifier: BSD-2-Clause */
/* A path that the user names, as the kernel names it: from the root, and by its real name. */
#ifndef SOOTH_CLI_REQUESTED_PATH_H
#define SOOTH_CLI_REQUESTED_PATH_H

#include "base/error.h"

struct requested_path {
	char *path; /* from the root, without "." and ".."; NULL: none was named */
	char *real; /* what it is when links are followed; NULL: the same, or not there */
};

/* asked NULL: nothing is. -EINVAL for an empty one. */
int requested_path_read(struct requested_path *p, const char *asked, struct sooth_error *err);
void requested_path_fini(struct requested_path *p);

#endif
