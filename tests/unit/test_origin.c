/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several sessions of one agent at once: what proves that the main process of a leftover has ended
 * while another one lives, each proof with its healthy twin; and random hosts, whose truth is
 * known.
 */
#include "process_table_records.h"

#include "analyze/process_table/process_table_resolving.h"

#define SNAPSHOT "/home/me/.claude/shell-snapshots/snapshot-bash-1795313095123-x0suvc.sh"
#define CALL	 T("/bin/bash\0-c\0-l\0source " SNAPSHOT " && eval 'make' \\< /dev/null")
#define GEMINI_CALL                                                                                \
	T("/usr/bin/bash\0-c\0shopt -u promptvars nullglob extglob nocaseglob dotglob; "           \
	  "x=1\n(\nmake")
#define NODE_MAIN                                                                                  \
	.executable = NODE, .package = "@anthropic-ai/claude-code", .arguments = T("claude")
#define CLAUDE_MARK .markers = T("CLAUDECODE=1\0CLAUDE_CODE_ENTRYPOINT=cli")

/* --- the shell of a tool call --- */

static void test_tool_shell(void **state)
{
	(void)state;
	HOST({ 150, 1, NODE_MAIN }, { 200, 1, NODE_MAIN },
		/* The shell of a main process that was killed, and what it started. */
		{ 300, 1, CLAUDE_MARK, .arguments = CALL, .stream = AT_SOCKETS },
		{ 301, 300, .session = 300, .group = 300, CLAUDE_MARK, .stream = AT_SOCKETS },
		/* Its parent, which another process of the call was, has ended too. */
		{ 302, 1, .session = 300, .group = 300, CLAUDE_MARK, .stream = AT_SOCKETS },
		/* The twin, with a process that lost its parent. */
		{ 310, 200, CLAUDE_MARK, .arguments = CALL, .stream = AT_SOCKETS },
		{ 311, 1, .session = 310, .group = 310, CLAUDE_MARK, .stream = AT_SOCKETS },
		/* setsid in a tool call of either: the shell has ended, as shells do. */
		{ 320, 1, CLAUDE_MARK, .arguments = T("bash\0-c\0make"), .stream = AT_SOCKETS },
		/* In no session of its own, and no shell. */
		{ 330, 1, .session = 329, CLAUDE_MARK, .arguments = CALL },
		{ 340, 1, CLAUDE_MARK, .arguments = T("grep\0-c\0source " SNAPSHOT) },
		{ 350, 1, CLAUDE_MARK, .arguments = T("/bin/bash\0source " SNAPSHOT) });
	assert_holds(300, VERDICT_ORPHANED, "the main process itself started this shell");
	assert_holds(301, VERDICT_ORPHANED, "descends from thing (300)");
	assert_holds(302, VERDICT_ORPHANED, "is in another process session");
	assert_not(310, VERDICT_ORPHANED);
	assert_doubted(311, VERDICT_ORPHANED, "agent 150 could have started");
	assert_doubted(320, VERDICT_ORPHANED, "could have started");
	assert_doubted(330, VERDICT_ORPHANED, "could have started");
	assert_doubted(340, VERDICT_ORPHANED, "could have started");
	assert_doubted(350, VERDICT_ORPHANED, "could have started");
}

static void test_tool_shell_of_gemini(void **state)
{
	(void)state;
	HOST({ 150, 1, .executable = NODE, .package = "@google/gemini-cli",
		     .arguments = T("node\0/r/gemini") },
		{ 300, 1, .markers = T("GEMINI_CLI=1"), .arguments = GEMINI_CALL,
			.stream = AT_SOCKETS },
		/* Its second shell has the same arguments. */
		{ 301, 1, .session = 299, .group = 299, .markers = T("GEMINI_CLI=1"),
			.arguments = GEMINI_CALL, .stream = AT_SOCKETS });
	assert_holds(300, VERDICT_ORPHANED, "Gemini CLI session is gone");
	assert_doubted(301, VERDICT_ORPHANED, "agent 150 could have started");
}

