/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "sockets". */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "model/row_list.h"
#include "probes/sockets.h"

extern const struct sooth_schema socket_schema;

/* Everything is borrowed until the report ends; NULL: none. */
struct sockets_options {
	const char *labels; /* the user's rules, in the format of peer_labels.h */
	size_t labels_size;
	const char *labels_name; /* file name for errors; NULL: "labels of peers" */
	const char *hosts;	 /* path of a file in the format of /etc/hosts */
	size_t hosts_size;
	/*
	 * Looks up the name of an address, called only if no rule says more than the port. False:
	 * no name. NULL: no lookups.
	 */
	bool (*resolve)(void *user, const char *address, char *name, size_t size);
	void *user;
};
