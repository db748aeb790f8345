/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks and reports that all backends share: whether they are available here, what they lost and
 * what they could not see. */
#include "collect/backend.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error_remedy.h"
#include "os/os.h"

int backend_test_needs(const struct backend *backend, const struct os *os, struct sooth_error *err)
{
	int status = 0;

	assert(backend);
	for (size_t i = 0; backend->needs && backend->needs[i] && !status; i++)
		status = backend->needs[i]->test(os, err);
	return status;
}

struct backend_mode backend_mode_of(const struct backend *b, const struct probe_options *options)
{
	for (const struct backend_mode *m = b->modes; m && m->name; m++) {
		if (m->is_on(options))
			return *m;
	}
	return backend_default_mode(b);
}

void backend_loss_of(struct backend_run *run, const char *source, uint64_t records, uint64_t bytes,
	const char *reason)
{
	assert(run);

	struct stream_loss loss = {
		.record = { .time_ns = run->os->now_ns(run->os),
			.kind = STREAM_LOSS,
			.cpu = SOOTH_CPU_NONE },
		.from_ns = run->reported_ns,
		.records = records,
		.bytes = bytes,
	};
	struct record_tail tail[] = {
		{ &loss.source, source, strlen(source) },
		{ &loss.reason, reason, strlen(reason) },
	};

	RECORD_APPEND(&run->out, &loss, tail, 2);
	run->reported_ns = loss.record.time_ns;
}

void backend_loss(struct backend_run *run, uint64_t records, uint64_t bytes, const char *reason)
{
	assert(run);
	backend_loss_of(run, run->backend->probe, records, bytes, reason);
}

void backend_limit(
	struct backend_run *run, const char *what, const char *reason, const char *remedy)
{
	assert(run);

	struct stream_limit limit = {
		.record = { .time_ns = run->os->now_ns(run->os),
			.kind = STREAM_LIMIT,
			.cpu = SOOTH_CPU_NONE },
	};
	char text[ERROR_REMEDY_SIZE];
	const char *here = error_remedy_of(text, sizeof(text), remedy, !geteuid());
	struct record_tail tail[] = {
		{ &limit.what, what, strlen(what) },
		{ &limit.reason, reason, strlen(reason) },
		{ &limit.remedy, here, strlen(here) },
	};

	RECORD_APPEND(&run->out, &limit, tail, 3);
}

void backend_limit_error(struct backend_run *run, const char *what, const struct sooth_error *err)
{
	char reason[512];

	snprintf(reason, sizeof(reason), "%s: %s", err->tried, err->why);
	backend_limit(run, what, reason, err->remedy);
}
