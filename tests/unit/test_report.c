/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One boundary: what explains sees only blocks. The same observation, explained
 * as it happens and read back from its capture, gives the same bytes in every
 * format, however the capture is cut into segments and pieces.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "analyze/processes/processes.h"
#include "base/units.h"
#include "capture/writer.h"
#include "collect/observer.h"
#include "explain/report.h"
#include "json_check.h"
#include "os/fake/fake.h"
#include "probes/syscall_names.h"

#define CAPTURE_MAX (8u << 20)

static const char *const formats[] = { "table", "json", "jsonl" };

enum shown { SHOW_DEFAULT, SHOW_STREAM, SHOW_TABLE, SHOW_KINDS };

/* One report in each format. */
struct reports {
	struct sooth_report *reports[ARRAY_SIZE(formats)];
	struct text texts[ARRAY_SIZE(formats)];
};

static void add_views(struct sooth_report *r, enum shown shown)
{
	struct sooth_error err;

	if (shown == SHOW_DEFAULT)
		sooth_report_add_default_views(r);
	else
		assert_int_equal(sooth_report_add_view(r,
					 shown == SHOW_STREAM ? "syscall-stream" : "syscall-table",
					 NULL, &err),
			0);
}

static void reports_open(struct reports *r, enum shown shown)
{
	struct sooth_error err;

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct sooth_sink_options options = { .size = sizeof(options), .is_verbose = true };

		text_open(&r->texts[i]);
		options.stream = r->texts[i].stream;
		assert_int_equal(sooth_report_new(&r->reports[i], "trace", &err), 0);
		add_views(r->reports[i], shown);
		assert_int_equal(
			sooth_report_add_sink(r->reports[i], formats[i], &options, &err), 0);
	}
}

static int reports_block(void *user, const struct block *block, struct sooth_error *err)
{
	struct reports *r = user;

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		assert_int_equal(report_block(r->reports[i], block, err), 0);
	return 0;
}

static void reports_finish(struct reports *r)
{
	struct sooth_error err;

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		assert_int_equal(sooth_report_finish(r->reports[i], &err), 0);
		sooth_report_free(r->reports[i]);
		text_close(&r->texts[i]);
	}
}

static void reports_free(struct reports *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		text_free(&r->texts[i]);
}

static void assert_same(const struct reports *live, const struct reports *saved)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		assert_same_text(live->texts[i].data, saved->texts[i].data);
		assert_int_equal(live->texts[i].size, saved->texts[i].size);
	}
}

/* The members of the one object, indented by two: no key twice. */
static void assert_keys_once(const char *json)
{
	char seen[64][64];
	size_t count = 0;

	for (const char *at = json; (at = strstr(at, "\n  \"")); at++) {
		size_t size = strcspn(at + 4, "\"");

		assert_true(count < ARRAY_SIZE(seen) && size < sizeof(seen[0]));
		memcpy(seen[count], at + 4, size);
		seen[count][size] = '\0';
		for (size_t i = 0; i < count; i++)
			assert_string_not_equal(seen[i], seen[count]);
		count++;
	}
	assert_true(count > 5);
}

static size_t lines_of(const char *text)
{
	size_t count = 0;

	while ((text = strchr(text, '\n'))) {
		text++;
		count++;
	}
	return count;
}

static void assert_valid(const struct reports *r)
{
	assert_true(json_check(r->texts[1].data, r->texts[1].size, 1));
	assert_keys_once(r->texts[1].data);
	assert_true(json_check(r->texts[2].data, r->texts[2].size, lines_of(r->texts[2].data)));
}

/* --- an eventful minute --- */

struct play {
	struct fake *fake;
	struct sooth_observer *observer;
	struct fake_process *alive[64];
	size_t count;
	uint32_t next_pid;
	uint64_t seed;
};

