/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SOOTH_BASE_ERROR_REMEDY_H
#define SOOTH_BASE_ERROR_REMEDY_H

#include <stdbool.h>
#include <stddef.h>

#define ERROR_REMEDY_SIZE 512

/*
 * The remedy for root. Its alternatives are separated by "; " or ", or ": those that consist in
 * being root ("run sooth as root") are left out, as root that lacks a right, in a container or a
 * PID namespace, gains nothing by them. A command for root ("as root: sysctl ...") loses only these
 * two words. Returns `remedy` or `out`.
 */
const char *error_remedy_of(char *out, size_t room, const char *remedy, bool is_root);

#endif
