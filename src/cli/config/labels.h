/* SPDX-License-Identifier: BSD-2-Clause */
/* The user's names for peers of connections, and those of the host. */
#ifndef SOOTH_CLI_CONFIG_LABELS_H
#define SOOTH_CLI_CONFIG_LABELS_H

#include "base/buffer.h"
#include "base/error.h"

struct labels {
	struct buffer path;  /* path of the user's file; empty: none */
	struct buffer rules; /* its text; empty: none */
	struct buffer hosts; /* of /etc/hosts */
};

/* A file that is missing, or closed to the caller, is no failure. */
int labels_read(struct labels *l, struct sooth_error *err);
/* As options of a view; borrowed. */
struct sockets_options;
void labels_options(struct labels *l, struct sockets_options *out);
void labels_fini(struct labels *l);

#endif
