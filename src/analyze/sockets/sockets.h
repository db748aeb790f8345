/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "sockets". */
#ifndef SOOTH_ANALYZE_SOCKETS_H
#define SOOTH_ANALYZE_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

/* All of it is borrowed until the report ends; NULL: none. */
struct sockets_options {
	const char *labels; /* a user's rules, see peer_labels.h */
	size_t labels_size;
	const char *labels_name; /* of that file, for errors; NULL: "labels of peers" */
	const char *hosts;	 /* of the format of /etc/hosts */
	size_t hosts_size;
	/* The name of an address, asked only where no rule says more than what a port is for.
	 * False: there is none. NULL: nobody is asked. */
	bool (*resolve)(void *user, const char *address, char *name, size_t size);
	void *user;
};

#endif
