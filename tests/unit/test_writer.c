/* SPDX-License-Identifier: BSD-2-Clause */
/* Captures on disk: segments that stand alone, what they forget, and whose file it is. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/writer.h"
#include "probes/context.h"

#define CAPTURE_MAX (1u << 20)

struct file {
	char folder[64];
	char path[96];
	unsigned char *data;
	size_t size;
};

static int setup(void **state)
{
	struct file *f = calloc(1, sizeof(*f));

	snprintf(f->folder, sizeof(f->folder), "/tmp/test_writer.XXXXXX");
	if (!mkdtemp(f->folder))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/a.sooth", f->folder);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct file *f = *state;

	unlink(f->path);
	rmdir(f->folder);
	free(f->data);
	free(f);
	return 0;
}

static void load(struct file *f)
{
	int fd = open(f->path, O_RDONLY);
	ssize_t got;

	assert_true(fd >= 0);
	free(f->data);
	f->data = malloc(CAPTURE_MAX);
	got = read(fd, f->data, CAPTURE_MAX);
	assert_in_range(got, 0, CAPTURE_MAX - 1);
	f->size = (size_t)got;
	close(fd);
}

static struct capture_writer *writer_open(struct file *f, uint64_t segment_bytes)
{
	const struct capture_options options = { .codec = CODEC_ZSTD,
		.segment_bytes = segment_bytes };
	struct capture_writer *w;
	struct sooth_error err;

	assert_int_equal(capture_writer_open(&w, f->path, &options, &err), 0);
	return w;
}

static void writer_close(struct capture_writer *w)
{
	struct sooth_error err;

	assert_int_equal(capture_writer_finish(w, &err), 0);
	capture_writer_free(w);
}

static void put(struct capture_writer *w, struct buffer *records, enum block_type type)
{
	struct block block = block_of(records, type, 1000);
	struct sooth_error err;

	assert_int_equal(capture_writer_block(w, &block, &err), 0);
	buffer_reset(records);
}

/* A definition of a process, by its text. */
static void define(struct buffer *out, uint32_t pid, const char *name)
{
	struct context_thread t = { .record = { .time_ns = 1,
					    .pid = pid,
					    .tid = pid,
					    .start_ticks = pid * 10,
					    .kind = CONTEXT_THREAD } };
	struct record_tail tail[] = { { &t.name, name, strlen(name) } };

	RECORD_APPEND(out, &t, tail, 1);
}

static void segment(struct buffer *out, int64_t realtime_offset_ns)
{
	struct stream_segment s = { .record = { .time_ns = 1, .kind = STREAM_SEGMENT },
		.realtime_offset_ns = realtime_offset_ns };

	RECORD_APPEND(out, &s, NULL, 0);
}

/* The content of the segments, each by itself. */
struct segments {
	unsigned count;
	unsigned threads[256][8]; /* definitions by segment and pid */
	unsigned leaves;
	uint64_t sequence;
	int64_t offset_ns;
	bool first_only; /* stop looking behind the first */
	size_t first_end;
};

static int look(void *user, const struct block *block, struct sooth_error *err)
{
	struct segments *s = user;

	(void)err;
	assert_int_equal(block->header.sequence, s->sequence++);
	if (block->header.type == BLOCK_SEGMENT)
		s->count++;
	assert_in_range(s->count, 1, 255);
	batch_for_each (r, &block->batch) {
		if (r->kind == CONTEXT_THREAD)
			s->threads[s->count][r->pid]++;
		else if (r->kind == STREAM_SEGMENT)
			s->offset_ns = ((const struct stream_segment *)r)->realtime_offset_ns;
		s->leaves += r->kind == PROCESS_LEAVE;
	}
	return 0;
}

static struct segments read_segments(const struct file *f, size_t from)
{
	struct block_reader reader = { 0 };
	struct segments s = { 0 };

