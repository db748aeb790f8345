/* SPDX-License-Identifier: BSD-2-Clause */
/* Names for the peers of connections: the user's file, and /etc/hosts. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

struct labels {
	struct buffer path;  /* path of the user's file; empty: none */
	struct buffer rules; /* text of that file; empty: none */
	struct buffer hosts; /* text of /etc/hosts */
};

/* Reads the labels. A missing or unreadable file is no failure. */
int labels_read(struct labels *l, struct sooth_error *err);
/* Sets options of a view, which borrow the texts. */
struct sockets_options;
void labels_options(struct labels *l, struct sockets_options *out);
void labels_fini(struct labels *l);
