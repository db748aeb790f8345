/* SPDX-License-Identifier: BSD-2-Clause */
/* Records into blocks: sizes, sources, and where the watermark stands. */
#include "support.h"

#include <errno.h>

#include "collect/secrets.h"
#include "collect/stream.h"
#include "model/stream_records.h"
#include "probes/fds.h"
#include "probes/syscalls.h"

struct seen {
	struct block_header headers[64];
	size_t count;
	uint64_t next_ns[STREAM_SOURCES_MAX];
	int fail;
};

static int take(void *user, const struct block *block, struct sooth_error *err)
{
	struct seen *s = user;

	(void)err;
	assert_true(s->count < ARRAY_SIZE(s->headers));
	assert_int_equal(batch_check(&block->batch), block->header.records);
	assert_true(block->header.records > 0);
	batch_for_each (r, &block->batch)
		assert_int_equal(r->time_ns, s->next_ns[block->header.source]++);
	s->headers[s->count++] = block->header;
	return s->fail;
}

static void fill(struct stream *s, unsigned source, uint64_t count)
{
	static uint64_t times[STREAM_SOURCES_MAX];

	for (uint64_t i = 0; i < count; i++)
		add_tick(stream_source(s, source), times[source]++);
}

static void test_flush(void **state)
{
	struct stream s = { 0 };
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(stream_connect(&s, take, &seen, NULL), 0);
	assert_int_equal(stream_flush(&s, 5, false, NULL), 0);
	assert_int_equal(seen.count, 0); /* nothing waits, nothing is sent */
	fill(&s, STREAM_COLLECTOR, 3);
	assert_int_equal(stream_flush(&s, 0, true, NULL), 0);
	assert_int_equal(seen.headers[0].type, BLOCK_SEGMENT);
	fill(&s, 2, 4);
	fill(&s, 1, 5);
	fill(&s, STREAM_COLLECTOR, 1);
	assert_int_equal(stream_flush(&s, 77, false, NULL), 0);
	assert_int_equal(seen.count, 4);
	for (size_t i = 0; i < seen.count; i++)
		assert_int_equal(seen.headers[i].sequence, i);
	/* The collector's block closes the cycle, and only it promises something. */
	assert_int_equal(seen.headers[1].source, 1);
	assert_int_equal(seen.headers[1].watermark_ns, 0);
	assert_int_equal(seen.headers[2].source, 2);
	assert_int_equal(seen.headers[2].watermark_ns, 0);
	assert_int_equal(seen.headers[3].source, STREAM_COLLECTOR);
	assert_int_equal(seen.headers[3].watermark_ns, 77);
	assert_int_equal(seen.headers[3].type, BLOCK_RECORDS);
	assert_int_equal(s.records, 13);
	assert_true(s.bytes > 13 * sizeof(struct stream_tick));
	stream_fini(&s);
}

/* Much at once becomes several blocks of whole records, the promise in the last. */
static void test_large(void **state)
{
	struct stream s = { 0 };
	struct seen seen = { 0 };
	struct stream_limit large = { .record = { .kind = STREAM_LIMIT } };
	char *text = calloc(1, SOOTH_RECORD_BYTES_MAX);
	struct record_tail tail[] = { { &large.what, text, SOOTH_RECORD_BYTES_MAX } };
	struct buffer *out = stream_source(&s, STREAM_COLLECTOR);

	(void)state;
	assert_int_equal(stream_connect(&s, take, &seen, NULL), 0);
	for (uint64_t i = 0; i < 30000; i++) {
		add_tick(out, i);
		if (i % 10000 == 0) { /* a record larger than a block is aimed to be */
			large.record.time_ns = ++i;
			RECORD_APPEND(out, &large, tail, 1);
		}
	}
	assert_int_equal(stream_flush(&s, 99, false, NULL), 0);
	assert_true(seen.count > 8);
	assert_int_equal(seen.next_ns[0], 30000);
	for (size_t i = 0; i < seen.count; i++) {
		assert_int_equal(seen.headers[i].watermark_ns, i + 1 == seen.count ? 99 : 0);
		assert_true(seen.headers[i].raw_bytes <= BLOCK_RAW_BYTES_AIM ||
			    seen.headers[i].records == 1);
	}
	stream_fini(&s);
	free(text);
}

