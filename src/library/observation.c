/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs an observer for a fixed time. */
#include "library/observation.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/options.h"
#include "library/table.h"

#define NS_PER_S  1000000000ull
#define NS_PER_MS 1000000ull
#define STEP_MS	  100

int observation_options(struct sooth_observer_options *out,
	const struct sooth_observer_options *options, struct sooth_error *err)
{
	int status = options_copy(out, sizeof(*out), options, err);

	out->size = sizeof(*out);
	return status;
}

static void replace_text(char *text, size_t size, const char *old, const char *new)
{
	char *found = strstr(text, old);
	char rest[256];

	if (!found)
		return;
	snprintf(rest, sizeof(rest), "%s", found + strlen(old));
	snprintf(found, size - (size_t)(found - text), "%s%s", new, rest);
}

int observation_failed(int status, struct sooth_error *err)
{
	replace_text(
		err->why, sizeof(err->why), "sooth does not have", "this process does not have");
	replace_text(err->remedy, sizeof(err->remedy), "run sooth", "run this program");
	replace_text(err->remedy, sizeof(err->remedy), "\"$(command -v sooth)\"", "PROGRAM");
	replace_text(
		err->remedy, sizeof(err->remedy), "--preload-library FILE", "heap.preload_path");
	replace_text(err->remedy, sizeof(err->remedy), "--engine bpf", "SOOTH_ENGINE_BPF");
	return status;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static int step_ms(uint64_t left_ns)
{
	uint64_t ms = (left_ns + NS_PER_MS - 1) / NS_PER_MS;

	return ms > STEP_MS ? STEP_MS : (int)ms;
}

/* Runs the observer for the duration. A signal does not end it: signals belong to the caller. */
static int observe_for(struct sooth_observer *o, uint64_t duration_ns, struct sooth_error *err)
{
	uint64_t end = now_ns() + duration_ns, now;
	int status = 1;

	while ((status > 0 || status == -EINTR) && (now = now_ns()) < end)
		status = sooth_observer_step(o, step_ms(end - now), err);
	if (status < 0 && status != -EINTR)
		return status;
	return sooth_observer_stop(o, SOOTH_END_DURATION, err);
}

static int prepare_observation(const struct observation *n, struct sooth_observer *o,
	struct sooth_report *r, struct sooth_error *err)
{
	int status = sooth_report_add_view(r, n->view, n->view_options, err);

	if (!status && n->also_view)
		status = sooth_report_add_view(r, n->also_view, NULL, err);
	if (!status)
		status = sooth_report_on_row(r, n->take, n->user, err);
	if (!status)
		status = n->pid ? sooth_observer_add_pid(o, n->pid, err)
				: sooth_observer_set_host(o, err);
	for (const struct observation_probe *p = n->probes; p->name && !status; p++)
		status = sooth_observer_add_probe(o, p->name, p->interest, err);
	return status ? status : sooth_observer_connect_report(o, r, err);
}

int observation_run(const struct observation *n, struct sooth_error *err)
{
	ERROR_HERE(err);
	struct sooth_observer *o = NULL;
	struct sooth_report *r = NULL;
	int status = sooth_report_new(&r, n->name, err);

	if (!status)
		status = sooth_observer_new(&o, &n->options, err);
	if (!status)
		status = prepare_observation(n, o, r, err);
	if (!status)
		status = sooth_observer_start(o, err);
	if (!status)
		status = observe_for(o, n->duration_ns, err);
	if (!status)
		status = sooth_report_finish(r, err);
	sooth_observer_free(o);
	sooth_report_free(r);
	return status ? observation_failed(status, err) : 0;
}

int observation_check_pid(pid_t pid, const char *what, struct sooth_error *err)
{
	if (pid > 0)
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "%s process %d", what, (int)pid);
	error_why(err, "a PID is 1 or more");
	return error_remedy(err, "sooth_agents() has the PIDs of agents");
}

struct sooth_table *observation_table(
	struct observation *n, const char *what, struct sooth_error *err)
{
	ERROR_HERE(err);
	struct sooth_table *table;

	if (observation_check_pid(n->pid, what, err))
		return NULL;
	table = table_new(err);
	n->user = table;
	if (table && observation_run(n, err)) {
		sooth_table_free(table);
		return NULL;
	}
	return table;
}
