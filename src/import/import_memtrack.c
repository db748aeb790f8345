/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The artifact of memtrack: events of allocators in zstd frames, or lines of JSON. The artifact has
 * no forks, execs and stacks, and no start times of processes.
 */
#include <errno.h>
#include <inttypes.h>
#include <sooth/field.h>
#include <string.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "import/import_state.h"
#include "import/memtrack_event.h"
#include "model/stream_records.h"
#include "probes/heap.h"

/* Writes a block if there are enough records, or if it is the last. */
static int import_write(struct import *i, bool is_last, struct sooth_error *err)
{
	struct block block = { .header = { .type = i->sequence ? BLOCK_RECORDS : BLOCK_SEGMENT,
				       .sequence = i->sequence } };
	int status;

	if (buffer_failed(&i->records))
		return error_no_memory(err);
	if (i->records.size < BLOCK_RAW_BYTES_AIM && !is_last)
		return 0;
	block.batch = (struct batch){ i->records.data, i->records.size };
	block_describe(&block);
	block.header.watermark_ns = is_last ? block.header.last_ns : i->watermark_ns;
	buffer_reset(&i->bytes);
	status = block_encode(&i->encoder, &i->bytes, &block, CODEC_ZSTD, err);
	if (!status && fwrite(i->bytes.data, 1, i->bytes.size, i->to) != i->bytes.size)
		status = error_errno(err, -errno, "convert into a capture");
	buffer_reset(&i->records);
	i->sequence++;
	return status;
}

#define READ_BYTES   (64u << 10)
#define WINDOW_LOG   27		   /* zstd's own limit; a frame may declare more memory */
#define LATENESS_NS  1000000000ull /* events of several processors are not in order */
#define REASON_BYTES 160

struct artifact {
	struct import *to;
	const char *path;
	ZSTD_DStream *zstd;
	struct buffer pending; /* decompressed; the last event may be incomplete */
	uint64_t events, calls, mappings, others;
	uint64_t first_ns, last_ns;
	bool has_begun;
	bool is_lines;	 /* lines of JSON; else MessagePack in frames */
	bool is_cut;	 /* the input ends within a frame or event */
	bool is_damaged; /* the following bytes are no event */
};

static const uint8_t functions[] = {
	[MEMTRACK_MALLOC] = HEAP_MALLOC,
	[MEMTRACK_FREE] = HEAP_FREE,
	[MEMTRACK_CALLOC] = HEAP_CALLOC,
	[MEMTRACK_REALLOC] = HEAP_REALLOC,
	[MEMTRACK_ALIGNED_ALLOC] = HEAP_ALIGNED_ALLOC,
};

static struct record_tail tail_of_string(struct sooth_text *at, const char *value)
{
	return (struct record_tail){ at, value, strlen(value) };
}

static struct sooth_record record_head(const struct artifact *a, uint64_t time_ns, uint16_t kind)
{
	(void)a;
	return (struct sooth_record){ .time_ns = time_ns, .kind = kind, .cpu = SOOTH_CPU_NONE };
}

static void add_limit(struct artifact *a, const char *what, const char *reason, const char *remedy)
{
	struct stream_limit limit = { .record = record_head(a, a->last_ns, STREAM_LIMIT) };
	struct record_tail tail[] = { tail_of_string(&limit.what, what),
		tail_of_string(&limit.reason, reason), tail_of_string(&limit.remedy, remedy) };

	RECORD_APPEND(&a->to->records, &limit, tail, ARRAY_SIZE(tail));
}

/* Begins the stream: memtrack launches the command that it tracks. */
static void begin_stream(struct artifact *a, uint64_t time_ns)
{
	struct stream_source source = { .record = record_head(a, time_ns, STREAM_SOURCE),
		.source = 1,
		.others_state = SOOTH_STATE_ABSENT };
	struct stream_target target = { .record = record_head(a, time_ns, STREAM_TARGET) };
	struct stream_begin begin = { .record = record_head(a, time_ns, STREAM_BEGIN) };
	struct record_tail of_source[] = { tail_of_string(&source.probe, "heap"),
		tail_of_string(&source.backend, "memtrack"),
		tail_of_string(&source.fallback_reason, "") };
	struct record_tail of_target[] = { tail_of_string(&target.pids, ""),
		tail_of_string(&target.command, ""), tail_of_string(&target.selector, "command") };

	RECORD_APPEND(&a->to->records, &source, of_source, ARRAY_SIZE(of_source));
	RECORD_APPEND(&a->to->records, &target, of_target, ARRAY_SIZE(of_target));
	RECORD_APPEND(&a->to->records, &begin, NULL, 0);
	a->first_ns = a->last_ns = time_ns;
	a->has_begun = true;
}

/* --- events --- */

static void add_call(struct artifact *a, const struct memtrack_event *e)
{
	bool is_free = e->type == MEMTRACK_FREE;
	struct heap_call call = { .record = record_head(a, e->timestamp, HEAP_CALL),
		.address = e->address,
		.size = is_free ? 0 : e->size,
		.old_address = e->old_address,
		.function = functions[e->type],
		.size_state = is_free ? SOOTH_STATE_ABSENT : SOOTH_STATE_VALUE,
		.old_address_state = SOOTH_STATE_ABSENT,
		.error_state = SOOTH_STATE_ABSENT };

	/* Artifacts of versions that do not record the old address leave the old block live. */
	if (e->type == MEMTRACK_REALLOC)
		call.old_address_state = e->has_old_address
						 ? SOOTH_STATE_VALUE
						 : SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	call.record.pid = e->pid;
	call.record.tid = e->tid;
	record_append(&a->to->records, &call.record, HEAP_CALL_LEAST, NULL, 0);
}