	if (from)
		s.sequence =
			((const struct block_header *)(const void *)(f->data + from))->sequence;
	assert_int_equal(
		block_reader_feed(&reader, f->data + from, f->size - from, look, &s, NULL), 0);
	assert_int_equal(reader.damaged_blocks + reader.damaged_bytes, 0);
	block_reader_fini(&reader);
	return s;
}

/* Where the second segment begins. */
static size_t second_segment(const struct file *f)
{
	for (size_t at = 8; at + sizeof(struct block_header) <= f->size; at += 8) {
		struct block_header h;

		memcpy(&h, f->data + at, sizeof(h));
		if (!memcmp(h.magic, BLOCK_MAGIC, BLOCK_MAGIC_SIZE) && h.type == BLOCK_SEGMENT)
			return at;
	}
	fail_msg("there is one segment only");
	return 0;
}

static void write_head(struct capture_writer *w, struct buffer *records)
{
	segment(records, 5);
	define(records, 1, "one");
	define(records, 2, "two");
	put(w, records, BLOCK_SEGMENT);
}

static void test_segments_stand_alone(void **state)
{
	struct file *f = *state;
	struct capture_writer *w = writer_open(f, 600);
	struct buffer records = { 0 };
	struct segments s, rest;
	unsigned ticks = 0;

	write_head(w, &records);
	for (uint64_t i = 0; i < 50; i++) {
		if (i == 20)
			define(&records, 3, "three"); /* comes in the middle */
		add_tick(&records, 100 + i);
		ticks++;
		put(w, &records, BLOCK_RECORDS);
	}
	assert_true(capture_writer_bytes(w) > 0);
	writer_close(w);
	load(f);
	s = read_segments(f, 0);
	assert_true(s.count > 5);
	for (unsigned i = 1; i <= s.count; i++) {
		assert_int_equal(s.threads[i][1], 1);
		assert_int_equal(s.threads[i][2], 1);
	}
	assert_int_equal(s.threads[s.count][3], 1);
	/* Drop the oldest: the others lack nothing. */
	rest = read_segments(f, second_segment(f));
	assert_int_equal(rest.count, s.count - 1);
	for (unsigned i = 1; i <= rest.count; i++)
		assert_int_equal(rest.threads[i][1], 1);
	buffer_fini(&records);
	(void)ticks;
}

/* A head promises nothing about the block behind it. */
static void test_heads_promise_nothing(void **state)
{
	struct file *f = *state;
	struct capture_writer *w = writer_open(f, 1);
	struct buffer records = { 0 };
	struct block_header h;

	write_head(w, &records);
	add_tick(&records, 500);
	put(w, &records, BLOCK_RECORDS); /* its watermark lies behind its record */
	writer_close(w);
	load(f);
	memcpy(&h, f->data + second_segment(f), sizeof(h));
	assert_int_equal(h.watermark_ns, 0);
	buffer_fini(&records);
}

static void test_left_processes_are_dropped(void **state)
{
	struct file *f = *state;
	struct capture_writer *w = writer_open(f, 1); /* each block its own segment */
	struct buffer records = { 0 };
	struct segments s;

	write_head(w, &records);
	add_leave(&records, 100, 1, 10);
	add_leave(&records, 100, 2, 999); /* the pid of two, but another process */
	put(w, &records, BLOCK_RECORDS);
	add_tick(&records, 101);
	put(w, &records, BLOCK_RECORDS);
	writer_close(w);
	load(f);
	s = read_segments(f, 0);
	assert_int_equal(s.count, 3);
	assert_int_equal(s.leaves, 2);
	/* In the segment in which it left it is still needed. */
	assert_int_equal(s.threads[2][1], 1);
	assert_int_equal(s.threads[3][1], 0);
	assert_int_equal(s.threads[3][2], 1);
	buffer_fini(&records);
}

