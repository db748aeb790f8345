/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for the peer of a connection: from the user's rules, built-in ones (peers.def) and
 * /etc/hosts. No network request is made.
 *
 * A rule of the user is a line:
 *
 *   ADDRESS[/PREFIX][:PORT] LABEL        10.1.0.0/16:5432 orders database
 *   [ADDRESS[/PREFIX]][:PORT] LABEL      [2001:db8::/32]:443 our API
 *   *:PORT LABEL                         *:9999 test server
 *   loopback[:PORT], private[:PORT]      private:8080 the proxy
 *
 * A comment follows #. An IPv6 address needs no brackets if no port follows.
 */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"
#include "base/cursor.h"
#include "base/error.h"

/* How specific a label is. */
enum peer_label_strength {
	PEER_LABEL_NONE,
	PEER_LABEL_PORT,    /* the usual service of the port, at any address */
	PEER_LABEL_HOST,    /* a name from /etc/hosts */
	PEER_LABEL_SERVICE, /* a known address, or a known port at a known address */
	PEER_LABEL_USER,
};

struct peer_labels {
	struct buffer rules;
	struct buffer texts;
};

/* Initializes the labels with the built-in rules. */
void peer_labels_init(struct peer_labels *l);
void peer_labels_fini(struct peer_labels *l);
/* Adds the rules that a view's options name; NULL: none. */
struct sockets_options;
int peer_labels_load(
	struct peer_labels *l, const struct sockets_options *options, struct sooth_error *err);
/*
 * Parses the user's rules; error messages have `name` (of the file) and the line. After an error no
 * rule is added.
 */
int peer_labels_parse(struct peer_labels *l, const char *name, const char *text, size_t size,
	struct sooth_error *err);
/* Reads a file in the format of hosts(5). Invalid lines are skipped, as the system does. */
int peer_labels_hosts(
	struct peer_labels *l, const char *text, size_t size, struct sooth_error *err);

/*
 * An IPv4 address is mapped into IPv6. False if the text (which may end with %interface) is no
 * address.
 */
bool peer_address(unsigned char out[16], struct span text);
bool peer_is_loopback(const unsigned char address[16]);
/* Splits "10.0.0.2:443" or "[::1]:443" into address and port; false: it is neither. */
bool peer_split(const char *text, unsigned char address[16], unsigned *port);
/* Returns the best label of an address; borrowed. */
enum peer_label_strength peer_labels_find(const struct peer_labels *l,
	const unsigned char address[16], unsigned port, struct span *label);
