/* SPDX-License-Identifier: BSD-2-Clause */
/* The index: what it tells, what is refused, and what of a capture belongs to a part. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/capture_file.h"
#include "capture/writer.h"
#include "explain/time_range.h"
#include "model/probe.h"
#include "probes/syscalls.h"

#define BEGIN_NS 1000
#define BLOCKS	 50

struct file {
	char path[64];
};

static int setup(void **state)
{
	struct file *f = calloc(1, sizeof(*f));
	int fd;

	snprintf(f->path, sizeof(f->path), "/tmp/test_index.XXXXXX");
	fd = mkstemp(f->path);
	if (fd < 0)
		return -1;
	close(fd);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct file *f = *state;

	unlink(f->path);
	free(f);
	return 0;
}

static void add_kind(struct buffer *out, uint16_t kind, uint64_t time_ns)
{
	struct sooth_record r = { .time_ns = time_ns, .kind = kind };

	RECORD_APPEND(out, &(struct stream_begin){ .record = r }, NULL, 0);
}

static void add_count(struct buffer *out, uint64_t from_ns, uint64_t time_ns)
{
	struct syscalls_count count = { .record = { .time_ns = time_ns, .kind = SYSCALLS_COUNT },
		.from_ns = from_ns,
		.count = 1 };

	RECORD_APPEND(out, &count, NULL, 0);
}

static void put(struct capture_writer *w, struct buffer *records, enum block_type type)
{
	struct block block = block_of(records, type, 0);
	struct sooth_error err;

	assert_int_equal(capture_writer_block(w, &block, &err), 0);
	buffer_reset(records);
}

static void add_end(struct buffer *out, uint64_t time_ns)
{
	struct stream_end end = { .record = { .time_ns = time_ns, .kind = STREAM_END } };

	RECORD_APPEND(out, &end, NULL, 0);
}

/* A head, a block for each tenth nanosecond with two ticks, an end. */
static void write_capture(const struct file *f, uint64_t segment_bytes)
{
	struct capture_options options = { .segment_bytes = segment_bytes,
		.judge = time_range_classify };
	struct buffer records = { 0 };
	struct capture_writer *w;
	struct sooth_error err;

	assert_int_equal(capture_writer_open(&w, f->path, &options, &err), 0);
	add_kind(&records, STREAM_BEGIN, BEGIN_NS);
	put(w, &records, BLOCK_SEGMENT);
	for (uint64_t i = 0; i < BLOCKS; i++) {
		add_tick(&records, BEGIN_NS + 10 * i);
		add_tick(&records, BEGIN_NS + 10 * i + 5);
		put(w, &records, BLOCK_RECORDS);
	}
	add_end(&records, BEGIN_NS + 10 * BLOCKS);
	put(w, &records, BLOCK_RECORDS);
	assert_int_equal(capture_writer_finish(w, &err), 0);
	capture_writer_free(w);
	buffer_fini(&records);
}

static struct survey survey_of(const struct file *f, bool is_indexed)
{
	struct capture_file file;
	struct survey s = { 0 };
	struct sooth_error err;

	assert_int_equal(capture_file_open(&file, f->path, &err), 0);
	assert_int_equal(capture_file_survey(&file, &s), is_indexed);
	capture_file_close(&file);
	return s;
}

static int count_block(void *user, const struct block *block, struct sooth_error *err)
{
	(void)err;
	survey_block(user, block);
	return 0;
}

/* Reads the file, whether parts were chosen before or not, and whatever is damaged in it. */
static struct survey read_damaged(struct capture_file *file, size_t piece, uint64_t *damaged)
{
	struct block_reader reader = { 0 };
	struct survey s = { 0 };
	struct sooth_error err;
	char bytes[4096];
	ssize_t got;

