/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of addresses, asked of the system (which may ask DNS). A thread of its own asks,
 * one address at a time; all questions together have a time, so that a name server that
 * does not answer costs that much and no more. What was asked once is remembered.
 */
#ifndef SOOTH_CLI_RESOLVE_H
#define SOOTH_CLI_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct resolver;

int resolver_new(struct resolver **out, unsigned total_ms, struct sooth_error *err);
/* As sockets_options.resolve wants it: the user is the resolver. */
bool resolver_name(void *resolver, const char *address, char *name, size_t size);
/* Addresses whose names did not come in time. */
unsigned resolver_unanswered(const struct resolver *r);
/* A question that is still under way is left to itself. */
void resolver_free(struct resolver *r);

#endif
