/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define ERROR_REMEDY_SIZE 512

/* Returns the remedy as it fits the user: `remedy` itself, or a text in `out` for root. Root that
 * lacks a right, in a container or a PID namespace, gains nothing by being root. So alternatives
 * (separated by "; " or ", or ") that only ask for root ("run sooth as root") are left out, and a
 * command ("as root: sysctl ...") loses only the words "as root". */
const char *error_remedy_of(char *out, size_t room, const char *remedy, bool is_root);