	while ((got = capture_file_read(file, bytes, piece, &err)) > 0)
		assert_int_equal(
			block_reader_feed(&reader, bytes, (size_t)got, count_block, &s, &err), 0);
	assert_int_equal(got, 0);
	assert_int_equal(block_reader_finish(&reader, count_block, &s, &err), 0);
	*damaged = reader.damaged_blocks + reader.damaged_bytes + reader.cut_bytes;
	block_reader_fini(&reader);
	return s;
}

static struct survey read_file(struct capture_file *file, size_t piece)
{
	uint64_t damaged;
	struct survey s = read_damaged(file, piece, &damaged);

	assert_int_equal(damaged, 0);
	return s;
}

static uint64_t count_of(const struct survey *s, uint16_t kind)
{
	const uint64_t *count = map_get(&s->kinds, &kind);

	return count ? *count : 0;
}

static void test_survey(void **state)
{
	static const uint64_t segments[] = { 0, 700, 200 };
	struct file *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(segments); i++) {
		struct capture_file file;
		struct survey told, read;
		struct sooth_error err;

		write_capture(f, segments[i]);
		told = survey_of(f, true);
		assert_int_equal(capture_file_open(&file, f->path, &err), 0);
		read = read_file(&file, 100);
		capture_file_close(&file);
		assert_int_equal(told.records, 2 * BLOCKS + 2);
		assert_int_equal(count_of(&told, STREAM_TICK), 2 * BLOCKS);
		assert_int_equal(count_of(&told, STREAM_BEGIN), 1);
		assert_int_equal(told.begin_ns, BEGIN_NS);
		assert_int_equal(told.end_ns, BEGIN_NS + 10 * BLOCKS);
		assert_int_equal(told.last_ns, told.end_ns);
		assert_int_equal(told.records, read.records);
		assert_int_equal(told.blocks, read.blocks);
		assert_int_equal(told.heads, read.heads);
		assert_int_equal(told.raw_bytes, read.raw_bytes);
		assert_int_equal(told.kinds.count, read.kinds.count);
		assert_int_equal(told.heads > 1, segments[i] != 0);
		survey_fini(&told);
		survey_fini(&read);
	}
}

static void test_chosen(void **state)
{
	static const size_t pieces[] = { 7, 64, 4096 };
	struct time_range part = { .is_requested = true,
		.is_known = true,
		.from_ns = BEGIN_NS + 105,
		.to_ns = BEGIN_NS + 201 };
	struct file *f = *state;

	write_capture(f, 900);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct capture_file file;
		struct sooth_error err;
		struct survey s;

		assert_int_equal(capture_file_open(&file, f->path, &err), 0);
		assert_true(capture_file_choose(&file, time_range_wants, &part));
		s = read_file(&file, pieces[i]);
		/* From the one that ends with 105 to the one that begins with 200. */
		assert_int_equal(count_of(&s, STREAM_TICK), 2 * 11);
		assert_int_equal(s.end_ns, BEGIN_NS + 10 * BLOCKS);
		survey_fini(&s);
		/* And all of it again. */
		assert_true(capture_file_rewind(&file));
		s = read_file(&file, pieces[i]);
		assert_int_equal(count_of(&s, STREAM_TICK), 2 * BLOCKS);
		survey_fini(&s);
		capture_file_close(&file);
	}
}

static void put_with(struct capture_writer *w, struct buffer *records, uint64_t watermark_ns)
{
	struct block block = block_of(records, BLOCK_RECORDS, watermark_ns);
	struct sooth_error err;

	assert_int_equal(capture_writer_block(w, &block, &err), 0);
	buffer_reset(records);
}

