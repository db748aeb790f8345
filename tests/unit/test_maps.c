/* SPDX-License-Identifier: BSD-2-Clause */
/* The output of the view "maps" for records. */
#include "shown.h"

#include "probes/maps.h"

#define NOT_REQUESTED SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED)

static const char *show(const char *format)
{
	return show_view("test", "maps", NULL, format);
}

static void add_mapping(uint32_t pid, struct maps_mapping m, const char *path)
{
	struct record_tail tail[] = { { &m.path, path, path ? strlen(path) : 0 } };

	m.record = (struct sooth_record){ .time_ns = 1, .pid = pid, .kind = MAPS_MAPPING };
	m.path_state = path ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	RECORD_APPEND(&records, &m, tail, 1);
}

static void add_runtime(uint32_t pid, uint32_t runtime, const char *why)
{
	struct maps_runtime_found f = {
		.record = { .time_ns = 1, .pid = pid, .kind = MAPS_RUNTIME }, .runtime = runtime
	};
	struct record_tail tail[] = { { &f.why, why, strlen(why) } };

	RECORD_APPEND(&records, &f, tail, 1);
}

static void add_end(uint32_t pid, struct maps_process p)
{
	p.record = (struct sooth_record){ .time_ns = 1, .pid = pid, .kind = MAPS_PROCESS };
	RECORD_APPEND(&records, &p, NULL, 0);
}

static void add_process(uint32_t pid)
{
	add_mapping(pid,
		(struct maps_mapping){ .from = 0x1000,
			.to = 0x5000,
			.inode = 9,
			.protection = MAPS_READ | MAPS_EXECUTE,
			.rss_bytes = 8192,
			.pss_bytes = 4096,
			.page_bytes = 4096 },
		"/bin/tool");
	add_mapping(pid,
		(struct maps_mapping){ .from = 0x10000,
			.to = 0x20000,
			.protection = MAPS_READ | MAPS_WRITE,
			.rss_bytes = 12288,
			.pss_bytes = 12288,
			.private_dirty_bytes = 12288,
			.swap_bytes = 4096,
			.page_bytes = 4096 },
		"[heap]");
	add_mapping(pid, (struct maps_mapping){ .from = 0x100000, .to = 0x100000 + (70ull << 30) },
		NULL);
	add_runtime(pid, MAPS_GLIBC, "libc.so.6 is mapped");
	add_end(pid, (struct maps_process){ .vsz_bytes = 70ull << 30,
			     .rss_bytes = 20480,
			     .mappings = 3,
			     .mappings_max = 65530 });
}

static void test_one(void **state)
{
	const char *json, *text;

	(void)state;
	add_process(5);
	json = show("json");
	assert_true(has(json, "\"class\": \"glibc-heap\",\n      \"mappings\": 1,\n      "
			      "\"size_bytes\": 65536,\n      \"reserved_bytes\": 49152,\n      "
			      "\"rss_bytes\": 12288,\n      \"pss_bytes\": 12288,\n      "
			      "\"dirty_bytes\": 12288,\n      \"swap_bytes\": 4096"));
	assert_true(
		has(json, "\"class\": \"reservation\",\n      \"mappings\": 1,\n      "
			  "\"size_bytes\": 75161927680,\n      \"reserved_bytes\": 75161927680,"));
	/* The largest resident one first; each is known by its first address. */
	assert_true(strstr(json, "\"key\": \"0x10000\"") < strstr(json, "\"key\": \"0x1000\""));
	assert_true(has(json, "\"protection\": \"r-xp\",\n      \"class\": \"file\",\n      "
			      "\"path\": \"/bin/tool\""));
	assert_true(has(json, "\"pss_bytes\": 16384,\n      \"mappings\": 3,\n      "
			      "\"mappings_max\": 65530"));
	assert_true(has(json, "\"reason\": \"libc.so.6 is mapped\""));
	text = show("table");
	assert_true(has(text, "in 3 mappings of 65530 allowed"));
	assert_true(has(text, "70.0G    70.0G"));
	assert_false(has(text, "PID CLASS"));
}

static void test_two(void **state)
{
	(void)state;
	add_process(5);
	add_process(6);
	assert_true(has(show("table"), "PID CLASS"));
}