static void test_several_consumers(void **state)
{
	struct stream s = { 0 };
	struct seen seen[STREAM_HANDLERS_MAX] = { 0 };
	struct sooth_error err;

	(void)state;
	for (size_t i = 0; i < STREAM_HANDLERS_MAX; i++)
		assert_int_equal(stream_connect(&s, take, &seen[i], &err), 0);
	assert_int_equal(stream_connect(&s, take, &seen[0], &err), -E2BIG);
	add_tick(stream_source(&s, 3), 0);
	assert_int_equal(stream_flush(&s, 0, false, &err), 0);
	for (size_t i = 0; i < STREAM_HANDLERS_MAX; i++)
		assert_int_equal(seen[i].count, 1);
	seen[1].fail = -EIO;
	add_tick(stream_source(&s, 3), 1);
	assert_int_equal(stream_flush(&s, 0, false, &err), -EIO);
	assert_int_equal(seen[0].count, 2);
	assert_int_equal(seen[2].count, 1);
	stream_fini(&s);
}

/* --- secrets --- */

static void add_path(struct buffer *out, const char *path, const char *detail)
{
	struct fds_descriptor d = { .record = { .kind = FDS_DESCRIPTOR, .pid = 7 } };
	struct record_tail tail[] = {
		{ &d.path, path, strlen(path) },
		{ &d.detail, detail, strlen(detail) },
	};

	RECORD_APPEND(out, &d, tail, 2);
}

static void check_path(
	const struct fds_descriptor *d, const char *path, const char *detail, size_t was)
{
	const char *text = (const char *)d + d->path.offset;

	assert_int_equal(d->path.size, strlen(path));
	assert_memory_equal(text, path, strlen(path));
	for (size_t i = strlen(path); i < was; i++)
		assert_int_equal(text[i], 0); /* nothing is left behind */
	assert_int_equal(d->detail.size, strlen(detail));
	assert_memory_equal((const char *)d + d->detail.offset, detail, strlen(detail));
}

static void test_secrets_in_texts(void **state)
{
	static const char *const paths[][2] = {
		{ "/tmp/sk-ant-0123456789/x", "/tmp/***/x" },
		{ "/tmp/plain, and: simple", "/tmp/plain, and: simple" },
		{ "@token=abcdefgh", "@token=***" },
		{ "https://me:secret@host/x?k=v", "https://***@host/x?k=***" },
		{ "password=a", "password=*" }, /* it has no room to grow */
		{ "", "" },
	};
	struct secrets s = { 0 };
	struct buffer out = { 0 };
	const struct sooth_record *r;
	size_t size;
	struct batch all;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		add_path(&out, paths[i][0], "count 3");
	size = out.size;
	secrets_mask(&s, &out);
	assert_int_equal(out.size, size);
	all = (struct batch){ out.data, out.size };
	assert_int_equal(batch_check(&all), ARRAY_SIZE(paths));
	r = batch_first(&all);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++, r = batch_next(&all, r))
		check_path((const void *)r, paths[i][1], "count 3", strlen(paths[i][0]));
	buffer_fini(&out);
	secrets_fini(&s);
}

/* A command line may grow by its masking, and the record with it. A command line that is cut loses
 * its last argument. */
static void check_exec(const char *arguments, size_t size, uint8_t exec_state, const char *masked,
	size_t masked_size)
{
	struct process_exec exec = { .record = { .kind = PROCESS_EXEC, .pid = 7 },
		.name = "sh\0ecret", /* the end of a longer name stands behind it */
		.arguments_state = exec_state };
	struct record_tail tail[] = { { &exec.arguments, arguments, size } };
	struct secrets s = { 0 };
	struct buffer out = { 0 };
	const struct process_exec *r;
	struct batch all;

	add_path(&out, "/tmp/sk-ant-0123456789/x", "");
	RECORD_APPEND(&out, &exec, tail, 1);
	add_path(&out, "/tmp/plain", "");
	secrets_mask(&s, &out);
	all = (struct batch){ out.data, out.size };
	assert_int_equal(batch_check(&all), 3);
	check_path((const void *)batch_first(&all), "/tmp/***/x", "", 0);
	r = (const void *)batch_next(&all, batch_first(&all));
	assert_int_equal(r->record.kind, PROCESS_EXEC);
	assert_int_equal(r->arguments_state, exec_state);
	assert_string_equal(r->name, "sh");
	for (size_t i = 2; i < sizeof(r->name); i++)
		assert_int_equal(r->name[i], 0);
	assert_int_equal(r->arguments.size, masked_size);
	assert_memory_equal((const char *)r + r->arguments.offset, masked, masked_size);
	buffer_fini(&out);
	secrets_fini(&s);
}

