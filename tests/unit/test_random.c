/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Made records of every registered schema, valid ones and lying ones, through
 * the merge, every view and every format. Nothing may crash (a sanitizer looks
 * on), JSON must stay JSON. Seeded: the same numbers make the same records.
 */
#include "support.h"

#include "explain/output.h"
#include "explain/registry.h"
#include "model/probe.h"
#include "explain/report.h"
#include "json_check.h"
#include "model/schema.h"

#ifndef __has_feature
#define __has_feature(name) 0
#endif
#define ROUNDS		  (__has_feature(address_sanitizer) ? 2 : 6) /* sanitized, a round takes seconds */
#define BLOCKS		  30
#define BLOCK_RECORDS_MAX 60
#define RECORD_MAX	  2048
#define SCHEMAS_MAX	  256

static const struct sooth_schema *schemas[SCHEMAS_MAX];
static size_t schema_count;

static void collect(const struct sooth_schema *const *list)
{
	while (*list && schema_count < SCHEMAS_MAX)
		schemas[schema_count++] = *list++;
}

static int setup(void **state)
{
	(void)state;
	collect(stream_schemas);
	for (size_t i = 0; registry_probes[i]; i++)
		collect(registry_probes[i]->schemas);
	return 0;
}

struct maker {
	uint64_t seed;
	bool is_lying; /* whatever a hostile writer may put there */
	uint64_t now_ns;
};

static uint64_t random_number(struct maker *m)
{
	static const uint64_t telling[] = { 0, 1, 2, 127, 255, 4095, 65535, INT32_MAX, UINT32_MAX,
		INT64_MAX, (uint64_t)INT64_MIN, UINT64_MAX };

	switch (random_below(&m->seed, 3)) {
	case 0:
		return telling[random_below(&m->seed, ARRAY_SIZE(telling))];
	case 1:
		return random_below(&m->seed, 8);
	default:
		return random_next(&m->seed) >> random_below(&m->seed, 64);
	}
}

static size_t random_text(struct maker *m, char *to, size_t room)
{
	static const char *const pieces[] = { "word", "\0", " ", "\x1b[1m", "\xff\xfe", "</script>",
		"\"", "\\", "\n", "\xe2\x80\xae", "/usr/bin/claude", "--append-system-prompt",
		"Working in: x @y", "node", "/.local/share/claude/versions/", "proc", "syscalls" };
	size_t size = 0;

	for (uint64_t i = random_below(&m->seed, 6); i > 0; i--) {
		const char *piece = pieces[random_below(&m->seed, ARRAY_SIZE(pieces))];
		size_t length = *piece ? strlen(piece) : 1;

		if (size + length > room)
			break;
		memcpy(to + size, piece, length);
		size += length;
	}
	return size;
}

static bool has_tail(const struct sooth_field *f)
{
	return f->type == SOOTH_FIELD_TEXT || f->type == SOOTH_FIELD_ARGS ||
	       f->type == SOOTH_FIELD_LIST;
}

/* The fixed part: any bytes, states that exist (unless lying), processes from a small set. */
static void fill_fixed(struct maker *m, const struct sooth_schema *s, unsigned char *fixed)
{
	struct sooth_record *r = (void *)fixed;

	for (size_t at = 0; at + 8 <= s->fixed_size; at += 8) {
		uint64_t value = random_number(m);

		memcpy(fixed + at, &value, 8);
	}
	r->kind = s->kind;
	r->pid = (uint32_t)random_below(&m->seed, 4);
	r->start_ticks = r->pid * 100;
	r->time_ns = m->now_ns + random_below(&m->seed, 1000);
	if (m->is_lying && !random_below(&m->seed, 10))
		r->time_ns = random_number(m);
	for (size_t i = 0; i < s->field_count && !m->is_lying; i++) {
		if (s->fields[i].state_offset)
			fixed[s->fields[i].state_offset] =
				SOOTH_STATE(random_below(&m->seed, 5), random_below(&m->seed, 8));
	}
}

static void lie(struct maker *m, struct sooth_record *r, const struct sooth_schema *s)
{
	uint16_t whole = r->words;

	for (size_t i = 0; i < s->field_count; i++) {
		struct sooth_text text = { (uint32_t)random_number(m), (uint32_t)random_number(m) };

		if (has_tail(&s->fields[i]) && random_below(&m->seed, 2))
			memcpy((unsigned char *)r + s->fields[i].offset, &text, sizeof(text));
	}
	switch (random_below(&m->seed, 4)) {
	case 0: /* an older writer, or one that says so */
		r->fixed_words = (uint16_t)(4 + random_below(&m->seed, r->fixed_words - 3));
		break;
	case 1: /* a newer one */
		r->fixed_words = whole;
		break;
	case 2:
		r->kind = (uint16_t)random_number(m);
		break;
	}
}

