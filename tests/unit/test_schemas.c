/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of every registered schema: what a typing error would break unseen. */
#include "support.h"

#include <ctype.h>

#include "explain/registry.h"
#include "model/probe.h"
#include "recognize/agent_set.h"
#include "model/schema.h"

#define SCHEMAS_MAX 256

static const struct sooth_schema *all[SCHEMAS_MAX];
static size_t count;

static void collect(const struct sooth_schema *const *schemas)
{
	for (; *schemas; schemas++) {
		assert_true(count < SCHEMAS_MAX);
		all[count++] = *schemas;
	}
}

static int setup(void **state)
{
	(void)state;
	collect(stream_schemas);
	for (size_t i = 0; registry_probes[i]; i++)
		collect(registry_probes[i]->schemas);
	assert_true(count > 10);
	return 0;
}

static void test_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_ptr_equal(registry_schema(all[i]->kind), all[i]);
		for (size_t k = 0; k < i; k++) {
			assert_int_not_equal(all[i]->kind, all[k]->kind);
			assert_string_not_equal(all[i]->name, all[k]->name);
		}
		assert_int_equal((all[i]->kind & KIND_DEFINITION) != 0,
			all[i]->class_ == SOOTH_CLASS_DEFINITION);
		assert_int_not_equal(all[i]->class_, SOOTH_CLASS_ROW);
	}
	assert_null(registry_schema(0));
	assert_null(registry_schema(0xffff));
}

/* The kinds of a probe share a high byte, and their names begin with the probe's, or with the one
 * that it had when they were named: a kind keeps its name in captures. */
static void test_probes(void **state)
{
	(void)state;
	for (size_t i = 0; stream_schemas[i]; i++)
		assert_true(stream_schemas[i]->kind <= KIND_STREAM_LAST);
	for (size_t i = 0; registry_probes[i]; i++) {
		const struct probe *p = registry_probes[i];
		const char *name = p->old_name ? p->old_name : p->name;
		size_t size = strlen(name);

		assert_ptr_equal(registry_probe(p->name), p);
		assert_ptr_equal(registry_probe(name), p);
		assert_true(p->help && p->help[0]);
		assert_non_null(p->schemas[0]);
		for (size_t k = 0; p->schemas[k]; k++) {
			assert_true(p->schemas[k]->kind > KIND_STREAM_LAST);
			assert_int_equal(p->schemas[k]->kind >> 8, p->schemas[0]->kind >> 8);
			assert_memory_equal(p->schemas[k]->name, name, size);
			assert_int_equal(p->schemas[k]->name[size], '.');
		}
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(p->schemas[0]->kind >> 8,
				registry_probes[k]->schemas[0]->kind >> 8);
	}
	assert_null(registry_probe("nothing"));
}

static bool size_fits_type(const struct sooth_field *f)
{
	switch (f->type) {
	case SOOTH_FIELD_UNSIGNED:
		return f->size == 1 || f->size == 2 || f->size == 4 || f->size == 8;
	case SOOTH_FIELD_SIGNED:
		return f->size == 4 || f->size == 8;
	case SOOTH_FIELD_REAL:
		return f->size == sizeof(double);
	case SOOTH_FIELD_BOOL:
		return f->size == 1;
	case SOOTH_FIELD_ENUM:
	case SOOTH_FIELD_ERRNO:
		return f->size == 1 || f->size == 2 || f->size == 4;
	case SOOTH_FIELD_TEXT:
	case SOOTH_FIELD_ARGS:
	case SOOTH_FIELD_LIST:
	case SOOTH_FIELD_TEXTS:
	case SOOTH_FIELD_ROWS:
	case SOOTH_FIELD_SERIES:
		return f->size == sizeof(struct sooth_text);
	case SOOTH_FIELD_CHARS:
		return f->size > 0;
	case SOOTH_FIELD_HISTOGRAM:
		return f->size > 0 && f->size % 4 == 0;
	}
	return false;
}

static void check_name(const char *name)
{
	assert_true(name && islower((unsigned char)name[0]));
	for (; *name; name++)
		assert_true(islower((unsigned char)*name) || isdigit((unsigned char)*name) ||
			    *name == '_');
}

