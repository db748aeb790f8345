/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for the other end of a connection: by rules of the user, by built-in ones
 * (peers.def), by /etc/hosts. Nothing is asked of anybody.
 *
 * A rule of the user is a line:
 *
 *   ADDRESS[/PREFIX][:PORT] LABEL     10.1.0.0/16:5432 orders database
 *   [ADDRESS[/PREFIX]][:PORT] LABEL   [2001:db8::/32]:443 our API
 *   *:PORT LABEL                      *:9999 test server
 *   loopback[:PORT], private[:PORT]   private:8080 the proxy
 *
 * Behind # is a comment. An address of version 6 may stand without brackets when no port
 * follows.
 */
#ifndef SOOTH_ANALYZE_PEER_LABELS_H
#define SOOTH_ANALYZE_PEER_LABELS_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/cursor.h"
#include "base/error.h"

/* How much a label says. */
enum peer_label_strength {
	PEER_LABEL_NONE,
	PEER_LABEL_PORT,    /* what such a port is for, wherever it is */
	PEER_LABEL_HOST,    /* a name from /etc/hosts */
	PEER_LABEL_SERVICE, /* a known address, or a port at an address where it means that */
	PEER_LABEL_USER,
};

struct peer_labels {
	struct buffer rules;
	struct buffer texts;
};

/* With the built-in rules. */
void peer_labels_init(struct peer_labels *l);
void peer_labels_fini(struct peer_labels *l);
/* The rules that a view's options name, NULL: none. */
struct sockets_options;
int peer_labels_load(
	struct peer_labels *l, const struct sockets_options *options, struct sooth_error *err);
/* The user's rules; `name` is the file's, for errors, which say the line. All or nothing. */
int peer_labels_parse(struct peer_labels *l, const char *name, const char *text, size_t size,
	struct sooth_error *err);
/* A file of the format of hosts(5). As the system does, lines that are none are passed over. */
int peer_labels_hosts(
	struct peer_labels *l, const char *text, size_t size, struct sooth_error *err);

/* An address of version 4 as mapped into 6. False when the text (which may end with %interface)
 * is no address. */
bool peer_address(unsigned char out[16], struct span text);
/* "10.0.0.2:443", "[::1]:443": the address and the port apart; false: it is neither. */
bool peer_split(const char *text, unsigned char address[16], unsigned *port);
/* The best label of an end; borrowed. */
enum peer_label_strength peer_labels_find(const struct peer_labels *l,
	const unsigned char address[16], unsigned port, struct span *label);

#endif