static void make_record(struct maker *m, struct buffer *out)
{
	const struct sooth_schema *s = schemas[random_below(&m->seed, schema_count)];
	unsigned char fixed[RECORD_MAX] __attribute__((aligned(8)));
	struct record_tail tails[32];
	char bytes[32][64];
	size_t tail_count = 0, at = out->size;

	assert_true(s->fixed_size <= sizeof(fixed));
	fill_fixed(m, s, fixed);
	for (size_t i = 0; i < s->field_count && tail_count < ARRAY_SIZE(tails); i++) {
		if (!has_tail(&s->fields[i]))
			continue;
		tails[tail_count].text = (void *)(fixed + s->fields[i].offset);
		tails[tail_count].data = bytes[tail_count];
		tails[tail_count].size = random_text(m, bytes[tail_count], sizeof(bytes[0]));
		tail_count++;
	}
	record_append(out, (void *)fixed, s->fixed_size, tails, tail_count);
	if (m->is_lying && random_below(&m->seed, 2))
		lie(m, (void *)(out->data + at), s);
	assert_true(sooth_record_check((void *)(out->data + at), out->size - at));
}

/* A block as it is alone in memory, so that a step beyond it is seen. */
static int give(struct sooth_report **reports, size_t count, struct maker *m)
{
	struct buffer records = { 0 };
	unsigned char *exact;
	struct sooth_error err;
	struct block block;

	for (uint64_t i = 1 + random_below(&m->seed, BLOCK_RECORDS_MAX); i > 0; i--)
		make_record(m, &records);
	exact = malloc(records.size);
	memcpy(exact, records.data, records.size);
	block = block_of(&records, random_below(&m->seed, 9) ? BLOCK_RECORDS : BLOCK_SEGMENT,
		random_below(&m->seed, 2) ? m->now_ns : 0);
	block.batch.data = exact;
	m->now_ns += random_below(&m->seed, 500);
	for (size_t i = 0; i < count; i++)
		/* A view may end because the records say that its process may not be read. */
		if (report_block(reports[i], &block, &err) && err.fault != SOOTH_FAULT_PRIVILEGE)
			fail_msg("report %zu: cannot %s: %s", i, err.tried, err.why);
	buffer_fini(&records);
	free(exact);
	return 0;
}

struct seen {
	uint64_t records;
};

static int count_record(void *user, const struct sooth_schema *schema, const struct sooth_record *r)
{
	struct seen *s = user;

	s->records++;
	for (size_t i = 0; schema && i < schema->field_count; i++) {
		struct buffer out = { 0 };
		struct sooth_value v = sooth_field_get(&schema->fields[i], r);

		value_format(&out, &schema->fields[i], &v);
		assert_false(buffer_failed(&out));
		buffer_fini(&out);
	}
	return 0;
}

