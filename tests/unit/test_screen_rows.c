/* SPDX-License-Identifier: BSD-2-Clause */
/* From frames to the rows that a screen shows: marks, filter, order, tree, and the pick. */
#include "support.h"

#include "analyze/processes/processes.h"
#include "base/units.h"
#include "cli/screen/screen_state.h"
#include "explain/report.h"
#include "probes/proc.h"

static struct screen screen;
static struct sooth_report *report;
static struct buffer records;
static uint64_t now;

static int begin(void **state)
{
	static const struct processes_options options = { .is_repeated = true,
		.hide_ended = true,
		.columns = "pid,ppid,name,cpu_percent,rss_bytes" };
	struct sooth_error err;

	(void)state;
	screen = (struct screen){ 0 };
	map_init(&screen.folded, sizeof(uint64_t), 0, SCREEN_ROWS_MAX);
	now = 100 * NS_PER_S;
	assert_int_equal(sooth_report_new(&report, "ps", &err), 0);
	report_in_frames(report, "proc.snapshot");
	assert_int_equal(sooth_report_add_view(report, "processes", &options, &err), 0);
	assert_int_equal(report_add_sink_type(report, &screen_sink,
				 &(struct sink_options){ .user = &screen }, &err),
		0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	sooth_report_free(report);
	for (size_t i = 0; i < SCREEN_FRAMES; i++) {
		for (size_t k = 0; k < SCREEN_TABLES_MAX; k++) {
			buffer_fini(&screen.frames[i].tables[k].records);
			buffer_fini(&screen.frames[i].trees[k].records);
		}
		buffer_fini(&screen.frames[i].lines);
	}
	buffer_fini(&screen.rows);
	map_fini(&screen.folded);
	buffer_fini(&records);
	return 0;
}

static void add(uint32_t pid, uint32_t ppid, const char *name, uint64_t rss_mb)
{
	struct proc_process p = {
		.record = { .time_ns = now, .pid = pid, .start_ticks = pid, .kind = PROC_PROCESS },
		.ppid = ppid,
		.state = 'S',
		.threads = 1,
		.rss_bytes = rss_mb << 20
	};
	struct record_tail tail[] = { { &p.name, name, strlen(name) } };

	RECORD_APPEND(&records, &p, tail, 1);
}

/* What was added is a frame, and the screen shows it. */
static void show(void)
{
	struct proc_snapshot s = { .record = { .time_ns = now + 1, .kind = PROC_SNAPSHOT },
		.from_ns = now,
		.is_of_host = 1 };
	struct sooth_error err;
	struct block block;

	RECORD_APPEND(&records, &s, NULL, 0);
	now += NS_PER_S;
	block = block_of(&records, BLOCK_RECORDS, now);
	assert_int_equal(report_block(report, &block, &err), 0);
	buffer_reset(&records);
	screen_arrange(&screen);
}

/* Pids in order, with what stands before them: "+10 20 -30". */
static const char *rows(void)
{
	static const char marks[] = { ' ', '+', '*', '-' };
	static char text[1024];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < screen_row_count(&screen); i++) {
		const struct screen_row *row = screen_row_at(&screen, i);

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%.*s%s%u",
			i ? " " : "", (int)row->depth, ">>>>>>>>",
			row->mark == SCREEN_MARK_NONE ? "" : (char[]){ marks[row->mark], 0 },
			row->record->pid);
	}
	return text;
}

static void three(void)
{
	add(1, 0, "init", 5);
	add(10, 1, "sh", 3);
	add(20, 10, "make", 9);
}

static void sort_by(const char *field, bool is_ascending)
{
	screen.sort = field;
	screen.is_ascending = is_ascending;
	screen_arrange(&screen);
}

static void new_and_gone(void **state)
{
	(void)state;
	screen.sort = "pid";
	screen.is_ascending = true;
	three();
	show();
	assert_string_equal(rows(), "1 10 20"); /* at first nobody is new */
	add(1, 0, "init", 5);
	add(20, 1, "make", 9);
	add(30, 1, "cc", 1);
	show();
	assert_string_equal(rows(), "1 -10 20 +30");
	add(1, 0, "init", 5);
	add(20, 1, "make", 9);
	add(30, 1, "cc", 1);
	show();
	assert_string_equal(rows(), "1 20 30");
}

static void order(void **state)
{
	(void)state;
	three();
	show();
	sort_by("rss_bytes", false);
	assert_string_equal(rows(), "20 1 10");
	sort_by("rss_bytes", true);
	assert_string_equal(rows(), "10 1 20");
	sort_by("name", true);
	assert_string_equal(rows(), "1 20 10");
	/* Not measured in the first frame: equal, by pid. */
	sort_by("cpu_percent", false);
	assert_string_equal(rows(), "1 10 20");
	sort_by("no_such_field", true);
	assert_int_equal(screen_row_count(&screen), 3);
}

static void filter(void **state)
{
	(void)state;
	three();
	show();
	strcpy(screen.filter, "MAKE");
	screen_arrange(&screen);
	assert_string_equal(rows(), "20");
	assert_int_equal(screen.hidden, 2);
	strcpy(screen.filter, "no such thing");
	screen_arrange(&screen);
	assert_string_equal(rows(), "");
	screen.filter[0] = '\0';
	screen_arrange(&screen);
	assert_int_equal(screen_row_count(&screen), 3);
}

static void tree(void **state)
{
	(void)state;
	screen.is_tree = true;
	screen.sort = "pid";
	screen.is_ascending = true;
	three();
	add(11, 1, "cron", 1);
	show();
	assert_string_equal(rows(), "1 >10 >>20 >11");
	assert_true(screen_row_at(&screen, 0)->has_below);
	assert_false(screen_row_at(&screen, 3)->has_below);
	map_put(&screen.folded, &screen_row_at(&screen, 1)->key, NULL);
	screen_arrange(&screen);
	assert_string_equal(rows(), "1 >10 >11");
	map_put(&screen.folded, &screen_row_at(&screen, 0)->key, NULL);
	screen_arrange(&screen);
	assert_string_equal(rows(), "1");
}

/* Parents that a target may have made us believe. */
static void rings(void **state)
{
	(void)state;
	screen.is_tree = true;
	add(5, 6, "a", 1);
	add(6, 5, "b", 1);
	add(7, 7, "c", 1);
	for (uint32_t pid = 100; pid < 400; pid++)
		add(pid, pid - 1, "deep", 1);
	show();
	assert_int_equal(screen_row_count(&screen), 303);
}

static void the_pick_follows(void **state)
{
	(void)state;
	three();
	show();
	sort_by("pid", true);
	screen.picked = 2;
	screen.picked_key = screen_row_at(&screen, 2)->key;
	sort_by("pid", false);
	assert_int_equal(screen_row_at(&screen, screen.picked)->record->pid, 20);
	/* Gone: the place is kept as long as there is one. */
	add(1, 0, "init", 5);
	show();
	add(1, 0, "init", 5);
	show();
	assert_int_equal(screen.picked, 0);
}

static void held(void **state)
{
	(void)state;
	three();
	show();
	screen.is_held = true;
	add(99, 1, "late", 1);
	show();
	assert_int_equal(screen_row_count(&screen), 3);
	screen.is_held = false;
	add(99, 1, "late", 1);
	show();
	assert_true(has(rows(), "+99"));
	assert_true(has(rows(), "-20"));
}

#define ROWS_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROWS_TEST(new_and_gone),
		ROWS_TEST(order),
		ROWS_TEST(filter),
		ROWS_TEST(tree),
		ROWS_TEST(rings),
		ROWS_TEST(the_pick_follows),
		ROWS_TEST(held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