/* The parent may be an agent that no rule knows: only a reaper proves anything. */
static void test_reapers(void **state)
{
	(void)state;
	HOST({ 100, 1, .name = "systemd", .without_inputs = true },
		{ 110, 1, .name = "keeper", .without_inputs = true },
		{ 120, 1, .name = "unknown", .executable = NODE, .without_inputs = true },
		{ 125, 1, .name = "systemd", .without_inputs = true,
			.executable_state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION) },
		{ 150, 110, NODE_MAIN },
		{ 160, 1, .name = "sh", CLAUDE_MARK, .stream = AT_SOCKETS },
		/* The user's systemd; what is above a main process; an unknown program. */
		{ 300, 100, CLAUDE_MARK, .arguments = CALL, .stream = AT_SOCKETS },
		{ 310, 110, CLAUDE_MARK, .arguments = CALL, .stream = AT_SOCKETS },
		{ 320, 120, CLAUDE_MARK, .arguments = CALL, .stream = AT_SOCKETS },
		/* A child of a process whose executable may not be read. */
		{ 325, 125, CLAUDE_MARK, .arguments = CALL, .stream = AT_SOCKETS },
		/* A program that a tool call started. */
		{ 330, 160, CLAUDE_MARK, .arguments = CALL, .stream = AT_SOCKETS },
		/* Process 1 of a container; the same in a sandbox of a tool call. */
		{ 400, 1, .pid_namespace = 7, .inner_pid = 1, .name = "sleep" },
		{ 410, 400, .pid_namespace = 7, .inner_pid = 2, NODE_MAIN },
		{ 420, 400, .pid_namespace = 7, .inner_pid = 3, CLAUDE_MARK, .arguments = CALL,
			.stream = AT_SOCKETS },
		{ 500, 1, .pid_namespace = 8, .inner_pid = 1, .name = "bwrap", CLAUDE_MARK },
		{ 520, 500, .pid_namespace = 8, .inner_pid = 3, CLAUDE_MARK, .arguments = CALL,
			.stream = AT_SOCKETS });
	assert_holds(300, VERDICT_ORPHANED, "now a child of systemd (100)");
	assert_holds(310, VERDICT_ORPHANED, "now a child of keeper (110)");
	assert_doubted(320, VERDICT_ORPHANED, "agent 150 could have started");
	assert_doubted(325, VERDICT_ORPHANED, "agent 150 could have started");
	assert_doubted(330, VERDICT_ORPHANED, "could have started");
	assert_holds(420, VERDICT_ORPHANED, "itself started this shell");
	assert_doubted(520, VERDICT_ORPHANED, "could have started");
}

/* Without a view of all processes the lost parent proves it as well. */
static void test_tool_shell_in_a_part(void **state)
{
	static const struct made all[] = { { 1, 0, .start = 1 },
		{ 300, 1, CLAUDE_MARK, .arguments = CALL, .stream = AT_SOCKETS },
		{ 310, 1, .markers = T("CLAUDECODE=1\0CLAUDE_PID=200"), .arguments = CALL,
			.stream = AT_SOCKETS },
		{ 320, 1, CLAUDE_MARK, .stream = AT_SOCKETS } };

	(void)state;
	make(all, ARRAY_SIZE(all));
	make_snapshot(1, true, true);
	take_all();
	assert_holds(300, VERDICT_ORPHANED, "itself started this shell");
	assert_holds(310, VERDICT_ORPHANED, "itself started this shell");
	assert_doubted(320, VERDICT_ORPHANED, "outside this pid namespace");
}

/* An agent in a tool call of another: either may have ended. */
static void test_nested(void **state)
{
	(void)state;
	HOST({ 150, 1, NODE_MAIN }, { 200, 150, CLAUDE_MARK, .arguments = CALL },
		/* The inner one lives, or has ended. */
		{ 210, 200, .session = 200, .group = 200, CLAUDE_MARK, NODE_MAIN },
		{ 220, 210, CLAUDE_MARK, .arguments = CALL, .stream = AT_SOCKETS },
		{ 230, 1, CLAUDE_MARK, .arguments = CALL, .stream = AT_SOCKETS },
		/* A process of the outer agent, or the inner one, or one that ended. */
		{ 240, 1, .session = 200, .group = 200, CLAUDE_MARK, .stream = AT_SOCKETS });
	assert_not(220, VERDICT_ORPHANED);
	assert_holds(230, VERDICT_ORPHANED, "itself started this shell");
	assert_doubted(240, VERDICT_ORPHANED, "could have started");
}

/* --- process sessions --- */