/* A view in every format; the last report has all views there are. */
static void add_views(struct sooth_report *r, size_t stage)
{
	struct sooth_error err;

	if (registry_stages[stage])
		assert_int_equal(
			sooth_report_add_view(r, registry_stages[stage]->name, NULL, &err), 0);
	else
		sooth_report_add_default_views(r);
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

/* A picture or page has scripts of ours in it, with tabs. */
static bool is_picture(const struct text *t)
{
	return t->size > 5 && (!memcmp(t->data, "<?xml", 5) || !memcmp(t->data, "<!DOC", 5));
}

static void check_text(const char *format, const struct text *t)
{
	if (!strcmp(format, "json") || !strcmp(format, "speedscope") ||
		!strcmp(format, "firefox") || !strcmp(format, "chrome"))
		assert_true(json_check(t->data, t->size, 1));
	else if (!strcmp(format, "jsonl"))
		assert_true(json_check(t->data, t->size, lines_of(t->data)));
	if (!strcmp(format, "pprof")) { /* gzip, or nothing */
		assert_true(!t->size || (t->size > 2 && !memcmp(t->data, "\x1f\x8b", 2)));
		return;
	}
	if (!strcmp(format, "heaptrack")) /* bytes of names as they are, but no line ends in one */
		return;
	if (!strcmp(format, "msgpack-rows")) { /* frames of zstd */
		assert_true(t->size > 4 && !memcmp(t->data, "\x28\xb5\x2f\xfd", 4));
		return;
	}
	for (size_t i = 0; i < t->size; i++)
		assert_true(
			(unsigned char)t->data[i] >= ' ' || t->data[i] == '\n' ||
			(t->data[i] == '\t' && is_picture(t)) ||
			(!strcmp(format, "csv") && t->data[i] == '\r' && t->data[i + 1] == '\n'));
}

#define REPORTS_MAX 1024

static void one_round(uint64_t seed, bool is_lying)
{
	struct sooth_report *reports[REPORTS_MAX];
	struct text texts[REPORTS_MAX];
	const char *formats[REPORTS_MAX];
	struct seen seen = { 0 };
	struct maker maker = { .seed = seed, .is_lying = is_lying, .now_ns = 1000000 };
	struct sooth_error err = { 0 };
	size_t count = 0, stage = 0;

	do {
		for (size_t i = 0; registry_sinks[i]; i++) {
			struct sooth_sink_options options = { .size = sizeof(options),
				.width = (unsigned)random_below(&maker.seed, 3) * 60 };

			assert_true(count < REPORTS_MAX);
			text_open(&texts[count]);
			options.stream = texts[count].stream;
			formats[count] = registry_sinks[i]->name;
			assert_int_equal(sooth_report_new(&reports[count], "random", &err), 0);
			add_views(reports[count], stage);
			assert_int_equal(sooth_report_add_sink(
						 reports[count], formats[count], &options, &err),
				0);
			count++;
		}
	} while (registry_stages[stage++]);
	sooth_report_on_record(reports[0], count_record, &seen);
	for (int i = 0; i < BLOCKS; i++)
		give(reports, count, &maker);
	for (size_t i = 0; i < count; i++) {
		/* A view may refuse what it cannot show, such as more than one process. */
		err = (struct sooth_error){ 0 };
		bool is_refused =
			sooth_report_finish(reports[i], &err) &&
			(err.fault == SOOTH_FAULT_USAGE || err.fault == SOOTH_FAULT_NOT_FOUND);

		assert_true(is_refused || !err.code);
		sooth_report_free(reports[i]);
		text_close(&texts[i]);
		if (!is_refused)
			check_text(formats[i], &texts[i]);
		text_free(&texts[i]);
	}
	assert_true(seen.records > BLOCKS);
}

static void test_valid(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= ROUNDS; seed++)
		one_round(seed, false);
}

static void test_lying(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= ROUNDS; seed++)
		one_round(seed * 1000, true);
}

/* Records as they are to a format, as a section of their own schema. */
static void test_every_schema_in_every_sink(void **state)
{
	struct maker maker = { .seed = 77, .is_lying = true, .now_ns = 5 };

	(void)state;
	for (size_t i = 0; registry_sinks[i]; i++) {
		struct sink_options options = { 0 };
		struct sooth_error err = { 0 };
		struct output *output;
		struct text text;
		bool is_refused;

		text_open(&text);
		options.stream = text.stream;
		assert_int_equal(output_new(&output, NULL), 0);
		assert_int_equal(output_add_sink(output, registry_sinks[i], &options, NULL), 0);
		assert_int_equal(output_begin(output, &(struct report_head){ "x", 1 }, NULL), 0);
		for (size_t k = 0; k < schema_count; k++) {
			struct section section = { .name = schemas[k]->name,
				.schema = schemas[k],
				.shape = SECTION_TABLE };

			assert_int_equal(output_section(output, &section, NULL), 0);
			for (int n = 0; n < 20; n++) {
				struct buffer one = { 0 };

				make_record(&maker, &one); /* also one of another kind */
				assert_int_equal(output_record(output, (void *)one.data, NULL), 0);
				buffer_fini(&one);
			}
			assert_int_equal(output_close_section(output, NULL), 0);
		}
		/* A picture of rows that are no stacks is refused. */
		is_refused = output_end(output, &err) && err.fault == SOOTH_FAULT_USAGE;
		assert_true(is_refused || !err.code);
		output_free(output);
		text_close(&text);
		if (!is_refused)
			check_text(registry_sinks[i]->name, &text);
		text_free(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_lying),
		cmocka_unit_test(test_every_schema_in_every_sink),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
