/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings about whose processes there are, at both sides of their thresholds. */
#include "process_table_records.h"
#include "check_records.h"

#include "explain/registry.h"
#include "probes/host.h"
#include "probes/limits.h"

#define HIDDEN	    SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION)
#define LAST_S	    (LOOKS - 1)
#define TASKS	    "/tmp/claude-0/p/s/tasks/1.output"
#define MARKS_X	    "CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-x\0CLAUDE_PID=200\0CLAUDE_CODE_EXECPATH"
#define MARKS_MCP_X "CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-x\0CLAUDE_PROJECT_DIR"
#define NEWEST	    "/home/me/.local/share/claude/versions/2.1.328"

/* One at one look. */
static void look_at(int look, struct made m)
{
	m.time_ns = at(look);
	make(&m, 1);
}

/* At all looks, with init. */
static void looks_at(const struct made *all, size_t count)
{
	for (int i = 0; i < LOOKS; i++) {
		look_at(i, (struct made){ 1, 0, .start = 1, .name = "systemd" });
		for (size_t k = 0; k < count; k++)
			look_at(i, all[k]);
		all_reported(i);
	}
}

/* --- zombie-children --- */

/* Zombies of a process from a look on. */
static void zombies_of(uint32_t parent, double count, int from)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ 0 }, "thing");
		process_at(i, (struct proc_process){ .record.pid = 60 }, "other");
		for (uint32_t k = 0; k < (uint32_t)count; k++)
			process_at(i,
				(struct proc_process){ .record.pid = 200 + k,
					.ppid = parent,
					.state = i < from ? 'S' : 'Z' },
				"child");
		all_reported(i);
	}
}

static void has_zombies(double count)
{
	zombies_of(PID, count, 0);
}

static void has_zombies_since(double look)
{
	zombies_of(PID, 5, (int)look);
}

static void other_has_zombies(double count)
{
	zombies_of(60, count, 0);
}

/* Other threads of each of the zombies go on. */
static void zombies_with_threads(double threads)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ 0 }, "thing");
		for (uint32_t k = 0; k < 5; k++)
			process_at(i,
				(struct proc_process){ .record.pid = 200 + k,
					.ppid = PID,
					.threads = (uint32_t)threads,
					.state = 'Z' },
				"child");
		all_reported(i);
	}
}

static void watched_for(double looks)
{
	for (int i = 0; i < (int)looks; i++) {
		process_at(i, (struct proc_process){ 0 }, "thing");
		for (uint32_t k = 0; k < 5; k++)
			process_at(i,
				(struct proc_process){
					.record.pid = 200 + k, .ppid = PID, .state = 'Z' },
				"child");
		all_reported(i);
	}
}

static void test_zombies(void **state)
{
	static const struct check_case cases[] = {
		{ "zombie-children", has_zombies, 5, NULL,
			"=medium/high: thing (99) does not reap its exited children: 5 zombies "
			"[zombies that stayed during the whole observation: 5 over 5.00s] "
			"[zombies: 5] [zombies that appeared during the observation: 0 over 5.00s] "
			"[the oldest zombie has existed for at least: 5.00s] <restart process 99: "
			"only the parent can reap its children (a zombie takes a PID, but no "
			"memory)>\n" },
		{ "zombie-children", has_zombies, 4, NULL, "=fine: 4 zombies\n" },
		{ "zombie-children", has_zombies, 0, NULL, "=fine: no zombies\n" },
		{ "zombie-children", has_zombies, 5, "zombie-children.many=5", "high/high: " },
		{ "zombie-children", has_zombies, 5, "zombie-children.many=6", "medium/high: " },
		{ "zombie-children", has_zombies_since, 3, NULL,
			"medium/high: |[zombies that appeared during the observation: 5 |the "
			"oldest zombie has existed for at least: 2.00s]" },
		{ "zombie-children", has_zombies_since, 4, NULL, "fine: 5 zombies" },
		{ "zombie-children", zombies_with_threads, 1, NULL, "medium/high: " },
		{ "zombie-children", zombies_with_threads, 2, NULL, "fine: no zombies" },
		{ "zombie-children", watched_for, 3, NULL, "medium/high: " },
		{ "zombie-children", watched_for, 2, NULL,
			"=blind: the observation is too short to see whether the zombies stay "
			"<observe longer: --duration 30>\n" },
		{ "host zombie-children", other_has_zombies, 500, NULL,
			"high/high: other (60) does not reap|: 500 zombies" },
		{ "host zombie-children", other_has_zombies, 499, NULL,
			"=fine: 499 zombies of other processes\n" },
		{ "host zombie-children", has_zombies, 500, NULL,
			"=fine: 0 zombies of other processes\n" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- process-flood --- */

/* The children that live grow evenly from five on, below `parent`. */
static void children_of(uint32_t parent, double gain)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ 0 }, "thing");
		if (parent != PID)
			process_at(i, (struct proc_process){ .record.pid = parent, .ppid = PID },
				"maker");
		for (uint32_t k = 0; k < 5 + (uint32_t)(i * gain / 5); k++)
			process_at(i,
				(struct proc_process){ .record.pid = 300 + k, .ppid = parent },
				"child");
		all_reported(i);
	}
}