static void test_process_sessions(void **state)
{
	(void)state;
	HOST(
		/* A shell at a terminal, whose agent has ended; another agent, at another one. */
		{ 100, 1, .terminal = 34816, .name = "bash" },
		{ 200, 1, .session = 199, .terminal = 34817, NODE_MAIN },
		{ 300, 1, .session = 100, .terminal = 34816, CLAUDE_MARK },
		/* The leader is not older than the other agent: that may have started it. */
		{ 210, 1, .start = 20000, .terminal = 34818, .name = "bash" },
		{ 310, 1, .session = 210, .terminal = 34818, CLAUDE_MARK },
		/* Nobody knows the leader. */
		{ 320, 1, .session = 99, CLAUDE_MARK },
		/* In the same session as the agent. */
		{ 330, 1, .session = 199, .terminal = 34817, CLAUDE_MARK });
	assert_holds(300, VERDICT_ORPHANED,
		"agent 200, the only other one, is in another process session");
	assert_doubted(310, VERDICT_ORPHANED, "agent 200 could have started");
	assert_doubted(320, VERDICT_ORPHANED, "agent 200 could have started");
	assert_doubted(330, VERDICT_ORPHANED, "agent 200 could have started");
}

/* --- the directory of the output --- */

#define OUTPUT(folder)                                                                             \
	.stream = AT_FILE, .output = "/tmp/claude-0/" folder "/sess-c/tasks/b1.output"

static void test_directories(void **state)
{
	(void)state;
	HOST({ 150, 1, NODE_MAIN, .id = "sess-a", .directory = "/home/me/one" },
		{ 160, 1, NODE_MAIN, .id = "sess-b", .directory = "/home/me/two.x/trees/y" },
		{ 300, 1, CLAUDE_MARK, OUTPUT("-home-me-three") },
		{ 310, 1, CLAUDE_MARK, OUTPUT("-home-me-one") },
		/* A working tree below a project, and the project of a working tree. */
		{ 320, 1, CLAUDE_MARK, OUTPUT("-home-me-one-tree") },
		{ 330, 1, CLAUDE_MARK, OUTPUT("-home-me-two-x") },
		/* Another root. */
		{ 340, 1, CLAUDE_MARK, OUTPUT("-one") },
		/* No path as it is known. */
		{ 350, 1, CLAUDE_MARK, OUTPUT("three") });
	assert_holds(300, VERDICT_ORPHANED, "none of 2 other agents can have started");
	assert_doubted(310, VERDICT_ORPHANED, "agent 150 could have started");
	assert_doubted(320, VERDICT_ORPHANED, "agent 150 could have started");
	assert_doubted(330, VERDICT_ORPHANED, "agent 160 could have started");
	assert_doubted(340, VERDICT_ORPHANED, "agent 150 could have started");
	assert_doubted(350, VERDICT_ORPHANED, "could have started");
}

/* --- sessions --- */

