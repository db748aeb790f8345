/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The findings of a process, in fifteen lines.
 *
 *   cc what_is_wrong.c $(pkg-config --cflags --libs sooth) -o what_is_wrong && ./what_is_wrong PID
 */
#include <stdio.h>
#include <stdlib.h>
#include <sooth/sooth.h>

int main(int argc, char **argv)
{
	struct sooth_error err;
	struct sooth_table *findings = sooth_diagnose(argc > 1 ? atoi(argv[1]) : 0, NULL, &err);
	if (!findings)
		fprintf(stderr, "cannot %s: %s\n", err.tried, err.why);
	for (const struct sooth_row *f = NULL; (f = sooth_table_next(findings, f));)
		printf("%s: %s\n", sooth_row_text(f, "id"), sooth_row_text(f, "claim"));
	sooth_table_free(findings);
	return !findings;
}
