/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SOOTH_BASE_ERROR_REMEDY_H
#define SOOTH_BASE_ERROR_REMEDY_H

#include <stdbool.h>

/* What root that lacks a right, as in a container, has to do instead of being root. */
const char *error_remedy_of(const char *remedy, bool is_root);

#endif
