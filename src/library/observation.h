/* SPDX-License-Identifier: BSD-2-Clause */
/* An observer and a report, run for a fixed time: one call for the caller of the library. */
#ifndef SOOTH_LIBRARY_OBSERVATION_H
#define SOOTH_LIBRARY_OBSERVATION_H

#include <sooth/observer.h>
#include <sooth/report.h>

struct observation_probe {
	const char *name; /* NULL: the last one */
	unsigned interest;
};

struct observation {
	const char *name, *view;
	pid_t pid; /* 0: the host */
	const struct observation_probe *probes;
	struct sooth_observer_options options;
	uint64_t duration_ns;
	sooth_row_handler take;
	void *user;
};

/* The caller's options, as far as they are known here; NULL: defaults. */
void observation_options(
	struct sooth_observer_options *out, const struct sooth_observer_options *options);
int observation_run(const struct observation *n, struct sooth_error *err);

#endif
