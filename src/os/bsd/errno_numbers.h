/* SPDX-License-Identifier: BSD-2-Clause */
/* Converts errno values of FreeBSD and macOS to the numbers of Linux, which all captures have. */
#pragma once

#include <stdint.h>

#define BSD_ERRNO_OWN 1000 /* added where Linux has no such error */

uint32_t errno_from_freebsd(uint32_t number);
uint32_t errno_from_darwin(uint32_t number);
