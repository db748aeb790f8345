/* SPDX-License-Identifier: BSD-2-Clause */
/* The two ways to list processes: which is chosen, what the walk in the kernel tells, and who of
 * the strays may be a server. */
#include "support.h"

#include <sys/stat.h>

#include "bpf/tasks.h"
#include "os/linux/proc/proc_cost.h"
#include "os/linux/proc/proc_detached.h"
#include "os/linux/proc/proc_tasks.h"

/* --- the choice --- */

static bool is_by_bpf(const struct probe_options *options, uint64_t processes)
{
	return proc_cost_of_bpf(options, processes) < proc_cost_of_procfs(options, processes);
}

/* From how many on it is the walk. */
static uint64_t crossing(const struct probe_options *options)
{
	uint64_t n = 1;

	while (n < 100000 && !is_by_bpf(options, n))
		n++;
	for (uint64_t more = n; more < 100000; more += 997)
		assert_true(is_by_bpf(options, more));
	return n;
}

static void test_choice(void **state)
{
	struct probe_options once = { .interest = INTEREST_SAMPLE | INTEREST_ONCE,
		.is_host = true };
	struct probe_options twice = { .interest = INTEREST_SAMPLE, .is_host = true };
	struct probe_options watched = {
		.interest = INTEREST_SAMPLE, .is_host = true, .observer.sample_ns = 1
	};
	struct probe_options named = { .interest = INTEREST_SAMPLE };
	struct probe_options user = { .interest = INTEREST_SAMPLE, .has_uid = true };

	(void)state;
	assert_true(crossing(&once) > crossing(&twice));
	assert_true(crossing(&twice) > crossing(&watched));
	assert_in_range(crossing(&once), 100, 1000);
	assert_true(is_by_bpf(&once, 2000));
	assert_true(is_by_bpf(&user, 2000));
	assert_false(is_by_bpf(&once, 60));
	/* BPF is not used where only some processes are selected. */
	assert_true(proc_cost_of_bpf(&named, 100000) == UINT64_MAX);
}

/* --- what the walk tells --- */

static const struct tasks_seen plain = { .start_ns = 12345678901,
	.cpu_ns = 42,
	.vsz_pages = 7,
	.rss_pages = { 1, 2, 4 },
	.file = { .inode = 5, .mode = S_IFREG | 0755, .links = 1, .size_bytes = 4096 },
	.pid = 10,
	.ppid = 9,
	.state = 1,
	.threads = 1,
	.name = "fifteen letters" };

static struct proc_task read_one(const struct tasks_seen *seen)
{
	struct proc_tasks t = { .page_bytes = 4096, .tick_ns = 10000000, .time_ns = 77 };
	struct proc_task task;

	proc_tasks_piece(&t, seen, sizeof(*seen));
	assert_true(proc_tasks_next(&t, &task));
	assert_false(proc_tasks_next(&t, &(struct proc_task){ 0 }));
	return task;
}

static void test_values(void **state)
{
	struct tasks_seen s = plain;
	struct proc_task task = read_one(&s);

	(void)state;
	assert_int_equal(task.values.id.start_ticks, 1234);
	assert_int_equal(task.values.id.pid, 10);
	assert_int_equal(task.values.time_ns, 77);
	assert_int_equal(task.values.rss_bytes, 7 * 4096);
	assert_int_equal(task.values.vsz_bytes, 7 * 4096);
	assert_int_equal(task.values.name_size, 15);
	assert_int_equal(task.values.parent, PROC_PARENT_OTHER);
	assert_int_equal(task.values.input, PROC_STDIN_OTHER);
	assert_int_equal(task.values.terminal, PROC_NO_TERMINAL);
	assert_false(task.values.is_foreground);
	assert_false(task.needs_clock);
	/* A count that is short of the truth for a moment. */
	s.rss_pages[1] = -3;
	assert_int_equal(read_one(&s).values.rss_bytes, 5 * 4096);
	/* No NUL at its end. */
	memset(s.name, 'x', sizeof(s.name));
	assert_int_equal(read_one(&s).values.name_size, sizeof(s.name));
	s.ppid = 0;
	assert_int_equal(read_one(&s).values.parent, PROC_PARENT_REAPER);
	s.terminal_major = 136;
	s.terminal_minor = 300;
	s.terminal_group = s.process_group = 8;
	assert_int_equal(read_one(&s).values.terminal, 0x10882c);
	assert_true(read_one(&s).values.is_foreground);
}

static void test_states(void **state)
{
	static const struct {
		uint32_t state, exit_state;
		char letter;
	} rows[] = { { 0, 0, 'R' }, { 1, 0, 'S' }, { 2, 0, 'D' }, { 4, 0, 'T' }, { 8, 0, 't' },
		{ 0x40, 0, 'P' }, { 0x402, 0, 'I' }, { 0x2001, 0, 'S' }, { 0x2402, 0, 'I' },
		{ 0x80, 0x20, 'Z' }, { 0x80, 0x10, 'X' }, { 0x80, 0, 'R' }, { 0x8000, 0, 'D' },
		{ 0x1000, 0, 'D' }, { 0x102, 0, 'D' } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tasks_seen s = plain;

		s.state = rows[i].state;
		s.exit_state = rows[i].exit_state;
		if (read_one(&s).values.state != rows[i].letter)
			fail_msg("%x/%x is %c", rows[i].state, rows[i].exit_state,
				read_one(&s).values.state);
	}
}