static void play_call(struct play *p, struct fake_process *by)
{
	static const int64_t results[] = { 0, 3, -1, -2, -11, -4095, -4096, INT64_MIN, INT64_MAX };
	struct fake_call call = {
		.number = (uint32_t)random_below(&p->seed, 12),
		.abi = (uint16_t)random_below(&p->seed, SYSCALL_ABI_COUNT),
		.result = results[random_below(&p->seed, ARRAY_SIZE(results))],
		.duration_ns = random_next(&p->seed) >> random_below(&p->seed, 64) >> 8,
		.never_returns = random_below(&p->seed, 50) == 0,
		.path = random_below(&p->seed, 4) ? NULL : "/tmp/</script>\x1b[31m\xff\n",
		.tid = (uint32_t)(by->id.pid + random_below(&p->seed, 2)),
	};

	fake_call(p->fake, by, &call);
}

static void play_event(struct play *p)
{
	struct fake_process *by = p->alive[random_below(&p->seed, p->count)];

	switch (random_below(&p->seed, 40)) {
	case 0:
		if (p->count < ARRAY_SIZE(p->alive) && p->next_pid < 200)
			p->alive[p->count++] = fake_fork(p->fake, by, p->next_pid++);
		break;
	case 1:
		fake_exec(p->fake, by, "\"new\" \\name");
		break;
	case 2:
		if (by == p->alive[0])
			break;
		fake_end(p->fake, by, 0);
		for (size_t i = 0; i < p->count; i++) {
			if (p->alive[i] == by)
				p->alive[i] = p->alive[--p->count];
		}
		break;
	case 3:
		fake_lose(p->fake, 1 + random_below(&p->seed, 9), 0, "the ring was full");
		break;
	case 4:
		fake_set_realtime_offset(p->fake,
			(int64_t)(1800000000 * NS_PER_S + random_below(&p->seed, NS_PER_S)));
		break;
	default:
		by->cpu_ns += random_below(&p->seed, NS_PER_MS);
		fake_advance(p->fake, random_below(&p->seed, NS_PER_MS));
		play_call(p, by);
		break;
	}
}

static void play_start(struct play *p, unsigned interest, uint64_t seed)
{
	struct sooth_observer_options options = { .size = sizeof(options),
		.sample_ns = 300 * NS_PER_MS };
	struct sooth_error err;

	*p = (struct play){ .fake = fake_new(), .seed = seed, .next_pid = 101 };
	p->alive[p->count++] = fake_add(p->fake, 100, 0, "node</script>");
	p->alive[0]->executable = "/usr/local/bin/claude";
	fake_fail(p->fake, FAKE_NEED_SCRIPTED, seed % 2 ? -EPERM : 0);
	assert_int_equal(observer_new_on(&p->observer, fake_os(p->fake), &options, &err), 0);
	assert_int_equal(sooth_observer_add_pid(p->observer, 100, &err), 0);
	assert_int_equal(sooth_observer_add_probe(p->observer, "proc", SOOTH_SAMPLE, &err), 0);
	assert_int_equal(sooth_observer_add_probe(p->observer, "syscalls", interest, &err), 0);
}

static void play_run(struct play *p)
{
	struct sooth_error err;

	assert_int_equal(sooth_observer_start(p->observer, &err), 0);
	for (int i = 0; i < 60; i++) {
		for (uint64_t k = random_below(&p->seed, 60); k > 0; k--)
			play_event(p);
		assert_int_equal(sooth_observer_step(p->observer, 40, &err), 1);
	}
	assert_int_equal(sooth_observer_stop(p->observer, SOOTH_END_DURATION, &err), 0);
}

static void play_end(struct play *p)
{
	sooth_observer_free(p->observer);
	fake_free(p->fake);
}

static int write_block(void *user, const struct block *block, struct sooth_error *err)
{
	return capture_writer_block(user, block, err);
}

struct file {
	char path[64];
	unsigned char *data;
	size_t size;
};

static void file_name(struct file *f)
{
	int fd;

	*f = (struct file){ .path = "/tmp/test_report.XXXXXX" };
	fd = mkstemp(f->path);
	assert_true(fd >= 0);
	close(fd);
}

