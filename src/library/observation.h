/* SPDX-License-Identifier: BSD-2-Clause */
/* An observer and a report, run for a fixed time: one call for the caller of the library. */
#ifndef SOOTH_LIBRARY_OBSERVATION_H
#define SOOTH_LIBRARY_OBSERVATION_H

#include <sooth/observer.h>
#include <sooth/report.h>
#include <sooth/table.h>

struct observation_probe {
	const char *name; /* NULL: the last one */
	unsigned interest;
};

struct observation {
	const char *name, *view;
	const void *view_options; /* NULL: defaults */
	const char *also_view;	  /* a second view; NULL: none */
	pid_t pid;		  /* 0: the host */
	const struct observation_probe *probes;
	struct sooth_observer_options options;
	uint64_t duration_ns;
	sooth_row_handler take; /* of observation_table() with the table as its user */
	void *user;
};

/* The caller's options (base/options.h). */
int observation_options(struct sooth_observer_options *out,
	const struct sooth_observer_options *options, struct sooth_error *err);
/* `status`, after the remedy has been put in words for the user of a program on the library. */
int observation_failed(int status, struct sooth_error *err);
/* -EINVAL: it cannot be one. `what` is what is done to the process. */
int observation_check_pid(pid_t pid, const char *what, struct sooth_error *err);
/* A table that `take` fills; NULL: it failed. `what` is what is done to the process. */
struct sooth_table *observation_table(
	struct observation *n, const char *what, struct sooth_error *err);
int observation_run(const struct observation *n, struct sooth_error *err);

#endif