/* Records of far away blocks must not wait for a watermark of the part. */
static void test_watermarks(void **state)
{
	struct capture_options options = { .segment_bytes = 1000, .judge = time_range_classify };
	struct time_range part = {
		.is_requested = true, .is_known = true, .from_ns = 800, .to_ns = 810
	};
	struct file *f = *state;
	struct buffer records = { 0 };
	struct capture_writer *w;
	struct capture_file file;
	struct sooth_error err;
	struct survey s;

	assert_int_equal(capture_writer_open(&w, f->path, &options, &err), 0);
	for (uint64_t t = 10; t < 500; t += 10) {
		if (t % 50 == 0) {
			add_limit_note(&records, t, "this");
			put_with(w, &records, 0);
		}
		add_tick(&records, t);
		put_with(w, &records, t % 20 ? 0 : t);
	}
	assert_int_equal(capture_writer_finish(w, &err), 0);
	capture_writer_free(w);
	assert_int_equal(capture_file_open(&file, f->path, &err), 0);
	assert_true(capture_file_choose(&file, time_range_wants, &part));
	s = read_file(&file, 100);
	/* Behind each note one tick, that has the watermark. */
	assert_int_equal(count_of(&s, STREAM_LIMIT), 9);
	assert_int_equal(count_of(&s, STREAM_TICK), 9);
	survey_fini(&s);
	capture_file_close(&file);
	buffer_fini(&records);
}

static void assert_same(const struct survey *told, const struct survey *read)
{
	assert_int_equal(told->begin_ns, read->begin_ns);
	assert_int_equal(told->end_ns, read->end_ns);
	assert_int_equal(told->last_ns, read->last_ns);
	assert_int_equal(told->records, read->records);
	assert_int_equal(told->blocks, read->blocks);
	assert_int_equal(told->heads, read->heads);
	assert_int_equal(told->raw_bytes, read->raw_bytes);
	assert_int_equal(told->kinds.count, read->kinds.count);
}

/* By index, as far as there is one, the file says what all of it says; so does a part, chosen. */
static bool check_by_index(const struct file *f)
{
	struct time_range part = { .is_requested = true,
		.is_known = true,
		.from_ns = BEGIN_NS + 105,
		.to_ns = BEGIN_NS + 201 };
	struct survey told = { 0 }, read, chosen;
	struct capture_file file;
	struct sooth_error err;
	uint64_t damaged, same_damage;
	bool has_gaps = false;

	assert_int_equal(capture_file_open(&file, f->path, &err), 0);
	if (capture_file_survey(&file, &told)) {
		has_gaps = told.has_gaps;
		read = read_damaged(&file, 1000, &damaged);
		assert_same(&told, &read);
		assert_true(capture_file_choose(&file, time_range_wants, &part));
		chosen = read_damaged(&file, 1000, &same_damage);
		assert_int_equal(damaged, same_damage);
		assert_int_equal(chosen.end_ns, read.end_ns);
		assert_true(chosen.records <= read.records);
		survey_fini(&read);
		survey_fini(&chosen);
	}
	survey_fini(&told);
	capture_file_close(&file);
	return has_gaps;
}

/* A killed writer may have come to any byte. */
static void test_cut_anywhere(void **state)
{
	struct file *f = *state;
	size_t with_gaps = 0;
	struct stat st;

	write_capture(f, 2000);
	assert_int_equal(stat(f->path, &st), 0);
	for (off_t size = st.st_size - 1; size >= 0; size -= 3) {
		assert_int_equal(truncate(f->path, size), 0);
		with_gaps += check_by_index(f);
	}
	/* But the first segment, which has no index before its end. */
	assert_true(with_gaps > (size_t)st.st_size / 3 / 2);
}

static void append_file(const char *to, const struct buffer *bytes, off_t at)
{
	int fd = open(to, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes->data, bytes->size, at), (ssize_t)bytes->size);
	close(fd);
}

static void read_whole(const struct file *f, struct buffer *to)
{
	struct capture_file file;
	struct sooth_error err;
	char bytes[4096];
	ssize_t got;

	assert_int_equal(capture_file_open(&file, f->path, &err), 0);
	while ((got = capture_file_read(&file, bytes, sizeof(bytes), &err)) > 0)
		buffer_append(to, bytes, (size_t)got);
	capture_file_close(&file);
}

/* A capture behind one whose end is missing: what lies between their indexes is read, and only
 * that; and so where something of one index is broken. */