/* Only the last whole reading counts. */
static void test_read_twice(void **state)
{
	const char *json;

	(void)state;
	add_process(5);
	add_mapping(5, (struct maps_mapping){ .from = 0x7000, .to = 0x8000, .inode = 1 }, "/new");
	add_end(5, (struct maps_process){ .mappings = 1 });
	add_mapping(5, (struct maps_mapping){ .from = 0x9000, .to = 0xa000, .inode = 1 }, "/cut");
	json = show("json");
	assert_true(has(json, "\"/new\""));
	assert_false(has(json, "/bin/tool"));
	assert_false(has(json, "/cut"));
}

static void test_without_detail(void **state)
{
	const char *json;

	(void)state;
	add_mapping(5,
		(struct maps_mapping){ .from = 0x1000,
			.to = 0x2000,
			.figures_state = NOT_REQUESTED,
			.flags_state = NOT_REQUESTED },
		"[heap]");
	add_end(5, (struct maps_process){ .mappings = 1, .figures_state = NOT_REQUESTED });
	json = show("json");
	assert_true(has(json, "\"class\": \"brk\",\n      \"mappings\": 1,\n      "
			      "\"size_bytes\": 4096,\n      \"reserved_bytes\": null,\n      "
			      "\"rss_bytes\": null"));
	assert_true(has(json, "\"rss_bytes\": \"not requested\""));
	assert_true(has(json, "\"pss_bytes\": \"not requested\""));
}

static void test_refused(void **state)
{
	const uint8_t refused = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
	const char *json;

	(void)state;
	add_end(5,
		(struct maps_process){
			.rss_bytes = 4096, .mappings_state = refused, .figures_state = refused });
	json = show("json");
	assert_true(has(json, "\"mappings\": \"permission denied\""));
	assert_true(has(json, "\"rss_bytes\": 4096"));
	assert_true(has(json, "\"maps\": []"));
	assert_true(has(show("table"), "no mapping could be read"));
}

static void test_truncated(void **state)
{
	(void)state;
	add_process(5);
	add_end(5, (struct maps_process){ .mappings_state = SOOTH_STATE_TRUNCATED });
	add_mapping(5, (struct maps_mapping){ .from = 0x1000, .to = 0x2000 }, NULL);
	add_end(5, (struct maps_process){ .mappings = 1, .mappings_state = SOOTH_STATE_TRUNCATED });
	assert_true(has(show("json"),
		"a process has more mappings than sooth can read; the rest is left out"));
}

/* More than people read: they see how many are left. */
static void test_many(void **state)
{
	const char *text;

	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		add_mapping(5,
			(struct maps_mapping){
				.from = i << 16, .to = (i << 16) + 4096, .inode = 1 },
			"/x");
	add_end(5, (struct maps_process){ .mappings = 100 });
	text = show("table");
	assert_true(has(text, "and 60 more"));
	assert_true(has(show("json"), "0x630000"));
}

/* Records of another writer, or of none: nothing outside them is read. */
static void test_hostile(void **state)
{
	struct maps_mapping *m;
	struct maps_runtime_found *f;

	(void)state;
	add_mapping(5, (struct maps_mapping){ .from = 9, .to = 3 }, "/backwards");
	add_mapping(5, (struct maps_mapping){ .from = 0, .to = UINT64_MAX, .inode = 1 }, "/x");
	m = (void *)(records.data + record_bytes((const void *)records.data));
	m->path = (struct sooth_text){ UINT32_MAX - 3, 8 };
	m->protection = 255;
	add_runtime(5, 4000000000u, "none such");
	add_runtime(5, MAPS_GO, "some");
	f = (void *)(records.data + records.size - sizeof(*f) - 8);
	f->why = (struct sooth_text){ 8, UINT32_MAX };
	add_end(5, (struct maps_process){ .mappings = 2 });
	show("table");
	assert_false(has(show("json"), "/backwards"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one),
		TEST(test_two),
		TEST(test_read_twice),
		TEST(test_without_detail),
		TEST(test_refused),
		TEST(test_truncated),
		TEST(test_many),
		TEST(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