static void starts(double gain)
{
	children_of(PID, gain);
}

static void child_starts(double gain)
{
	children_of(200, gain);
}

static void diagnosed_child_starts(double gain)
{
	ask_for(PID, 200);
	children_of(200, gain);
}

/* As many end as begin. */
static void replaces(double each_look)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ 0 }, "thing");
		for (uint32_t k = 0; k < (uint32_t)each_look; k++)
			process_at(i,
				(struct proc_process){
					.record.pid = 300 + 100 * (uint32_t)i + k, .ppid = PID },
				"child");
		all_reported(i);
	}
}

static void starts_with_room(double room)
{
	struct limits_group g = { .record = head_of(LAST_S, PID, LIMITS_GROUP),
		.used = 100,
		.limit = 100 + (uint64_t)room,
		.version = 2 };
	struct limits_process p = { .record = head_of(LAST_S, PID, LIMITS_PROCESS) };
	struct record_tail tail[] = { put_text(&g.name, "pids"), put_text(&g.path, "/box") };

	starts(20);
	RECORD_APPEND(&records, &g, tail, 2);
	RECORD_APPEND(&records, &p, NULL, 0);
}

static void host_starts(double forks)
{
	struct host_load load = { .record = head_of(0, 0, HOST_LOAD), .forks = 1000 };

	RECORD_APPEND(&records, &load, NULL, 0);
	starts(20);
	load.record = head_of(LAST_S, 0, HOST_LOAD);
	load.forks += (uint64_t)forks;
	RECORD_APPEND(&records, &load, NULL, 0);
}

static void flood_looks(double looks)
{
	for (int i = 0; i < (int)looks; i++) {
		process_at(i, (struct proc_process){ 0 }, "thing");
		for (uint32_t k = 0; k < 10 * (uint32_t)i; k++)
			process_at(i, (struct proc_process){ .record.pid = 300 + k, .ppid = PID },
				"child");
		all_reported(i);
	}
}

/* Each starts the next one, of two programs in turn; they are below one another, or side by side.
 */
static void starts_itself(double share)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ 0 }, "thing");
		for (uint32_t k = 0; k < 20 + 10 * (uint32_t)i; k++) {
			bool is_nested = k && k < (uint32_t)(share * 70);

			process_at(i,
				(struct proc_process){
					.record.pid = 300 + k, .ppid = is_nested ? 299 + k : PID },
				k % 3 ? "make" : "sh");
		}
		all_reported(i);
	}
}

/* Deep below one another since the start, `programs` of them by turns. */
static uint32_t deep = 30;

static void start_each_other(double programs)
{
	static const char *const names[] = { "A.sh", "B.sh", "C.sh", "D.sh" };

	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .descriptors = 10 }, "thing");
		for (uint32_t k = 0; k < deep; k++)
			process_at(i,
				(struct proc_process){
					.record.pid = 300 + k, .ppid = k ? 299 + k : PID },
				names[k % (uint32_t)programs]);
		all_reported(i);
	}
}

static void they_are_so_deep(double levels)
{
	deep = (uint32_t)levels;
	start_each_other(2);
	deep = 30;
}

/* An agent's server, a new process each time; of the last so many live at once. */
static void server_starts(double times)
{
	for (int i = 0; i < LOOKS; i++) {
		look_at(i, (struct made){ PID, 1, .executable = CLAUDE, .name = "claude" });
		if (i < (int)times)
			look_at(i, (struct made){ 300 + (uint32_t)i, PID,
					   .executable = "/usr/bin/python3", .stream = AT_PIPES,
					   .arguments = T("python3\0-m\0mcp_server_git") });
		all_reported(i);
	}
}

