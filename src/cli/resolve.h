/* SPDX-License-Identifier: BSD-2-Clause */
/* Resolves names of addresses by the system's resolver (which may use DNS). A separate thread
 * resolves one address at a time; all queries share one timeout, which limits the cost of a name
 * server that does not answer. Answers are cached. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct resolver;

int resolver_new(struct resolver **out, unsigned total_ms, struct sooth_error *err);
/* Returns the name of an address, as a callback for sockets_options.resolve: the user is the
 * resolver. */
bool resolver_name(void *resolver, const char *address, char *name, size_t size);
/* Returns the number of addresses that were not resolved in time. */
unsigned resolver_unanswered(const struct resolver *r);
/* Frees the resolver. A pending query finishes by itself. */
void resolver_free(struct resolver *r);