static int convert_event(
	struct artifact *a, const struct memtrack_event *e, struct sooth_error *err)
{
	if (!a->has_begun)
		begin_stream(a, e->timestamp);
	a->events++;
	if (e->timestamp > a->last_ns)
		a->last_ns = e->timestamp;
	if (e->type == MEMTRACK_MAPPING)
		a->mappings++;
	else if (e->type == MEMTRACK_OTHER)
		a->others++;
	else
		add_call(a, e);
	a->calls += e->type < MEMTRACK_MAPPING;
	a->to->watermark_ns = a->last_ns > LATENESS_NS ? a->last_ns - LATENESS_NS : 0;
	return import_write(a->to, false, err);
}

static int convert_events(struct artifact *a, struct sooth_error *err)
{
	ssize_t (*parse)(const void *, size_t, struct memtrack_event *) =
		a->is_lines ? memtrack_line_parse : memtrack_event_parse;
	struct memtrack_event event;
	size_t done = 0;
	ssize_t size = 0;
	int status = 0;

	while (!status && done < a->pending.size) {
		size = parse(a->pending.data + done, a->pending.size - done, &event);
		if (size <= 0)
			break;
		done += (size_t)size;
		status = convert_event(a, &event, err);
	}
	a->is_damaged |= size < 0;
	buffer_consume(&a->pending, done);
	return status;
}

/* --- frames --- */

static int convert_lines(
	struct artifact *a, const void *bytes, size_t size, struct sooth_error *err)
{
	buffer_append(&a->pending, bytes, size);
	return buffer_failed(&a->pending) ? error_no_memory(err) : convert_events(a, err);
}

static int convert_bytes(
	struct artifact *a, const void *bytes, size_t size, struct sooth_error *err)
{
	ZSTD_inBuffer in = { bytes, size, 0 };
	int status = 0;

	while (!status && !a->is_damaged) {
		size_t room = ZSTD_DStreamOutSize(), left;
		ZSTD_outBuffer out = { buffer_reserve(&a->pending, room), room, 0 };

		if (!out.dst)
			return error_no_memory(err);
		left = ZSTD_decompressStream(a->zstd, &out, &in);
		if (ZSTD_isError(left)) {
			a->is_damaged = true;
			break;
		}
		a->is_cut = left != 0;
		buffer_commit(&a->pending, out.pos);
		status = convert_events(a, err);
		if (in.pos == in.size && out.pos < out.size)
			break;
	}
	return status;
}

static int read_frames(struct artifact *a, FILE *from, struct sooth_error *err)
{
	_cleanup_free_ char *bytes = malloc(READ_BYTES);
	size_t got;
	int status = 0;

	if (!bytes || !a->zstd)
		return error_no_memory(err);
	ZSTD_DCtx_setParameter(a->zstd, ZSTD_d_windowLogMax, WINDOW_LOG);
	while (!status && !a->is_damaged && (got = fread(bytes, 1, READ_BYTES, from)))
		status = a->is_lines ? convert_lines(a, bytes, got, err)
				     : convert_bytes(a, bytes, got, err);
	if (!status && ferror(from))
		status = error_errno(err, -EIO, "read %s", a->path);
	return status;
}

/* --- the end --- */

static int refuse_artifact(const struct artifact *a, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "read %s", a->path);
	error_why(err, "%s, but does not hold memtrack's events",
		a->is_lines ? "the file begins like lines of JSON"
			    : "the file is compressed by zstd");
	return error_remedy(err, "name a capture, or PID.MemtrackArtifact.msgpack");
}

static void add_limits(struct artifact *a)
{
	char reason[REASON_BYTES];

	add_limit(a, "forks, execs, failed calls and stacks", "memtrack's artifact has none", "");
	if (a->mappings) {
		snprintf(reason, sizeof(reason),
			"%" PRIu64 " events of mmap, munmap and brk are left out", a->mappings);
		add_limit(a, "memory that did not come from an allocator", reason, "");
	}
	if (a->others && !a->calls)
		add_limit(a, HEAP_NOT_RECORDED, "the artifact has no events of allocators", "");
	if (a->others) {
		snprintf(reason, sizeof(reason), "%" PRIu64 " events of other types are left out",
			a->others);
		add_limit(a, "all events of the artifact", reason, "");
	}
	if (a->is_damaged || a->is_cut || a->pending.size) {
		snprintf(reason, sizeof(reason), "the artifact is %s after %" PRIu64 " events",
			a->is_damaged ? "damaged" : "cut off", a->events);
		add_limit(a, "what came later", reason, "take another copy of the file");
	}
}

static int end_stream(struct artifact *a, struct sooth_error *err)
{
	bool is_whole = !a->is_damaged && !a->is_cut && !a->pending.size;
	struct stream_end end = { .record = record_head(a, a->last_ns, STREAM_END),
		.reason = STREAM_END_TARGET,
		.child_status = -1 };

	if (!a->has_begun && !is_whole)
		return refuse_artifact(a, err);
	if (!a->has_begun)
		begin_stream(a, 0);
	end.record.time_ns = a->last_ns;
	add_limits(a);
	if (is_whole)
		RECORD_APPEND(&a->to->records, &end, NULL, 0);
	return import_write(a->to, true, err);
}

int import_memtrack(
	struct import *to, FILE *from, bool is_lines, const char *path, struct sooth_error *err)
{
	struct artifact a = {
		.to = to, .path = path, .is_lines = is_lines, .zstd = ZSTD_createDStream()
	};
	int status = read_frames(&a, from, err);

	if (!status)
		status = end_stream(&a, err);
	ZSTD_freeDStream(a.zstd);
	buffer_fini(&a.pending);
	return status;
}