/* Another process goes on with the session in itself: the pid says that it was not the one. */
static void test_session_taken_over(void **state)
{
	(void)state;
	HOST({ 150, 1, .executable = CLAUDE, .id = "sess-x" },
		{ 300, 1,
			.markers = T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-x\0CLAUDE_PID=140"),
			.stream = AT_FILE, .output = "/tmp/claude-0/-w/sess-x/tasks/1.output" },
		{ 310, 1,
			.markers = T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-x\0CLAUDE_PID=150"),
			.stream = AT_FILE, .output = "/tmp/claude-0/-w/sess-x/tasks/2.output" },
		/* In a sandbox the pid is one of outside. */
		{ 320, 1, .pid_namespace = 7, .inner_pid = 4,
			.markers =
				T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-x\0CLAUDE_PID=150") });
	assert_holds(300, VERDICT_ORPHANED, "main process 140 is not running");
	assert_not(310, VERDICT_ORPHANED);
	assert_in(320, 150, PROCESS_LINK_SESSION);
}

/* "codex exec" has one session; on a terminal it may have had others. */
static void test_one_session(void **state)
{
	(void)state;
	HOST({ 150, 1, .executable = CODEX, .arguments = T("codex\0exec\0hi"), .id = "sess-a" },
		{ 300, 1, .markers = T("CODEX_THREAD_ID=sess-x\0CODEX_SESSION_ID=sess-x"),
			.stream = AT_PIPES },
		{ 310, 1, .markers = T("CODEX_THREAD_ID=sess-y\0CODEX_SESSION_ID=sess-a"),
			.stream = AT_PIPES });
	assert_holds(300, VERDICT_ORPHANED,
		"the only other one, has had another session since its start");
	assert_in(310, 150, PROCESS_LINK_SESSION);
}

static void test_other_sessions(void **state)
{
	(void)state;
	HOST({ 150, 1, .executable = CODEX, .arguments = T("codex"), .id = "sess-a" },
		{ 160, 1, .executable = CODEX, .arguments = T("codex\0exec\0hi") },
		{ 300, 1, .markers = T("CODEX_THREAD_ID=sess-x"), .stream = AT_PIPES });
	assert_doubted(300, VERDICT_ORPHANED, "agent 150 could have started");
}

#define OF_SESSION(id) .markers = T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=" id)

/* An older child has the id that the other agent reports: it is not after /clear. */
static void test_session_since_before(void **state)
{
	(void)state;
	HOST({ 200, 1, NODE_MAIN, .id = "sess-b" }, { 250, 200, OF_SESSION("sess-b") },
		{ 300, 1, OF_SESSION("sess-x"), .stream = AT_PIPES },
		/* Its twin is of the session that lives. */
		{ 310, 1, OF_SESSION("sess-b"), .stream = AT_PIPES });
	assert_holds(300, VERDICT_ORPHANED, "had another session before this process began");
	assert_in(310, 200, PROCESS_LINK_SESSION);
}

static void test_session_changed(void **state)
{
	(void)state;
	/* The children are of the session before, or younger; or the agent reports no id. */
	HOST({ 200, 1, NODE_MAIN, .id = "sess-b" }, { 250, 200, OF_SESSION("sess-x") },
		{ 300, 1, OF_SESSION("sess-x"), .stream = AT_PIPES },
		{ 350, 200, OF_SESSION("sess-b") }, { 400, 1, .uid = 7, NODE_MAIN },
		{ 410, 400, .uid = 7, OF_SESSION("sess-c") },
		{ 420, 1, .uid = 7, OF_SESSION("sess-y"), .stream = AT_PIPES });
	assert_doubted(300, VERDICT_ORPHANED, "agent 200 could have started");
	assert_doubted(420, VERDICT_ORPHANED, "could have started");
}

/* The one that is named is the likeliest: of the same directory. */
static void test_named(void **state)
{
	(void)state;
	HOST({ 150, 1, NODE_MAIN, .directory = "/elsewhere" }, { 160, 1, NODE_MAIN },
		{ 170, 1, NODE_MAIN }, { 300, 1, CLAUDE_MARK });
	assert_doubted(300, VERDICT_ORPHANED, "agent 160 could have started");
}

/* More main processes than are compared each: nothing is claimed. */
static void test_many(void **state)
{
	static const struct made left = { 900, 1, CLAUDE_MARK, OUTPUT("-home-me-three") };

	(void)state;
	make(&(struct made){ 1, 0, .start = 1 }, 1);
	for (uint32_t i = 0; i < PROCESS_TABLE_MAINS_MAX + 1; i++)
		make(&(struct made){ 100 + i, 1, NODE_MAIN }, 1);
	make(&left, 1);
	make_snapshot(1, true, false);
	take_all();
	assert_doubted(900, VERDICT_ORPHANED, "agent 100 could have started");
}

/* --- random hosts --- */

/*
 * A kernel in small: processes are forked, get sessions, end, and are adopted by process 1; agents
 * start tool calls, which end or leave something; they are killed, change their session, are
 * resumed. So it is known of every process whether its main process lives.
 */
#define HOSTS	  2000
#define STEPS	  40
#define LIVES_MAX 160
#define TEXT_SIZE 160
#define USERS	  3 /* shells, each at a terminal */

enum maker { NATIVE, NODE_2, NODE_1, GEMINI, MAKERS };

struct life {
	struct made made;
	int parent, main; /* indexes; -1: no agent started it */
	enum maker maker;
	bool has_ended, is_main, is_shell;
	unsigned id; /* of the session of a main process */
	/* Its environment. */
	bool is_claude, is_gemini;
	unsigned marked_id;
	uint32_t marked_pid;
	char output[TEXT_SIZE];
};

struct counts {
	unsigned gone, decided, contested, contested_decided, alive, wrong, missed;
};

static struct life lives[LIVES_MAX];
static int life_count;
static uint64_t seed, ticks;
static unsigned next_id;

static int fork_of(int parent, uint32_t pid)
{
	struct life *life = &lives[life_count];

	if (life_count == LIVES_MAX)
		return -1;
	*life = lives[parent];
	life->parent = parent;
	life->main = lives[parent].is_main ? parent : lives[parent].main;
	life->is_main = life->is_shell = false;
	life->made.executable = life->made.package = NULL;
	life->made.arguments = (struct span)T("make");
	life->made.pid = pid ? pid : (uint32_t)life_count + 100;
	life->made.start = ticks += 1 + random_below(&seed, 50);
	return life_count++;
}

static void lead(struct life *life)
{
	life->made.session = life->made.group = life->made.pid;
	life->made.terminal = 0;
}

static void start_main(int parent, enum maker maker, unsigned id)
{
	static const char *const folders[] = { "/home/me/one", "/home/me/two", "/home/me/three" };
	int i = fork_of(parent, 0);

	if (i < 0)
		return;
	lives[i].is_main = true;
	lives[i].maker = maker;
	lives[i].id = id;
	lives[i].made.directory = folders[random_below(&seed, ARRAY_SIZE(folders))];
	lives[i].made.executable = maker == NATIVE ? CLAUDE : NODE;
	lives[i].made.arguments =
		maker == GEMINI ? (struct span)T("node\0/r/gemini") : (struct span)T("claude");
	if (maker != NATIVE)
		lives[i].made.package =
			maker == GEMINI ? "@google/gemini-cli" : "@anthropic-ai/claude-code";
}

static void start_call(int main)
{
	static const uint8_t sockets[] = AT_SOCKETS, file[] = AT_FILE;
	const struct life *of = &lives[main];
	int i = fork_of(main, 0);
	struct life *shell = &lives[i];
	bool has_file = of->maker == NATIVE || of->maker == NODE_2;

	if (i < 0)
		return;
	lead(shell);
	shell->is_shell = true;
	shell->made.arguments = of->maker == GEMINI ? (struct span)GEMINI_CALL : (struct span)CALL;
	shell->is_gemini = shell->is_gemini || of->maker == GEMINI;
	shell->is_claude = shell->is_claude || of->maker != GEMINI;
	if (of->maker == NATIVE) {
		shell->marked_id = of->id;
		shell->marked_pid = of->made.pid;
	}
	memcpy(shell->made.stream, has_file ? file : sockets, 3);
	if (has_file)
		snprintf(shell->output, sizeof(shell->output),
			"/tmp/claude-0/-home-me-%s/session-%u/tasks/b.output",
			strrchr(of->made.directory, '/') + 1, of->id);
	for (uint64_t n = 1 + random_below(&seed, 2); n; n--) {
		int child = fork_of(i, 0);

		if (child >= 0 && !random_below(&seed, 4))
			lead(&lives[child]); /* setsid */
	}
}

/* A number is in use while a process, a group or a session has it. */
static bool is_in_use(uint32_t pid)
{
	for (int i = 0; i < life_count; i++) {
		const struct made *m = &lives[i].made;

		if (!lives[i].has_ended && (m->pid == pid || m->session == pid || m->group == pid))
			return true;
	}
	return false;
}

static void finish(int i)
{
	lives[i].has_ended = true;
	for (int k = 0; k < life_count; k++) {
		if (lives[k].parent == i)
			lives[k].parent = 0;
	}
	if (!random_below(&seed, 4) && !is_in_use(lives[i].made.pid)) {
		int other = fork_of(0, lives[i].made.pid);

		if (other >= 0)
			lead(&lives[other]);
	}
}

enum choice { ANY_MAIN, ENDED_MAIN, ANY_SHELL, ANY_CHILD };

static bool is_chosen(const struct life *life, enum choice choice)
{
	switch (choice) {
	case ANY_MAIN:
		return life->is_main && !life->has_ended;
	case ENDED_MAIN:
		return life->is_main && life->has_ended;
	case ANY_SHELL:
		return life->is_shell && !life->has_ended;
	case ANY_CHILD:
		return life->main >= 0 && !life->is_main && !life->has_ended;
	}
	return false;
}

static int one_of(enum choice choice)
{
	int found[LIVES_MAX], count = 0;

	for (int i = 0; i < life_count; i++) {
		if (is_chosen(&lives[i], choice))
			found[count++] = i;
	}
	return count ? found[random_below(&seed, (uint64_t)count)] : -1;
}

static void step(void)
{
	static const enum choice choices[] = { ANY_MAIN, ANY_MAIN, ANY_MAIN, ANY_SHELL, ANY_MAIN,
		ANY_MAIN, ENDED_MAIN, ANY_CHILD, ANY_CHILD };
	uint64_t what = random_below(&seed, ARRAY_SIZE(choices) + 2);
	int user = 1 + (int)random_below(&seed, USERS);
	int i = what < ARRAY_SIZE(choices) ? one_of(choices[what]) : user;

	if (i < 0)
		return;
	if (what < 3)
		start_call(i);
	else if (what == 3 || what == 4 || what == 7)
		finish(i);
	else if (what == 5) /* /clear */
		lives[i].id = next_id++;
	else if (what == 6) /* --resume */
		start_main(user, lives[i].maker, lives[i].id);
	else if (what != 8 || !random_below(&seed, 4)) /* 8: in a tool call */
		start_main(i, random_below(&seed, MAKERS), next_id++);
}

static void begin_host(void)
{
	life_count = 1;
	ticks = 1;
	next_id = 1;
	lives[0] = (struct life){
		.made = { 1, 0, .start = 1, .name = "systemd" }, .parent = -1, .main = -1
	};
	for (uint32_t i = 0; i < USERS; i++) {
		int shell = fork_of(0, 0);

		lead(&lives[shell]);
		lives[shell].made.name = "bash";
		lives[shell].made.terminal = 34816 + i;
	}
	for (int i = 0; i < STEPS; i++)
		step();
}

static size_t add(char *text, size_t used, const char *format, uint32_t number)
{
	return used + (size_t)snprintf(text + used, TEXT_SIZE - used, format, number) + 1;
}

static void make_life(const struct life *life)
{
	struct made made = life->made;
	char markers[TEXT_SIZE] = "", id[TEXT_SIZE];
	size_t size = 0;

	if (life->has_ended)
		return;
	if (life->is_claude)
		size = add(markers, size, "CLAUDECODE=%u", 1);
	if (life->is_gemini)
		size = add(markers, size, "GEMINI_CLI=%u", 1);
	if (life->marked_id)
		size = add(markers, size, "CLAUDE_CODE_SESSION_ID=session-%u", life->marked_id);
	if (life->marked_pid)
		size = add(markers, size, "CLAUDE_PID=%u", life->marked_pid);
	made.ppid = life->parent < 0 ? 0 : lives[life->parent].made.pid;
	made.markers = span_of(markers, size);
	made.output = life->output;
	snprintf(id, sizeof(id), "session-%u", life->id);
	if (life->is_main && (life->maker == NATIVE || life->maker == NODE_2))
		made.id = id;
	make(&made, 1);
}

/* Another main process of its agent lives that is old enough. */
static bool is_contested(const struct life *life)
{
	for (int i = 0; i < life_count; i++) {
		const struct life *other = &lives[i];

		if (other->is_main && !other->has_ended && other->made.start < life->made.start &&
			(other->maker == GEMINI) == (lives[life->main].maker == GEMINI))
			return true;
	}
	return false;
}

static void count_life(const struct life *life, struct counts *counts)
{
	const struct process_entry *p = the(life->made.pid);

	if (!lives[life->main].has_ended) {
		counts->alive++;
		counts->wrong += p->is_main_gone;
		return;
	}
	counts->gone++;
	counts->decided += p->is_main_gone;
	counts->contested += is_contested(life);
	counts->contested_decided += is_contested(life) && p->is_main_gone;
	counts->missed += !p->is_main_gone && !p->doubt.size;
}

static void test_random_hosts(void **state)
{
	struct counts counts = { 0 };

	for (uint64_t host = 0; host < HOSTS; host++) {
		seed = host;
		begin_host();
		for (int i = 0; i < life_count; i++)
			make_life(&lives[i]);
		make_snapshot(1, true, false);
		take_all();
		for (int i = 0; i < life_count; i++) {
			if (is_chosen(&lives[i], ANY_CHILD))
				count_life(&lives[i], &counts);
		}
		end(state);
		begin(state);
	}
	print_message(
		"%u left, %u decided; %u with another agent, %u decided; %u taken for another's; "
		"%u not left, %u wrong\n",
		counts.gone, counts.decided, counts.contested, counts.contested_decided,
		counts.missed, counts.alive, counts.wrong);
	assert_int_equal(counts.wrong, 0);
	/* The rest: the shell of the call has ended, and all that is left names the agent alone. */
	assert_true(counts.contested_decided * 5 > counts.contested * 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_tool_shell),
		TEST(test_tool_shell_of_gemini),
		TEST(test_reapers),
		TEST(test_tool_shell_in_a_part),
		TEST(test_nested),
		TEST(test_process_sessions),
		TEST(test_directories),
		TEST(test_session_taken_over),
		TEST(test_one_session),
		TEST(test_other_sessions),
		TEST(test_session_since_before),
		TEST(test_session_changed),
		TEST(test_named),
		TEST(test_many),
		TEST(test_random_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