/* Each segment has the clock's offset of its own time. */
static void test_clock_offset(void **state)
{
	struct file *f = *state;
	struct capture_writer *w = writer_open(f, 1);
	struct stream_tick tick = { .record = { .time_ns = 100, .kind = STREAM_TICK },
		.realtime_offset_ns = 77 };
	struct buffer records = { 0 };

	write_head(w, &records);
	RECORD_APPEND(&records, &tick, NULL, 0);
	put(w, &records, BLOCK_RECORDS);
	add_leave(&records, 101, 9, 9);
	put(w, &records, BLOCK_RECORDS);
	writer_close(w);
	load(f);
	assert_int_equal(read_segments(f, 0).offset_ns, 77);
	buffer_fini(&records);
}

/* As many processes come and go as like: the dictionary holds only those that are there. */
static void test_dictionary_is_bounded(void **state)
{
	struct file *f = *state;
	struct capture_writer *w = writer_open(f, 1);
	struct buffer records = { 0 };
	size_t size_before, size_after;

	write_head(w, &records);
	for (uint32_t i = 0; i < 500; i++) {
		define(&records, 3, "passing");
		add_leave(&records, 100 + i, 3, 30);
		put(w, &records, BLOCK_RECORDS);
	}
	size_before = capture_writer_bytes(w);
	add_tick(&records, 700);
	put(w, &records, BLOCK_RECORDS);
	size_after = capture_writer_bytes(w);
	assert_true(size_after - size_before < 600);
	writer_close(w);
	buffer_fini(&records);
}

static void test_private_file(void **state)
{
	struct file *f = *state;
	mode_t old = umask(0);
	struct stat st;

	writer_close(writer_open(f, 0));
	umask(old);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* Also when it was there, open to all. */
	assert_int_equal(chmod(f->path, 0644), 0);
	writer_close(writer_open(f, 0));
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_link_is_refused(void **state)
{
	const struct capture_options options = { .codec = CODEC_NONE };
	struct file *f = *state;
	struct capture_writer *w = NULL;
	struct sooth_error err;

	assert_int_equal(symlink("/etc/hostname", f->path), 0);
	assert_int_equal(capture_writer_open(&w, f->path, &options, &err), -ELOOP);
	assert_null(w);
	assert_int_equal(capture_writer_open(&w, "/nowhere/a.sooth", &options, &err), -ENOENT);
	assert_int_equal(err.fault, SOOTH_FAULT_IO);
	capture_writer_free(NULL);
}

static void test_full_disk(void **state)
{
	const struct capture_options options = { .codec = CODEC_NONE };
	struct capture_writer *w;
	struct buffer records = { 0 };
	struct sooth_error err;
	int status = 0;

	(void)state;
	if (access("/dev/full", W_OK))
		skip();
	assert_int_equal(capture_writer_open(&w, "/dev/full", &options, &err), 0);
	for (uint64_t i = 0; i < 1000; i++)
		add_tick(&records, i);
	for (int i = 0; i < 3 && !status; i++) {
		struct block block = block_of(&records, BLOCK_RECORDS, 1000);

		status = capture_writer_block(w, &block, &err);
	}
	if (!status)
		status = capture_writer_finish(w, &err);
	assert_int_equal(status, -ENOSPC);
	assert_int_equal(err.fault, SOOTH_FAULT_IO);
	capture_writer_free(w);
	buffer_fini(&records);
}

/* Blocks that were written are on disk, whether or not the end was reached. */
static void test_unfinished(void **state)
{
	struct file *f = *state;
	struct capture_writer *w = writer_open(f, 0);
	struct buffer records = { 0 };

	struct sooth_error err;

	/* Before it has its name a failed run leaves nothing, after that what was written. */
	write_head(w, &records);
	assert_int_equal(access(f->path, F_OK), -1);
	assert_int_equal(capture_writer_place(w, &err), 0);
	capture_writer_free(w);
	load(f);
	assert_int_equal(read_segments(f, 0).threads[1][1], 1);
	buffer_fini(&records);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_segments_stand_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_heads_promise_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_left_processes_are_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clock_offset, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dictionary_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_private_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_link_is_refused, setup, teardown),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test_setup_teardown(test_unfinished, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