static void test_gaps_between(void **state)
{
	struct file *f = *state;
	struct buffer whole = { 0 };
	struct survey s;

	write_capture(f, 2000);
	read_whole(f, &whole);
	for (size_t cut = 8; cut < 1000; cut += 41) {
		assert_int_equal(truncate(f->path, (off_t)(whole.size - cut)), 0);
		append_file(f->path, &whole, (off_t)(whole.size - cut));
		assert_true(check_by_index(f));
	}
	assert_int_equal(truncate(f->path, 0), 0);
	for (size_t at = whole.size / 2; at < whole.size; at += 13) {
		whole.data[at] ^= 4;
		append_file(f->path, &whole, 0);
		s = survey_of(f, true);
		assert_int_equal(s.begin_ns, BEGIN_NS);
		survey_fini(&s);
		whole.data[at] ^= 4;
	}
	buffer_fini(&whole);
}

/* Further back than a segment reaches nothing is looked for, and one that lies across the pieces
 * in which it is looked for is found. */
static void test_far_away(void **state)
{
	static const struct {
		off_t bytes;
		bool is_found;
	} zeros[] = { { (1 << 20) - 8, true }, { 5 << 20, true }, { 82 << 20, false } };
	struct file *f = *state;
	struct capture_file file;
	struct sooth_error err;
	struct stat st;

	write_capture(f, 0);
	assert_int_equal(stat(f->path, &st), 0);
	for (size_t i = 0; i < ARRAY_SIZE(zeros); i++) {
		assert_int_equal(truncate(f->path, st.st_size + zeros[i].bytes), 0);
		assert_int_equal(capture_file_open(&file, f->path, &err), 0);
		assert_int_equal(capture_file_is_indexed(&file), zeros[i].is_found);
		capture_file_close(&file);
	}
}

static void test_no_file(void **state)
{
	struct file *f = *state;
	struct capture_file file;
	struct sooth_error err;

	unlink(f->path);
	assert_int_equal(capture_file_open(&file, f->path, &err), -ENOENT);
	capture_file_close(&file);
	assert_int_equal(capture_file_open(&file, "/dev/null", &err), 0);
	assert_false(capture_file_is_indexed(&file));
	assert_false(capture_file_rewind(&file));
	capture_file_close(&file);
}

/* --- what is refused --- */

static struct buffer payload_of_one(void)
{
	struct index_builder b = { 0 };
	struct buffer records = { 0 }, out = { 0 };
	struct sooth_error err;
	struct block block;

	add_tick(&records, 5);
	block = block_of(&records, BLOCK_RECORDS, 0);
	index_add_block(&b, &block, 120, NULL);
	index_add_block(&b, &block, 128, NULL);
	assert_int_equal(index_encode(&b, &out, 2, &err), 0);
	buffer_consume(&out, sizeof(struct block_header));
	index_builder_fini(&b);
	buffer_fini(&records);
	return out;
}

static void refuse(const char *what, size_t offset, const void *value, size_t size)
{
	struct buffer payload = payload_of_one();
	struct index_view v;

	memcpy(payload.data + offset, value, size);
	if (index_parse(&v, payload.data, payload.size))
		fail_msg("%s is believed", what);
	buffer_fini(&payload);
}

#define REFUSE(what, offset, type, value) refuse(what, offset, &(type){ value }, sizeof(type))