static void file_load(struct file *f)
{
	int fd = open(f->path, O_RDONLY);

	f->data = malloc(CAPTURE_MAX);
	f->size = (size_t)read(fd, f->data, CAPTURE_MAX);
	assert_true(f->size > 0 && f->size < CAPTURE_MAX);
	close(fd);
}

static void file_drop(struct file *f)
{
	unlink(f->path);
	free(f->data);
}

/* The bytes in pieces of random sizes. */
static void feed(struct reports *r, const struct file *f, size_t size, uint64_t seed)
{
	struct sooth_error err;

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		for (size_t at = 0; at < size;) {
			size_t piece = 1 + random_below(&seed, random_below(&seed, 2) ? 7 : 9000);

			if (piece > size - at)
				piece = size - at;
			assert_int_equal(
				sooth_report_feed(r->reports[i], f->data + at, piece, &err), 0);
			at += piece;
		}
	}
}

static void record_play(struct play *p, struct reports *live, struct file *file,
	const struct capture_options *options, unsigned interest, uint64_t seed)
{
	struct capture_writer *writer;
	struct sooth_error err;

	file_name(file);
	play_start(p, interest, seed);
	assert_int_equal(capture_writer_open(&writer, file->path, options, &err), 0);
	assert_int_equal(observer_connect(p->observer, write_block, writer, &err), 0);
	assert_int_equal(observer_connect(p->observer, reports_block, live, &err), 0);
	play_run(p);
	assert_int_equal(capture_writer_finish(writer, &err), 0);
	capture_writer_free(writer);
	file_load(file);
	play_end(p);
	reports_finish(live);
}

static void compare(
	enum shown shown, const struct capture_options *options, unsigned interest, uint64_t seed)
{
	struct reports live, saved;
	struct file file;
	struct play play;

	reports_open(&live, shown);
	record_play(&play, &live, &file, options, interest, seed);
	assert_valid(&live);
	assert_false(has(live.texts[1].data, "later than promised"));

	reports_open(&saved, shown);
	feed(&saved, &file, file.size, seed);
	reports_finish(&saved);
	assert_same(&live, &saved);
	reports_free(&saved);
	reports_free(&live);
	file_drop(&file);
}

static void test_live_is_saved(void **state)
{
	static const struct capture_options options[] = {
		{ .codec = CODEC_NONE },
		{ .codec = CODEC_ZSTD },
		{ .codec = CODEC_ZSTD, .segment_bytes = 3000 },
		{ .codec = CODEC_NONE, .segment_bytes = 1 },
	};
	uint64_t seed = 1;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		for (int shown = 0; shown < SHOW_KINDS; shown++) {
			compare((enum shown)shown, &options[i], SOOTH_COUNT, seed++);
			compare((enum shown)shown, &options[i], SOOTH_STREAM, seed++);
		}
	}
}

