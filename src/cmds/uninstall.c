/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth uninstall: removes this program where it is one file that a user has installed. Files of a
 * package belong to its manager. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command/command.h"
#include "cli/state/preload_file.h"

static int refuse_removal(struct sooth_error *err, const char *why, const char *remedy)
{
	error_set(err, -ENOTSUP, SOOTH_FAULT_UNSUPPORTED, "remove this sooth");
	error_why(err, "%s", why);
	return error_remedy(err, "%s", remedy);
}

/* Finds the file, and refuses one of a package. */
static int find_program(char path[PATH_MAX], struct sooth_error *err)
{
	ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (size <= 0)
		return error_errno(err, size ? -errno : -ENOENT, "find the program's own file");
	path[size] = '\0';
	if (!preload_file_is_inside())
		return refuse_removal(err, "it was not installed by install.sh",
			"use what installed it: `apt remove sooth`, or `ninja -C build uninstall`");
	if (strstr(path, "/node_modules/"))
		return refuse_removal(err, "it belongs to a package of npm",
			"npm uninstall sooth (with -g if it was installed so)");
	if (strstr(path, "/site-packages/") || strstr(path, "/dist-packages/"))
		return refuse_removal(err, "it belongs to a Python package", "pip uninstall sooth");
	return 0;
}

static int run_uninstall(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	char path[PATH_MAX], library[PATH_MAX];
	int status;

	(void)config;
	if (arguments->count || arguments->command) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "uninstall another program");
		return error_why(err, "uninstall removes only the sooth that runs it");
	}
	status = find_program(path, err);
	if (status)
		return status;
	if (unlink(path)) {
		error_errno(err, -errno, "remove %s", path);
		return error_remedy(err, "sooth uninstall, as its owner");
	}
	preload_file_remove(library);
	printf("removed %s\n", path);
	if (library[0])
		printf("removed %s\n", library);
	printf("kept: your captures, settings, and what `sooth monitor` recorded\n");
	return 0;
}

const struct command command_uninstall = {
	.name = "uninstall",
	.summary = "remove the sooth that install.sh has installed",
	.usage = "",
	.about = "Removes this program if it is the one file that install.sh has installed, and\n"
		 "the library that it keeps in the cache of the user. Captures, settings and\n"
		 "recordings of the monitor stay.",
	.run = run_uninstall,
};