static void test_refused(void **state)
{
	struct buffer payload = payload_of_one();
	size_t entry = sizeof(struct index_head);
	struct index_view v;

	(void)state;
	assert_true(index_parse(&v, payload.data, payload.size));
	assert_int_equal(v.head.entries, 2);
	assert_int_equal(v.head.bytes, 248);
	assert_int_equal(index_entry_at(&v, 1).bytes, 128);
	for (size_t size = 0; size < payload.size; size++)
		assert_false(index_parse(&v, payload.data, size));
	REFUSE("another version", offsetof(struct index_head, version), uint32_t, 2);
	REFUSE("no entry", offsetof(struct index_head, entries), uint32_t, 0);
	REFUSE("one more", offsetof(struct index_head, entries), uint32_t, 3);
	REFUSE("far more", offsetof(struct index_head, entries), uint32_t, UINT32_MAX);
	REFUSE("more kinds", offsetof(struct index_head, kinds), uint32_t, UINT32_MAX);
	REFUSE("other bytes", offsetof(struct index_head, bytes), uint64_t, 249);
	REFUSE("a block too short", entry + offsetof(struct index_entry, bytes), uint32_t, 64);
	REFUSE("one that is not of words", entry + offsetof(struct index_entry, bytes), uint32_t,
		121);
	REFUSE("a last before the first", entry + offsetof(struct index_entry, last_ns), uint64_t,
		4);
	REFUSE("a since behind it", entry + offsetof(struct index_entry, since_ns), uint64_t, 6);
	REFUSE("another length", payload.size - INDEX_TRAILER_SIZE, uint64_t, 1);
	REFUSE("another magic", payload.size - 1, char, 'Y');
	buffer_fini(&payload);
}

/* --- parts --- */

/* Times of what is kept of these records, of that kind. */
static size_t kept(
	struct time_range *p, const struct buffer *records, uint16_t kind, uint64_t *last_ns)
{
	struct batch all = { records->data, records->size }, some = time_range_select(p, &all);
	size_t count = 0;

	batch_for_each (r, &some) {
		if (r->kind != kind)
			continue;
		count++;
		*last_ns = r->time_ns;
	}
	return count;
}

static void test_part(void **state)
{
	struct buffer records = { 0 };
	struct time_range p = { 0 };
	struct sooth_error err;
	uint64_t last_ns = 0;

	(void)state;
	assert_int_equal(time_range_ask(&p, 100, 200, &err), 0);
	add_kind(&records, STREAM_BEGIN, BEGIN_NS);
	add_kind(&records, 0x0281, BEGIN_NS + 10);
	add_limit_note(&records, BEGIN_NS + 20, "early");
	add_tick(&records, BEGIN_NS + 99);
	add_tick(&records, BEGIN_NS + 100);
	add_tick(&records, BEGIN_NS + 199);
	add_tick(&records, BEGIN_NS + 200);
	add_count(&records, BEGIN_NS + 100, BEGIN_NS + 150); /* inside */
	add_count(&records, BEGIN_NS + 99, BEGIN_NS + 150);
	add_count(&records, BEGIN_NS + 150, BEGIN_NS + 200);
	add_count(&records, BEGIN_NS, BEGIN_NS + 300);
	add_count(&records, BEGIN_NS, BEGIN_NS + 99); /* before, wholly */
	add_count(&records, BEGIN_NS + 200, BEGIN_NS + 300);
	add_kind(&records, 0x0281, BEGIN_NS + 250);
	add_end(&records, BEGIN_NS + 400);
	assert_int_equal(kept(&p, &records, STREAM_TICK, &last_ns), 2);
	assert_int_equal(last_ns, BEGIN_NS + 199);
	p.left_out = 0;
	assert_int_equal(kept(&p, &records, SYSCALLS_COUNT, &last_ns), 1);
	assert_int_equal(p.left_out, 3);
	assert_int_equal(kept(&p, &records, 0x0281, &last_ns), 1);
	assert_int_equal(last_ns, BEGIN_NS + 10);
	/* Records of the whole capture are moved inside: no rate is of another time. */
	assert_int_equal(kept(&p, &records, STREAM_BEGIN, &last_ns), 1);
	assert_int_equal(last_ns, BEGIN_NS + 100);
	assert_int_equal(kept(&p, &records, STREAM_LIMIT, &last_ns), 1);
	assert_int_equal(last_ns, BEGIN_NS + 100);
	assert_int_equal(kept(&p, &records, STREAM_END, &last_ns), 1);
	assert_int_equal(last_ns, BEGIN_NS + 200);
	assert_int_equal(time_range_check(&p, &err), 0);
	time_range_fini(&p);
	buffer_fini(&records);
}

