/* SPDX-License-Identifier: BSD-2-Clause */
/* What every backend says the same way: what it lost and what it could not see. */
#include "core/backend.h"

#include <stdio.h>
#include <string.h>

#include "os/os.h"

void backend_loss(struct backend_run *run, uint64_t records, uint64_t bytes, const char *reason)
{
	struct stream_loss loss = {
		.record = { .time_ns = run->os->now_ns(run->os),
			.kind = STREAM_LOSS,
			.cpu = SOOTH_CPU_NONE },
		.from_ns = run->told_ns,
		.records = records,
		.bytes = bytes,
	};
	struct record_tail tail[] = {
		{ &loss.source, run->backend->probe, strlen(run->backend->probe) },
		{ &loss.reason, reason, strlen(reason) },
	};

	RECORD_APPEND(&run->out, &loss, tail, 2);
	run->told_ns = loss.record.time_ns;
}

void backend_limit(
	struct backend_run *run, const char *what, const char *reason, const char *remedy)
{
	struct stream_limit limit = {
		.record = { .time_ns = run->os->now_ns(run->os),
			.kind = STREAM_LIMIT,
			.cpu = SOOTH_CPU_NONE },
	};
	struct record_tail tail[] = {
		{ &limit.what, what, strlen(what) },
		{ &limit.reason, reason, strlen(reason) },
		{ &limit.remedy, remedy, strlen(remedy) },
	};

	RECORD_APPEND(&run->out, &limit, tail, 3);
}

void backend_limit_error(struct backend_run *run, const char *what, const struct sooth_error *err)
{
	char reason[512];

	snprintf(reason, sizeof(reason), "%s: %s", err->tried, err->why);
	backend_limit(run, what, reason, err->remedy);
}
