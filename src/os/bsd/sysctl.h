/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads values of the system by name, with sysctlbyname(3) of both systems. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct bsd_sysctl {
	/* Returns 0, or a negative errno; a test returns recorded answers. */
	int (*read)(const struct bsd_sysctl *c, const char *name, void *out, size_t *size);
	void *user;
};

/* Returns a number of 4 or 8 bytes; 0: there is none. */
uint64_t bsd_sysctl_number(const struct bsd_sysctl *c, const char *name);
/* Writes a text; "": there is none. */
void bsd_sysctl_text(const struct bsd_sysctl *c, const char *name, char *out, size_t room);