static void test_part_from_the_end(void **state)
{
	struct survey s = { .begin_ns = BEGIN_NS, .end_ns = BEGIN_NS + 500, .last_ns = 9000 };
	struct time_range p = { 0 };
	struct sooth_error err;

	(void)state;
	assert_int_equal(time_range_ask(&p, -100, TIME_RANGE_OPEN, &err), 0);
	assert_true(time_range_needs_end(&p));
	assert_int_equal(time_range_check(&p, &err), -EINVAL);
	time_range_learn(&p, &s);
	assert_true(p.is_known);
	assert_int_equal(p.from_ns, BEGIN_NS + 400);
	assert_int_equal(p.to_ns, UINT64_MAX);
	/* Longer than the capture is: what there is. A cut capture ends with its last record. */
	p = (struct time_range){ 0 };
	assert_int_equal(time_range_ask(&p, 0, -9000, &err), 0);
	time_range_learn(&p, &s);
	assert_int_equal(p.to_ns, BEGIN_NS);
	s.end_ns = 0;
	p = (struct time_range){ 0 };
	assert_int_equal(time_range_ask(&p, -1000, -500, &err), 0);
	time_range_learn(&p, &s);
	assert_int_equal(p.from_ns, 8000);
	assert_int_equal(p.to_ns, 8500);
}

static void test_part_refused(void **state)
{
	struct time_range p = { 0 };
	struct sooth_error err;

	(void)state;
	assert_int_equal(time_range_ask(&p, 5, 5, &err), -EINVAL);
	assert_int_equal(time_range_ask(&p, -5, -5, &err), -EINVAL);
	assert_int_equal(time_range_ask(&p, -5, -6, &err), -EINVAL);
	assert_false(p.is_requested);
	assert_int_equal(time_range_ask(&p, 5, -5, &err), 0);
	assert_int_equal(time_range_ask(&p, -5, 5, &err), 0);
	assert_int_equal(time_range_ask(&p, INT64_MAX - 1, INT64_MAX, &err), 0);
	time_range_learn(
		&p, &(struct survey){ .begin_ns = UINT64_MAX - 10, .end_ns = UINT64_MAX - 5 });
	assert_int_equal(p.from_ns, UINT64_MAX);
	assert_int_equal(time_range_check(&p, &err), -EINVAL);
}

/* Who says since when a record speaks says it right behind the header, in the time of the host. */
static void test_time_spans(void **state)
{
	unsigned windows = 0;

	(void)state;
	for (uint32_t kind = 0; kind <= UINT16_MAX; kind++) {
		const struct sooth_schema *s = registry_schema((uint16_t)kind);
		const struct sooth_field *start = s ? sooth_schema_field(s, "start_ns") : NULL;

		if (!s || s->time_span == SOOTH_TIME_SPAN_MOMENT ||
			s->time_span == SOOTH_TIME_SPAN_RUN)
			continue;
		windows++;
		assert_true(s->fixed_size >= sizeof(struct sooth_record) + sizeof(uint64_t));
		if (start)
			assert_int_equal(start->offset, sizeof(struct sooth_record));
		else
			assert_int_equal(kind, STREAM_LOSS);
	}
	assert_true(windows >= 6);
	/* All that counts over a time has one. */
	for (uint32_t kind = 0; kind <= UINT16_MAX; kind++) {
		const struct sooth_schema *s = registry_schema((uint16_t)kind);

		if (s && s->class_ == SOOTH_CLASS_AGGREGATE)
			assert_true(s->time_span == SOOTH_TIME_SPAN_WINDOW ||
				    s->time_span == SOOTH_TIME_SPAN_REACH);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_survey, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chosen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_watermarks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut_anywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gaps_between, setup, teardown),
		cmocka_unit_test_setup_teardown(test_far_away, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_file, setup, teardown),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_part),
		cmocka_unit_test(test_part_from_the_end),
		cmocka_unit_test(test_part_refused),
		cmocka_unit_test(test_time_spans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