static void check_field(const struct sooth_schema *s, const struct sooth_field *f)
{
	check_name(f->name);
	assert_string_not_equal(f->name, "type"); /* JSON lines' own */
	assert_string_not_equal(f->name, "not_measured");
	assert_true(f->help && f->help[0]);
	if (!size_fits_type(f))
		fail_msg("%s.%s: %u bytes do not fit its type", s->name, f->name, f->size);
	assert_true(f->offset + f->size <= s->fixed_size);
	assert_int_equal(f->offset % (f->size < 8 ? (f->size & -f->size) : 4), 0);
	if (f->state_offset) {
		assert_true(f->state_offset >= sizeof(struct sooth_record));
		assert_true(f->state_offset < s->fixed_size);
	}
	/* Types that merging knows to merge. */
	if (f->merge != SOOTH_MERGE_KEY)
		assert_true(f->type == SOOTH_FIELD_UNSIGNED || f->type == SOOTH_FIELD_HISTOGRAM);
	if (f->type == SOOTH_FIELD_HISTOGRAM)
		assert_true(f->merge == SOOTH_MERGE_KEY || f->merge == SOOTH_MERGE_SUM);
}

static void test_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < count; i++) {
		const struct sooth_schema *s = all[i];

		assert_int_equal(s->fixed_size % SOOTH_RECORD_WORD, 0);
		assert_true(s->fixed_size >= sizeof(struct sooth_record));
		for (size_t k = 0; k < s->field_count; k++) {
			check_field(s, &s->fields[k]);
			assert_ptr_equal(sooth_schema_field(s, s->fields[k].name), &s->fields[k]);
		}
	}
}

/* Members that merge or are keys do not overlap: two fields may not share bytes by mistake. */
static void test_members_are_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < all[i]->field_count; k++) {
			const struct sooth_field *a = &all[i]->fields[k];

			for (size_t m = 0; m < k; m++) {
				const struct sooth_field *b = &all[i]->fields[m];

				assert_true(a->offset + a->size <= b->offset ||
					    b->offset + b->size <= a->offset);
			}
			for (size_t m = 0; m < all[i]->field_count; m++) {
				const struct sooth_field *b = &all[i]->fields[m];

				assert_false(a->state_offset >= b->offset && a->state_offset &&
					     a->state_offset < b->offset + b->size);
			}
		}
	}
}

/* Every {field} of a line exists. */
static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < count; i++) {
		for (const char *at = all[i]->line; at && (at = strchr(at, '{')); at++) {
			char name[64];

			snprintf(name, sizeof(name), "%.*s", (int)strcspn(at + 1, "}"), at + 1);
			if (!sooth_schema_field(all[i], name))
				fail_msg("%s: its line names {%s}", all[i]->name, name);
		}
	}
}

/* The description in a capture tells enough to find every member. */
static void test_describe(void **state)
{
	(void)state;
	for (size_t i = 0; i < count; i++) {
		struct buffer out = { 0 };
		const char *at;

		schema_describe(&out, all[i]);
		at = buffer_cstr(&out);
		for (size_t k = 0; k < all[i]->field_count; k++) {
			const struct sooth_field *f = &all[i]->fields[k];
			unsigned type, unit, offset, size, state_offset;
			char name[64];
			int used;

			assert_int_equal(sscanf(at, "%63s %u %u %u %u %u\n%n", name, &type, &unit,
						 &offset, &size, &state_offset, &used),
				6);
			assert_string_equal(name, f->name);
			assert_int_equal(type, f->type);
			assert_int_equal(unit, f->unit);
			assert_int_equal(offset, f->offset);
			assert_int_equal(size, f->size);
			assert_int_equal(state_offset, f->state_offset);
			at += used;
		}
		assert_int_equal(*at, 0);
		buffer_fini(&out);
	}
}

static void test_other_registries(void **state)
{
	(void)state;
	for (size_t i = 0; registry_stages[i]; i++) {
		const struct stage_type *s = registry_stages[i];

		assert_ptr_equal(registry_stage(s->name), s);
		assert_true(s->help && s->state_size && s->init && s->push && s->finish && s->fini);
		assert_true(!s->probe || registry_probe(s->probe));
	}
	for (size_t i = 0; registry_sinks[i]; i++) {
		const struct sink_type *s = registry_sinks[i];

		assert_ptr_equal(registry_sink(s->name), s);
		/* The other hooks are there for those that need them. */
		assert_true(s->help && s->open && s->rows);
	}
	for (size_t i = 0; registry_agents[i]; i++)
		assert_true(registry_agents[i]->name && registry_agents[i]->title &&
			    agent_rule_count(registry_agents[i]));
	assert_null(registry_stage("nothing"));
	assert_null(registry_sink("nothing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_probes),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_members_are_apart),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_other_registries),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
