/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The open files of a process; or another table of `sooth inspect`, as JSON.
 *
 *   cc open_files.c $(pkg-config --cflags --libs sooth) -o open_files && ./open_files PID [TABLE]
 */
#include <stdio.h>
#include <stdlib.h>
#include <sooth/sooth.h>

int main(int argc, char **argv)
{
	struct sooth_error err;
	struct sooth_table *t =
		sooth_inspect(argc > 1 ? atoi(argv[1]) : 0, argc > 2 ? argv[2] : "fds", NULL, &err);
	char *json;

	if (!t) {
		fprintf(stderr, "cannot %s: %s\n%s\n", err.tried, err.why, err.remedy);
		return EXIT_FAILURE;
	}
	for (const struct sooth_row *f = NULL; argc < 3 && (f = sooth_table_next(t, f));)
		printf("%s %s %s\n", sooth_row_text(f, "fd"), sooth_row_text(f, "kind"),
			sooth_row_text(f, "path"));
	if (argc > 2 && (json = sooth_table_json(t))) {
		puts(json);
		free(json);
	}
	sooth_table_free(t);
	return EXIT_SUCCESS;
}
