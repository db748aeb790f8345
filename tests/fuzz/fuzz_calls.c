/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The input is records of calls, with what they point to, among readings of descriptors and
 * sockets and the lives of processes. Whatever they say, the stream of calls, the sums of what they
 * did and the findings come to an end, are JSON where they ought to be, and hold nothing that a
 * terminal obeys.
 */
#include <string.h>

#include "../unit/json_check.h"
#include "analyze/calls/operations.h"
#include "analyze/calls/syscall_stream.h"
#include "explain/report.h"
#include "fuzz.h"
#include "model/stream_records.h"
#include "probes/fds.h"
#include "probes/proc.h"
#include "probes/sockets.h"
#include "probes/syscalls.h"

static bool is_of_calls(uint16_t kind)
{
	switch (kind) {
	case SYSCALLS_CALL:
	case FDS_DESCRIPTOR:
	case FDS_PROCESS:
	case SOCKETS_SOCKET:
	case SOCKETS_PROCESS:
	case PROC_PROCESS:
	case PROCESS_JOIN:
	case PROCESS_EXEC:
	case PROCESS_LEAVE:
	case STREAM_BEGIN:
	case STREAM_TICK:
	case STREAM_END:
		return true;
	default:
		return false;
	}
}

/* Those of the input, one behind the other. */
static void collect(struct buffer *out, const uint8_t *data, size_t size)
{
	for (size_t at = 0; size - at >= sizeof(struct sooth_record);) {
		struct sooth_record head;

		memcpy(&head, data + at, sizeof(head));
		if (!is_of_calls(head.kind) || !sooth_record_check(&head, size - at)) {
			at++;
			continue;
		}
		buffer_append(out, data + at, record_bytes(&head));
		at += record_bytes(&head);
	}
}

/* For the findings: that calls were observed, and of whom. */
static void begin_as_observed(struct buffer *out)
{
	struct stream_target target = { .record = { .kind = STREAM_TARGET } };
	struct stream_source source = { .record = { .kind = STREAM_SOURCE } };
	struct stream_begin begin = { .record = { .kind = STREAM_BEGIN, .time_ns = 1 } };
	struct record_tail selector[] = { { &target.selector, "pid", 3 } };
	struct record_tail probe[] = { { &source.probe, "syscalls", 8 } };

	RECORD_APPEND(out, &target, selector, 1);
	RECORD_APPEND(out, &source, probe, 1);
	RECORD_APPEND(out, &begin, NULL, 0);
}

static void check_text(const char *format, const char *text, size_t size)
{
	if (!strcmp(format, "json"))
		CHECK(json_check(text, size, 1));
	/* Pictures have scripts in them, which are indented. */
	for (size_t i = 0; i < size; i++)
		CHECK((unsigned char)text[i] >= ' ' || text[i] == '\n' ||
			(text[i] == '\t' && !strcmp(format, "flamegraph")));
}

static void explain(const struct buffer *records, const char *view, const void *view_options,
	const char *format)
{
	struct sooth_sink_options options = { .size = sizeof(options) };
	struct block block = { .header = { .type = BLOCK_RECORDS },
		.batch = { records->data, records->size } };
	struct sooth_report *r;
	struct sooth_error err;
	char *text = NULL;
	size_t size = 0;

	options.stream = open_memstream(&text, &size);
	CHECK(options.stream);
	CHECK(!sooth_report_new(&r, "trace", &err));
	CHECK(!sooth_report_add_sink(r, format, &options, &err));
	CHECK(!sooth_report_add_view(r, view, view_options, &err));
	CHECK(!report_block(r, &block, &err));
	CHECK(!sooth_report_finish(r, &err));
	sooth_report_free(r);
	fclose(options.stream);
	check_text(format, text, size);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct syscall_stream_options below = { .path = "/tmp", .is_host = true };
	static const struct operations_options by_process = { .by_process = true };
	struct buffer records = { 0 }, observed = { 0 };

	collect(&records, data, size);
	if (records.size) {
		begin_as_observed(&observed);
		buffer_append(&observed, records.data, records.size);
		explain(&observed, "findings", NULL, "table");
		explain(&observed, "findings", NULL, "json");
		explain(&records, "syscall-stream", NULL, "table");
		explain(&records, "api-calls", NULL, "json");
		explain(&records, "syscall-stream", NULL, "json");
		explain(&records, "syscall-stream", &below, "jsonl");
		explain(&records, "syscall-folded", NULL, "folded");
		explain(&records, "syscall-folded", NULL, "flamegraph");
		explain(&records, "operations", NULL, "table");
		explain(&records, "operations", &by_process, "json");
	}
	buffer_fini(&records);
	buffer_fini(&observed);
	return 0;
}
