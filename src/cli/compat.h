/* SPDX-License-Identifier: BSD-2-Clause */
/* An older tool that sooth replaces: under its name the program takes that tool's own options. */
#ifndef SOOTH_CLI_COMPAT_H
#define SOOTH_CLI_COMPAT_H

struct compat {
	/* name: as it was called; argv[0] stays. Returns the exit status. */
	int (*run)(const char *name, int argc, char **argv);
};

/* By how the program was called, with or without folders; NULL: as itself. *name points into it. */
const struct compat *compat_find(const char *called, const char **name);

#endif