/* The public way: sooth_observer_save() and sooth_report_read(). */
static void test_public_way(void **state)
{
	struct reports live, saved;
	struct sooth_error err;
	struct file file;
	struct play play;

	(void)state;
	reports_open(&live, SHOW_DEFAULT);
	file_name(&file);
	play_start(&play, SOOTH_COUNT, 99);
	assert_int_equal(sooth_observer_save(play.observer, file.path, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		assert_int_equal(
			sooth_observer_connect_report(play.observer, live.reports[i], &err), 0);
	play_run(&play);
	play_end(&play);
	reports_finish(&live);
	reports_open(&saved, SHOW_DEFAULT);
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		assert_int_equal(sooth_report_read(saved.reports[i], file.path, &err), 0);
	reports_finish(&saved);
	assert_same(&live, &saved);
	assert_valid(&live);
	reports_free(&live);
	reports_free(&saved);
	file_drop(&file);
}

/* Members that every object has, whatever it is about. */
static void test_members(void **state)
{
	static const char *const members[] = { "\"schema\"", "\"target\"", "\"interval_ns\"",
		"\"sources\"", "\"loss\"", "\"limits\"", "\"self\"", "\"syscalls\"",
		"\"processes\"", "\"fallback_reason\": \"scripted: look for the first need",
		"\"method\": \"second\"", "\"end_reason\": \"duration\"", "\"cpu_ns\": 7000000",
		"the second backend is slow", "\"agent\": \"claude\"" };
	const struct capture_options options = { .codec = CODEC_NONE };
	struct reports live;
	struct file file;
	struct play play;

	(void)state;
	reports_open(&live, SHOW_DEFAULT);
	record_play(&play, &live, &file, &options, SOOTH_COUNT, 7);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		if (!has(live.texts[1].data, members[i]))
			fail_msg("no %s", members[i]);
	}
	assert_true(has(live.texts[0].data, "LOST by syscalls"));
	assert_true(has(live.texts[0].data, "fallback: scripted"));
	/* A target's text never reaches a terminal or a page as it is. */
	assert_null(strchr(live.texts[0].data, '\x1b'));
	assert_false(has(live.texts[1].data, "</script>"));
	reports_free(&live);
	file_drop(&file);
}

/* A cut capture is explained up to the cut, and says that it is one. */
static void test_cut(void **state)
{
	const struct capture_options options = { .codec = CODEC_ZSTD, .segment_bytes = 5000 };
	struct reports live;
	struct file file;
	struct play play;
	uint64_t seed = 5;

	(void)state;
	reports_open(&live, SHOW_DEFAULT);
	record_play(&play, &live, &file, &options, SOOTH_STREAM, 8);
	for (int i = 0; i < 40; i++) {
		size_t size = 1 + random_below(&seed, file.size - 1);
		struct reports cut;

		reports_open(&cut, i % 2 ? SHOW_DEFAULT : SHOW_STREAM);
		feed(&cut, &file, size, seed);
		reports_finish(&cut);
		assert_valid(&cut);
		assert_true(has(cut.texts[1].data, "\"end_reason\": \"cut\"") ||
			    has(cut.texts[1].data, "\"end_reason\": \"duration\""));
		if (size > 5000 && size < file.size - 500) {
			assert_true(
				has(cut.texts[1].data, "the capture is cut off before the end"));
			assert_true(has(cut.texts[0].data, "cost of sooth: not measured"));
		}
		reports_free(&cut);
	}
	reports_free(&live);
	file_drop(&file);
}

static int read_status(const char *bytes, size_t size)
{
	int unexplained;
	struct sooth_report *r;
	struct sooth_error err;
	struct file file;
	int fd, status;

	file_name(&file);
	fd = open(file.path, O_WRONLY);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
	assert_int_equal(sooth_report_new(&r, "trace", &err), 0);
	status = sooth_report_read(r, file.path, &err);
	if (status)
		assert_true(err.why[0] && err.remedy[0]);
	sooth_report_free(r);
	/* Whoever wants no explanation gets the code all the same. */
	assert_int_equal(sooth_report_new(&r, "trace", NULL), 0);
	unexplained = sooth_report_read(r, file.path, NULL);
	assert_int_equal(unexplained, status);
	sooth_report_free(r);
	file_drop(&file);
	return status;
}

static void test_not_a_capture(void **state)
{
	char large[5000];

	(void)state;
	memset(large, 'x', sizeof(large));
	assert_int_equal(read_status("", 0), -EINVAL);
	assert_int_equal(read_status("x", 1), -EINVAL);
	assert_int_equal(read_status("#!/bin/sh\n", 10), -EINVAL);
	assert_int_equal(read_status(large, 71), -EINVAL);
	assert_int_equal(read_status(large, sizeof(large)), -EINVAL);
	/* A capture cut in its first block is one, but nothing of it can be read. */
	assert_int_equal(read_status("SOOTHBLK", 8), -EIO);
	assert_int_equal(read_status("SOO", 3), -EIO);
}

static void test_no_such_file(void **state)
{
	struct sooth_report *r;
	struct sooth_error err;

	(void)state;
	assert_int_equal(sooth_report_new(&r, "trace", &err), 0);
	assert_int_equal(sooth_report_read(r, "/nowhere/at.sooth", &err), -ENOENT);
	assert_int_equal(err.fault, SOOTH_FAULT_NOT_FOUND);
	assert_int_equal(sooth_report_read(r, "/", &err), -EISDIR);
	sooth_report_free(r);
}

static void test_usage(void **state)
{
	struct sooth_sink_options options = { .size = sizeof(options), .stream = stdout };
	struct sooth_report *r;
	struct sooth_error err;

	(void)state;
	assert_int_equal(sooth_report_new(&r, "trace", &err), 0);
	assert_int_equal(sooth_report_add_view(r, "nonsense", NULL, &err), -ENOENT);
	assert_int_equal(sooth_report_add_sink(r, "nonsense", &options, &err), -ENOENT);
	assert_int_equal(sooth_report_child_status(r), -1);
	sooth_report_free(r);
	sooth_report_free(NULL);
}

/* --- the record handler --- */

struct handled {
	uint64_t last_ns;
	unsigned count, unknown, until;
};

static int handle(void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	struct handled *h = user;

	assert_true(record->time_ns >= h->last_ns);
	h->last_ns = record->time_ns;
	h->unknown += schema == NULL;
	assert_true(!schema || schema->kind == record->kind);
	return ++h->count == h->until ? -ECANCELED : 0;
}

static void handle_three(struct handled *h, int expected)
{
	struct buffer records = { 0 };
	struct stream_tick unknown = { .record = { .time_ns = 5, .kind = 0x7f01 } };
	struct sooth_report *r;
	struct sooth_error err;
	struct block block;

	add_tick(&records, 30);
	add_tick(&records, 20);
	RECORD_APPEND(&records, &unknown, NULL, 0);
	block = block_of(&records, BLOCK_RECORDS, 0);
	assert_int_equal(sooth_report_new(&r, "trace", &err), 0);
	sooth_report_on_record(r, handle, h);
	assert_int_equal(report_block(r, &block, &err), 0);
	assert_int_equal(sooth_report_finish(r, &err), expected);
	sooth_report_free(r);
	buffer_fini(&records);
}

static void test_handler(void **state)
{
	struct handled all = { 0 }, some = { .until = 2 };

	(void)state;
	handle_three(&all, 0);
	assert_int_equal(all.count, 3);
	assert_int_equal(all.unknown, 1);
	handle_three(&some, -ECANCELED);
	assert_int_equal(some.count, 2);
}

/* --- the row handler --- */

static int take_row(void *user, const char *section, const struct sooth_schema *schema,
	const struct sooth_record *row)
{
	struct handled *h = user;

	assert_non_null(schema);
	assert_int_equal(schema->kind, row->kind);
	assert_true(*section);
	return ++h->count == h->until ? -ECANCELED : 0;
}

static void take_rows(struct handled *h, int expected)
{
	struct buffer records = { 0 };
	struct sooth_report *r;
	struct sooth_error err;
	struct block block;
	int status;

	add_tick(&records, 30);
	block = block_of(&records, BLOCK_RECORDS, 0);
	assert_int_equal(sooth_report_new(&r, "trace", &err), 0);
	assert_int_equal(sooth_report_on_row(r, take_row, h, &err), 0);
	status = report_block(r, &block, &err);
	assert_int_equal(status ? status : sooth_report_finish(r, &err), expected);
	sooth_report_free(r);
	buffer_fini(&records);
}

static void test_row_handler(void **state)
{
	struct handled all = { 0 }, some = { .until = 1 };

	(void)state;
	take_rows(&all, 0);
	assert_int_equal(all.count, 1); /* the notes are rows too */
	take_rows(&some, -ECANCELED);
	assert_int_equal(some.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_live_is_saved),
		cmocka_unit_test(test_public_way),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_not_a_capture),
		cmocka_unit_test(test_no_such_file),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_handler),
		cmocka_unit_test(test_row_handler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