static void test_secrets_in_command_lines(void **state)
{
	(void)state;
#define CHECK_EXEC(from, exec_state, to)                                                           \
	check_exec(from, sizeof(from) - 1, exec_state, to, sizeof(to) - 1)
	CHECK_EXEC("sh\0-c\0true\0", SOOTH_STATE_VALUE, "sh\0-c\0true\0");
	CHECK_EXEC("x\0--token\0a\0", SOOTH_STATE_VALUE, "x\0--token\0***\0");
	CHECK_EXEC("x\0--token\0abcdefghijklmnop\0", SOOTH_STATE_VALUE, "x\0--token\0***\0");
	CHECK_EXEC("x\0y\0--token=abc", SOOTH_STATE_TRUNCATED, "x\0y\0");
	CHECK_EXEC("", SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED), "");
}

static void add_piece(struct buffer *pieces, uint8_t part, const char *bytes, size_t size)
{
	struct syscalls_piece head = { .part = part, .size = (uint32_t)size };

	buffer_append(pieces, &head, sizeof(head));
	buffer_append(pieces, bytes, size);
	while (pieces->size % 8)
		buffer_char(pieces, 0);
}

/* The text that a call's argument points to is masked in its place, by more of the mask where that
 * is shorter; an address is no text. Nothing behind a damaged piece is touched. */
static void test_secrets_in_pieces(void **state)
{
	static const char secret[] = "key sk-ant-0123456789 end";
	struct syscalls_call call = { .record = { .kind = SYSCALLS_CALL, .pid = 7 } };
	struct syscalls_piece head = { .size = 4096 };
	struct buffer pieces = { 0 }, out = { 0 };
	struct secrets s = { 0 };
	struct record_tail tail[1];
	const char *at;

	(void)state;
	add_piece(&pieces, SYSCALLS_PART_TARGET, secret, sizeof(secret) - 1);
	add_piece(&pieces, SYSCALLS_PART_TARGET, secret, sizeof(secret));
	add_piece(&pieces, SYSCALLS_PART_ADDRESS, secret, sizeof(secret) - 1);
	buffer_append(&pieces, &head, sizeof(head));
	buffer_append(&pieces, secret, 16);
	tail[0] = (struct record_tail){ &call.pieces, pieces.data, pieces.size };
	RECORD_APPEND(&out, &call, tail, 1);
	secrets_mask(&s, &out);
	at = (const char *)out.data + ((const struct syscalls_call *)out.data)->pieces.offset;
	assert_memory_equal(at + 8, "key *** end**************", 25);
	assert_memory_equal(at + 48, "key *** end\0\0\0\0", 15);
	assert_memory_equal(at + 88, secret, 25);
	assert_memory_equal(at + 128, secret, 16);
	buffer_fini(&pieces);
	buffer_fini(&out);
	secrets_fini(&s);
}

static void test_secrets_in_names(void **state)
{
	struct process_join join = { .record = { .kind = PROCESS_JOIN, .pid = 7 },
		.name = "x ghp_012345678" };
	struct stream_agent agent = { .record = { .kind = STREAM_AGENT } };
	struct record_tail tail[] = { { &agent.text, "token = x", 9 } };
	struct secrets s = { 0 };
	struct buffer out = { 0 };

	(void)state;
	RECORD_APPEND(&out, &join, NULL, 0);
	RECORD_APPEND(&out, &agent, tail, 1); /* its words are not the target's */
	secrets_mask(&s, &out);
	assert_string_equal(((struct process_join *)(void *)out.data)->name, "x ***");
	assert_non_null(memmem(out.data, out.size, "token = x", 9));
	assert_null(memmem(out.data, out.size, "0123", 4));
	buffer_fini(&out);
	secrets_fini(&s);
}

/* Whoever takes blocks never sees one. */
static int take_and_look(void *user, const struct block *block, struct sooth_error *err)
{
	(void)user;
	(void)err;
	assert_null(memmem(block->batch.data, block->batch.size, "sk-ant", 6));
	assert_non_null(memmem(block->batch.data, block->batch.size, "/tmp/***", 8));
	return 0;
}

static void test_secrets_in_blocks(void **state)
{
	struct stream s = { 0 };

	(void)state;
	assert_int_equal(stream_connect(&s, take_and_look, NULL, NULL), 0);
	for (unsigned source = 0; source < 3; source++)
		add_path(stream_source(&s, source), "/tmp/sk-ant-0123456789", "");
	assert_int_equal(stream_flush(&s, 0, false, NULL), 0);
	assert_int_equal(s.records, 3);
	stream_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_several_consumers),
		cmocka_unit_test(test_secrets_in_texts),
		cmocka_unit_test(test_secrets_in_command_lines),
		cmocka_unit_test(test_secrets_in_pieces),
		cmocka_unit_test(test_secrets_in_names),
		cmocka_unit_test(test_secrets_in_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
