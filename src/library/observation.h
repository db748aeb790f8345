/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs an observer and a report for a fixed time, for functions of the library that block. */
#pragma once

#include <sooth/observer.h>
#include <sooth/report.h>
#include <sooth/table.h>

struct observation_probe {
	const char *name; /* NULL: end of the list */
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
	sooth_row_handler take; /* called by observation_table() with the table as `user` */
	void *user;
};

/* Copies the caller's options (base/options.h). */
int observation_options(struct sooth_observer_options *out,
	const struct sooth_observer_options *options, struct sooth_error *err);
/* Returns `status`. Rewrites the remedy for a user of a program that uses the library. */
int observation_failed(int status, struct sooth_error *err);
/* Returns -EINVAL if `pid` cannot be a PID. `what`: the action, for the error: "inspect". */
int observation_check_pid(pid_t pid, const char *what, struct sooth_error *err);
/* Returns a table that `take` fills; NULL: it failed. `what`: the action, for the error. */
struct sooth_table *observation_table(
	struct observation *n, const char *what, struct sooth_error *err);
int observation_run(const struct observation *n, struct sooth_error *err);
