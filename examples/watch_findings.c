/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process under watch: a line when something goes wrong with it and when that is over, until the
 * process has ended.
 *
 *   cc watch_findings.c $(pkg-config --cflags --libs sooth) -o watch_findings
 *   ./watch_findings PID [SECONDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sooth/sooth.h>

#define NS_PER_S 1000000000ull

static int has(const struct sooth_table *table, const struct sooth_row *finding)
{
	const char *id = sooth_row_text(finding, "id"), *pid = sooth_row_text(finding, "pid");

	for (const struct sooth_row *f = NULL; (f = sooth_table_next(table, f));) {
		if (!strcmp(sooth_row_text(f, "id"), id) && !strcmp(sooth_row_text(f, "pid"), pid))
			return 1;
	}
	return 0;
}

/* Those of one table that the other has not. */
static void print_others(
	const char *what, const struct sooth_table *table, const struct sooth_table *other)
{
	for (const struct sooth_row *f = NULL; (f = sooth_table_next(table, f));) {
		if (!has(other, f))
			printf("%s %s %s: %s\n", what, sooth_row_text(f, "severity"),
				sooth_row_text(f, "id"), sooth_row_text(f, "claim"));
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct sooth_diagnose_options options = { .size = sizeof(options) };
	struct sooth_table *before = NULL, *now;
	struct sooth_error err;

	if (argc < 2) {
		fprintf(stderr, "usage: watch_findings PID [SECONDS]\n");
		return 2;
	}
	options.duration_ns = (argc > 2 ? strtoull(argv[2], NULL, 10) : 0) * NS_PER_S;
	while ((now = sooth_diagnose(atoi(argv[1]), &options, &err))) {
		print_others("raised", now, before);
		print_others("cleared", before, now);
		sooth_table_free(before);
		before = now;
	}
	sooth_table_free(before);
	if (err.fault == SOOTH_FAULT_NOT_FOUND)
		return EXIT_SUCCESS; /* it has ended */
	fprintf(stderr, "cannot %s: %s\n%s\n", err.tried, err.why, err.remedy);
	return EXIT_FAILURE;
}