static void test_clock(void **state)
{
	struct tasks_seen s = plain;

	(void)state;
	s.threads = 2;
	assert_true(read_one(&s).needs_clock);
	s.threads = 1;
	s.is_changing = 1;
	assert_true(read_one(&s).needs_clock);
	s.is_changing = 0;
	s.state = 0;
	assert_true(read_one(&s).needs_clock);
	s.exit_state = 0x20;
	assert_false(read_one(&s).needs_clock);
}

/* Another file has another key; a file that cannot be recognized by a key has none. */
static void test_keys(void **state)
{
	uint64_t key = read_one(&plain).values.executable_key;
	struct tasks_seen s = plain;
	uint64_t *const words[] = { &s.file.entry, &s.file.mount, &s.file.inode, &s.file.size_bytes,
		&s.file.changed_s };

	(void)state;
	assert_int_not_equal(key, 0);
	assert_int_equal(read_one(&s).values.executable_key, key);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		*words[i] += 1;
		assert_int_not_equal(read_one(&s).values.executable_key, key);
		s = plain;
	}
	s.file.changed_ns = 1;
	assert_int_not_equal(read_one(&s).values.executable_key, key);
	s = plain;
	s.file.links = 2;
	assert_int_equal(read_one(&s).values.executable_key, 0);
	s.file.links = 0;
	assert_int_equal(read_one(&s).values.executable_key, 0);
	s = plain;
	s.file.size_bytes = 100u << 20;
	assert_int_equal(read_one(&s).values.executable_key, 0);
	s = plain;
	s.file.mode = S_IFDIR;
	assert_int_equal(read_one(&s).values.executable_key, 0);
}

static void test_inputs(void **state)
{
	struct tasks_seen s = plain;

	(void)state;
	s.input_mode = S_IFSOCK | 0777;
	assert_int_equal(read_one(&s).values.input, PROC_STDIN_OPEN);
	s.input_mode = S_IFIFO | 0600;
	s.input_magic = 0x50495045;
	assert_int_equal(read_one(&s).values.input, PROC_STDIN_OPEN);
	s.input_magic = 0xef53; /* one with a name */
	assert_int_equal(read_one(&s).values.input, PROC_STDIN_OTHER);
	s.input_mode = S_IFCHR | 0600;
	assert_int_equal(read_one(&s).values.input, PROC_STDIN_OTHER);
}

/* However the kernel cuts it. */
static void test_pieces(void **state)
{
	struct tasks_seen all[5];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		all[i] = plain;
		all[i].pid = 100 + (uint32_t)i;
	}
	for (size_t piece = 1; piece <= sizeof(all); piece += piece < 8 ? 1 : 37) {
		struct proc_tasks t = { .page_bytes = 4096, .tick_ns = 1 };
		struct proc_task task;
		uint32_t pid = 100;

		for (size_t at = 0; at < sizeof(all); at += piece) {
			size_t left = sizeof(all) - at;

			proc_tasks_piece(&t, (const char *)all + at, left < piece ? left : piece);
			while (proc_tasks_next(&t, &task))
				assert_int_equal(task.values.id.pid, pid++);
		}
		assert_int_equal(pid, 105);
	}
}

/* --- strays --- */

static bool is_called_so(const char *text)
{
	return proc_detached_looks_like_server(span_of(text, strlen(text)));
}

static void test_callings(void **state)
{
	(void)state;
	assert_true(is_called_so("/usr/bin/mcp-server-files"));
	assert_true(is_called_so("python -m my_MCP"));
	assert_true(is_called_so("/x/@modelcontextprotocol/server-everything/index.js"));
	assert_false(is_called_so("/usr/bin/sleep"));
	assert_false(is_called_so(""));
	assert_false(is_called_so("mc"));
	assert_true(proc_detached_hides_its_name(span_of("/usr/bin/node", 13)));
	assert_false(proc_detached_hides_its_name(span_of("/usr/bin/cat", 12)));
}

static struct proc_entry entry(uint32_t pid, uint32_t ppid)
{
	return (struct proc_entry){ .values = { .id = { .start_ticks = pid, .pid = pid },
					    .ppid = ppid,
					    .process_group = pid,
					    .session = pid,
					    .state = 'S',
					    .input = PROC_STDIN_OPEN } };
}

static void test_detached(void **state)
{
	struct proc_entry all[] = { entry(1, 0), entry(10, 1), entry(11, 10), entry(12, 11),
		entry(20, 1), entry(21, 20), entry(30, 1) };
	size_t count = ARRAY_SIZE(all);

	(void)state;
	for (size_t i = 2; i <= 5; i++)
		all[i].values.session = 9; /* whose leader has ended */
	assert_true(proc_detached_is_candidate(all, count, &all[1]));
	all[1].is_close = true;
	assert_false(proc_detached_is_candidate(all, count, &all[1]));
	all[1].is_close = false;
	all[1].values.input = PROC_STDIN_OTHER;
	assert_false(proc_detached_is_candidate(all, count, &all[1]));
	all[1].values.input = PROC_STDIN_OPEN;
	all[1].values.state = 'Z';
	assert_false(proc_detached_is_candidate(all, count, &all[1]));
	all[1].values.state = 'S';
	all[4].is_no_server = true;
	assert_false(proc_detached_is_candidate(all, count, &all[4]));
	/* A process that a detached one started is detached as well, even if known as no server. */
	all[1].is_detached = true;
	all[2].is_no_server = true;
	proc_detached_below(all, count);
	assert_true(all[2].is_detached);
	assert_true(all[3].is_detached);
	assert_false(all[4].is_detached || all[5].is_detached || all[6].is_detached);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_inputs),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_callings),
		cmocka_unit_test(test_detached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