static void test_flood(void **state)
{
	static const struct check_case cases[] = {
		{ "process-flood", starts, 20, NULL,
			"=medium/medium: starts processes faster than they end: 5 alive, then 25 "
			"[growth: 4 a second over 5.00s] [processes alive when the observation "
			"started: 5] [processes alive when the observation ended: 25] [steadiness: "
			"grew in 5 of 5 equal time slices of the observation] [starts seen: 20 "
			"over "
			"5.00s] (unseen: how many processes can still start: the control groups "
			"have no limit, and processes of the user cannot be counted) (unseen: how "
			"many processes started and ended between two samples) <sooth ps -t shows "
			"the processes; sooth freeze --any --tree 99 stops them while you "
			"look>\n" },
		{ "process-flood", starts, 19, NULL,
			"=fine: started processes alive: 5, then 24\n" },
		{ "process-flood", starts, 20, "process-flood.min-rate=4", "medium/" },
		{ "process-flood", starts, 20, "process-flood.min-rate=4.1", "fine: " },
		{ "process-flood", starts, 20, "process-flood.many=25", "high/" },
		{ "process-flood", starts, 20, "process-flood.many=26", "medium/" },
		{ "process-flood", flood_looks, 5, NULL,
			"medium/|4 of 4 equal time slices of the observation" },
		{ "process-flood", flood_looks, 4, NULL,
			"blind: the observation has too few samples" },
		{ "process-flood", starts_itself, 1, NULL,
			"medium/medium: make starts itself without end: 70 levels of processes "
			"below one another, and more each second" },
		{ "process-flood", they_are_so_deep, 20, NULL,
			"=low/medium: B.sh and A.sh start each other: 20 levels of "
			"processes below one another [processes below it: 20] [starts seen: 0 over "
			"5.00s] <sooth ps -t shows the processes; sooth freeze --any --tree 99 "
			"stops them while you look>\n" },
		{ "process-flood", they_are_so_deep, 19, NULL, "fine: " },
		{ "process-flood", start_each_other, 1, NULL, "low/medium: A.sh starts itself: " },
		{ "process-flood", start_each_other, 4, NULL, "low/medium: |starts itself" },
		{ "process-flood", starts_itself, 0.5, NULL,
			"medium/medium: starts processes faster than they end: 20 alive, then 70" },
		{ "process-flood", child_starts, 25, NULL,
			"medium/|[parent of most of the new processes: maker (200)]|freeze --any "
			"--tree 200 " },
		{ "process-flood", diagnosed_child_starts, 25, NULL,
			"=fine: reported for 200, which started most of them\n" },
		{ "200 process-flood", diagnosed_child_starts, 25, NULL, "medium/" },
		{ "process-flood", replaces, 50, NULL,
			"fine: started processes alive: 50, then 50" },
		{ "process-flood", starts_with_room, 100, NULL,
			"high/|[number of processes that the control group can still start: 100] "
			"[time until the process limit is reached: 25.0s]" },
		/* Foresight is a hundred intervals: 500 s at four a second. */
		{ "process-flood", starts_with_room, 2000, NULL, "high/" },
		{ "process-flood", starts_with_room, 2001, NULL, "medium/|can still start: 2001]" },
		{ "process-flood", host_starts, 50, NULL,
			"medium/|[process starts on the host: 10 a second over 5.00s]" },
		{ "process-flood", server_starts, 4, NULL,
			"medium/high: MCP server mcp_server_git keeps ending: restarted 3 times in "
			"5 s [restarts: 3 over 5.00s] [instances seen: 4 over 5.00s] [alive: 0]" },
		{ "process-flood", server_starts, 3, NULL, "fine: " },
		/* The last one lives. */
		{ "process-flood", server_starts, 6, NULL,
			"medium/high: |restarted 5 times|[alive: 1]" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- orphan --- */

static struct made left_over(uint32_t pid)
{
	return (struct made){ pid, 1, .name = "bash", .stream = AT_FILE, .output = TASKS,
		.markers = T(MARKS_X) };
}

static void is_left(double start_s)
{
	struct made m = left_over(PID);

	m.start = (uint64_t)(start_s * 100);
	looks_at(&m, 1);
}

static void main_lives(double lives)
{
	const struct made all[] = { left_over(PID),
		{ lives > 0 ? 200 : 201, 1, .start = 5000, .executable = CLAUDE, .name = "claude",
			.id = lives > 0 ? "sess-x" : "sess-y" } };

	looks_at(all, 2);
}

/* Until a look it was below another one. */
static void has_lost_parent(double look)
{
	for (int i = 0; i < LOOKS; i++) {
		struct made m = left_over(PID);

		look_at(i, (struct made){ 1, 0, .start = 1, .name = "systemd" });
		look_at(i, (struct made){ 50, 1, .name = "sh" });
		m.ppid = i < (int)look ? 50 : 1;
		look_at(i, m);
		all_reported(i);
	}
}

static void markers_are_hidden(double state)
{
	struct made m = { PID, 1, .markers_state = (uint8_t)state };

	looks_at(&m, 1);
}

static void left_together(double children)
{
	struct made all[8] = { left_over(PID) };
	size_t count = 1;

	for (; count < 1 + (size_t)children; count++) {
		all[count] = left_over(300 + (uint32_t)count);
		all[count].ppid = PID;
		all[count].session = PID;
	}
	ask_for(PID, 301);
	looks_at(all, count);
}

static void looked_at_once(double value)
{
	(void)value;
	look_at(0, (struct made){ 1, 0, .start = 1, .name = "systemd" });
	look_at(0, left_over(PID));
	all_reported(0);
}

static void test_orphan(void **state)
{
	static const struct check_case cases[] = {
		{ "orphan", is_left, 99, NULL,
			"medium/high: left over from session sess-x of Claude Code, which has "
			"ended: bash [known by: |main process 200|[age: 15m06s] [resident memory: "
			"0B] [CPU: 0 "
			"% over 5.00s] [in this state for at least: 5.00s over 5.00s] (unseen: "
			"whether the process was left running on purpose) <if the process is not "
			"needed: sooth kill 99>\n" },
		{ "orphan", is_left, 1003, NULL, "medium/high: " },
		{ "orphan", is_left, 1004, NULL,
			"=blind: this check needs a process older than 2 s <try again later>\n" },
		{ "orphan", main_lives, 1, NULL, "fine: " },
		{ "orphan", main_lives, 0, NULL, "medium/high: " },
		{ "orphan", has_lost_parent, 0, NULL, "medium/high: " },
		{ "orphan", has_lost_parent, 1, NULL, "blind: the parent ended just now" },
		{ "orphan", markers_are_hidden, HIDDEN, NULL,
			"blind: |<run sooth as the user of the process" },
		{ "orphan", markers_are_hidden, SOOTH_STATE_VALUE, NULL, "fine: " },
		{ "orphan", left_together, 2, NULL,
			"medium/high: |[processes, with descendants: 3]|<if the process is not "
			"needed: sooth kill --tree 99" },
		{ "301 orphan", left_together, 2, NULL, "=fine: reported for 99\n" },
		{ "orphan", looked_at_once, 0, NULL,
			"medium/medium: |(unseen: how long the process has been" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- mcp-abandoned --- */

/* From a look on nobody holds the other end of its input. */
static void is_closed_since(double look)
{
	for (int i = 0; i < LOOKS; i++) {
		look_at(i, (struct made){ 1, 0, .start = 1, .name = "systemd" });
		look_at(i, (struct made){ PID, 1, .name = "server", .session = 200,
				   .stream = AT_SOCKETS, .is_input_closed = i >= (int)look,
				   .writers = { i < (int)look ? 400 : 0 },
				   .markers = T(MARKS_MCP_X) });
		look_at(i, (struct made){ 400, 1, .name = "writer" });
		all_reported(i);
	}
}

static void test_mcp(void **state)
{
	static const struct check_case cases[] = {
		{ "mcp-abandoned", is_closed_since, 0, NULL,
			"medium/high: MCP server thing with no client, still running [session: "
			"sess-x] [known by: |no process has the other end of its standard input "
			"open|[its session: |session sess-x is gone|[in this state for at least: "
			"5.00s over 5.00s] [age: 15m06s] [resident memory: 0B] [CPU: 0 % over "
			"5.00s] <sooth kill --tree 99 ends the server (a server that still runs "
			"after its input closed has a bug)>\n" },
		{ "mcp-abandoned", is_closed_since, 3, NULL,
			"medium/high: |[in this state for at least: 2.00s" },
		{ "mcp-abandoned", is_closed_since, 4, NULL,
			"=blind: the input of the server closed just now: the server may be about "
			"to exit <try again in a moment>\n" },
		{ "mcp-abandoned", is_closed_since, 6, NULL, "fine: " },
		{ "orphan", is_closed_since, 0, NULL,
			"=fine: an MCP server that was left over: reported as mcp-abandoned\n" },
		{ "mcp-abandoned", is_left, 99, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- deleted-binary, outdated --- */

static void runs_deleted(double deleted)
{
	const struct made m = { PID, 1, .executable = CLAUDE, .is_deleted = deleted > 0 };

	looks_at(&m, 1);
}

static void deleted_with_newer(double value)
{
	(void)value;
	make_installed(ME, "claude", "2.1.328");
	runs_deleted(1);
}

/* The version that is installed beside 2.1.50, which runs. */
static void is_older(double than)
{
	static const char *const versions[] = { "2.1.50", "2.1.51", "2.1.9", "10.0.0", "2.1.196" };

	make_installed_at(ME, "claude", "2.1.50", CLAUDE);
	make_installed(ME, "claude", versions[(size_t)than]);
	runs_deleted(0);
}

/* With a home of its own, in which nobody has looked. */
static void is_elsewhere(double value)
{
	(void)value;
	make_installed(ME, "claude", "2.1.9");
	runs_deleted(0);
}

/* Its parent is deleted, too, and runs the same file or another one. */
static void deleted_below(double is_same)
{
	const struct made all[] = { { 200, 1, .start = 5000,
					    .executable = is_same > 0 ? CLAUDE : NEWEST,
					    .is_deleted = true },
		{ PID, 200, .executable = CLAUDE, .is_deleted = true } };

	ask_for(PID, 200);
	looks_at(all, 2);
}

static void test_binaries(void **state)
{
	static const struct check_case cases[] = {
		{ "deleted-binary", runs_deleted, 1, NULL,
			"=low/high: the program file was removed or replaced after the process "
			"started: /home/me/.local/share/claude/versions/2.1.50 {path "
			"/home/me/.local/share/claude/versions/2.1.50} [known by: "
			"/proc/PID/exe: the kernel marks the path as deleted] [age: 15m06s] "
			"(unseen: whether another file is at that path now) <restart the process: "
			"files that it "
			"loads from now on may be of another version>\n" },
		{ "deleted-binary", runs_deleted, 0, NULL, "=fine: \n" },
		{ "deleted-binary", deleted_with_newer, 0, NULL, "info/high: " },
		{ "deleted-binary", deleted_below, 1, NULL, "=fine: reported for 200\n" },
		{ "200 deleted-binary", deleted_below, 1, NULL, "low/high: " },
		{ "deleted-binary", deleted_below, 0, NULL, "low/high: " },
		{ "outdated", is_older, 1, NULL,
			"low/high: runs Claude Code 2.1.50, but 2.1.51 is installed [known by: "
			"|newer 2.1.51 is installed|[age: 15m06s] <restart the agent session to "
			"run the installed version>\n" },
		{ "outdated", is_older, 0, NULL, "=fine: no newer version installed\n" },
		{ "outdated", is_older, 2, NULL, "fine: " },
		{ "outdated", is_older, 3, NULL, "low/high: |(CHANGELOG 2.1.238)]" },
		{ "outdated", is_older, 4, NULL,
			"low/high: |[age: 15m06s] [fixed since then: from Claude Code 2.1.193 on, "
			"background shells without work are ended when memory is short (CHANGELOG "
			"2.1.193)] [fixed since then: from Claude Code 2.1.196 on, a watchdog ends "
			"an answer without data after 5 min (CHANGELOG 2.1.196)] <" },
		{ "outdated", is_elsewhere, 0, NULL,
			"blind: sooth did not search the folder of this installation for "
			"versions" },
		{ "outdated", is_left, 99, NULL, "=fine: \n" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- a zombie, and one that ended at once --- */

/* From a look on; with other threads, which go on, its first thread alone is one. */
static void zombie_from(int look, uint32_t threads)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i,
			(struct proc_process){ .threads = threads,
				.frozen = PROC_FROZEN_NO,
				.state = i < look ? 'S' : 'Z' },
			"thing");
		all_reported(i);
	}
}

static void zombie_since(double look)
{
	zombie_from((int)look, 1);
}

static void first_thread_ended(double threads)
{
	zombie_from(0, (uint32_t)threads);
}

static void there_for(double looks)
{
	for (int i = 0; i < LOOKS; i++) {
		if (i < looks)
			process_at(i, (struct proc_process){ 0 }, "thing");
		all_reported(i);
	}
}

static void test_ended(void **state)
{
	static const struct check_case cases[] = {
		{ "frozen", zombie_since, 0, NULL,
			"=blind: the process exited before sooth could read this <>\n" },
		{ "frozen", zombie_since, LOOKS - 1, NULL,
			"=blind: the process exited before sooth could read this <>\n" },
		{ "frozen", zombie_since, LOOKS, NULL, "fine: " },
		{ "frozen", first_thread_ended, 2, NULL, "fine: " },
		{ "fd-leak", zombie_since, 0, NULL,
			"=blind: the process exited before sooth could read this <>\n" },
		{ "fd-leak", there_for, 1, NULL,
			"=blind: the process exited before sooth could read this <>\n" },
		{ "orphan", there_for, 1, NULL,
			"=blind: the process exited before sooth could read this <>\n" },
		{ "ended-abnormally", zombie_since, LOOKS, NULL, "fine: still running" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* Nothing that is gone with it is said to be fine, by any detector. */
static void test_nothing_of_a_zombie_is_fine(void **state)
{
	(void)state;
	for (size_t i = 0; registry_findings[i].type; i++) {
		const struct finding_type *type = registry_findings[i].type;

		if (type->diagnoses_gone || type->scope == FINDING_OF_HOST)
			continue;
		begin_stream();
		zombie_since(0);
		if (strncmp(check_says(type->id, PID, NULL), "blind: ", strlen("blind: ")) != 0)
			fail_msg("%s: %s", type->id, check_says(type->id, PID, NULL));
	}
	buffer_fini(&records);
	text_free(&line_said);
}

/* --- frozen --- */

static void stopped_at_last(double looks)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .state = i >= LOOKS - looks ? 'T' : 'S' },
			"thing");
		all_reported(i);
	}
}

static void group_is(double frozen)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .frozen = (uint8_t)frozen }, "thing");
		all_reported(i);
	}
}

static void stopped_once(double state)
{
	process_at(0, (struct proc_process){ .state = (char)state }, "thing");
	all_reported(0);
}

static void stopped_below(double state)
{
	const struct made all[] = { { 200, 1, .start = 5000, .state = (char)state },
		{ PID, 200, .state = 'T' } };

	ask_for(PID, 200);
	looks_at(all, 2);
}

static void test_frozen(void **state)
{
	static const struct check_case cases[] = {
		{ "frozen", stopped_at_last, LOOKS, NULL,
			"medium/high: stopped by SIGSTOP (or by its terminal: Ctrl-Z) |[known by: "
			"state T (stopped)]|[stopped for at least: 5.00s |(unseen: which process "
			"stopped|<resume with: sooth thaw --any 99 " },
		{ "frozen", stopped_at_last, 2, NULL,
			"medium/high: |[stopped for at least: 1.00s " },
		{ "frozen", stopped_at_last, 2, "frozen.min-time=1001ms",
			"blind: the process was stopped only a moment ago" },
		{ "frozen", stopped_at_last, 1, NULL,
			"blind: the process was stopped only a moment ago" },
		{ "frozen", stopped_once, 'T', NULL,
			"medium/high: |(unseen: how long the process has been stopped)" },
		{ "frozen", stopped_once, 't', NULL, "blind: " },
		{ "frozen", group_is, PROC_FROZEN_YES, NULL,
			"medium/high: stopped: the control group of the process is frozen|(unseen: "
			"how long" },
		{ "frozen", group_is, PROC_FROZEN_NO, NULL, "=fine: not stopped\n" },
		{ "frozen", group_is, PROC_FROZEN_NOT_REPORTED, NULL, "blind: " },
		{ "frozen", stopped_below, 'T', NULL, "=fine: reported for 200\n" },
		{ "frozen", stopped_below, 'S', NULL, "medium/high: " },
		{ "frozen", stopped_at_last, LOOKS, "frozen=low", "low/high: " },
	};

	(void)state;
	TRY_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zombies),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_orphan),
		cmocka_unit_test(test_mcp),
		cmocka_unit_test(test_binaries),
		cmocka_unit_test(test_ended),
		cmocka_unit_test(test_nothing_of_a_zombie_is_fine),
		cmocka_unit_test(test_frozen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
