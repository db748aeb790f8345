/* SPDX-License-Identifier: BSD-2-Clause */
/* The frames of `sooth top` as text: cells, graphs, sessions, keys. No terminal takes part. */
#include "support.h"

#include <locale.h>
#include <math.h>

#include "analyze/processes/processes.h"
#include "base/units.h"
#include "cli/top/alerting.h"
#include "cli/top/columns.h"
#include "cli/top/state.h"
#include "cli/top/theme.h"
#include "cli/watch/alerts.h"
#include "explain/report.h"
#include "probes/host.h"
#include "probes/proc.h"
#include "probes/sockets.h"

static struct top top;
static struct sooth_report *report;
static struct buffer records, shown;
static struct processes_options options;
static uint64_t now, rss_bytes = 64u << 20;

static void begin_report(void)
{
	struct sooth_error err;

	assert_int_equal(sooth_report_new(&report, "top", &err), 0);
	report_in_frames(report, "proc.snapshot");
	assert_int_equal(sooth_report_add_view(report, "processes", &options, &err), 0);
	assert_int_equal(sooth_report_add_view(report, "host", NULL, &err), 0);
	assert_int_equal(report_add_sink_type(report, &top_sink,
				 &(struct sink_options){ .user = &top.frames }, &err),
		0);
}

static int begin(void **state)
{
	(void)state;
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	top_init(&top, &(struct top_options){ .interval_ns = 2 * NS_PER_S });
	canvas_resize(&top.canvas, 80, 24);
	options = (struct processes_options){ .shown = PROCESSES_SESSIONS,
		.shows_all = &top.shows_all,
		.is_tree = true,
		.is_repeated = true,
		.hides_sessions = true,
		.hide_ended = true };
	now = 100 * NS_PER_S;
	begin_report();
	return 0;
}

static int end(void **state)
{
	(void)state;
	sooth_report_free(report);
	top_fini(&top);
	buffer_fini(&records);
	buffer_fini(&shown);
	return 0;
}

static void add(uint32_t pid, uint32_t ppid, const char *name, const char *executable,
	const char *directory)
{
	struct proc_process p = {
		.record = { .time_ns = now, .pid = pid, .start_ticks = pid, .kind = PROC_PROCESS },
		.ppid = ppid,
		.state = 'S',
		.threads = 1,
		.rss_bytes = rss_bytes
	};
	struct record_tail tail[] = { { &p.name, name, strlen(name) },
		{ &p.executable, executable, strlen(executable) },
		{ &p.arguments, name, strlen(name) + 1 },
		{ &p.directory, directory, strlen(directory) } };

	RECORD_APPEND(&records, &p, tail, 4);
}

static void add_agent(uint32_t pid, const char *directory)
{
	add(pid, 1, "claude", "/home/u/.local/share/claude/versions/2.1.328", directory);
}

/* Adds the bytes that one connection of a process has carried so far. */
static void add_traffic(uint32_t pid, uint64_t received, uint64_t sent)
{
	const struct sooth_record record = { .time_ns = now, .pid = pid, .start_ticks = pid };
	struct sockets_socket s = {
		.record = record, .received_bytes = received, .sent_bytes = sent
	};
	struct sockets_process end = { .record = record, .sockets = 1 };
	struct record_tail tail[] = { { &s.protocol, "tcp", 3 }, { &s.local, "", 0 },
		{ &s.peer, "", 0 } };

	s.record.kind = SOCKETS_SOCKET;
	end.record.kind = SOCKETS_PROCESS;
	RECORD_APPEND(&records, &s, tail, 3);
	RECORD_APPEND(&records, &end, NULL, 0);
}

/* Makes a frame of the records that were added. */
static void take(void)
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
}

static const char *draw(void)
{
	top_draw(&top);
	buffer_reset(&shown);
	canvas_text(&top.canvas, &shown);
	return buffer_cstr(&shown);
}

static void type(const char *keys)
{
	for (; *keys; keys++)
		assert_true(top_handle_key(&top, (unsigned char)*keys, NULL));
}

static void unfold(void)
{
	assert_true(top_handle_key(&top, TOP_KEY_RIGHT, NULL));
}

static void assert_shows(const char *text)
{
	if (!strstr(draw(), text))
		fail_msg("no \"%s\" on the screen:\n%s", text, buffer_cstr(&shown));
}

static void assert_hides(const char *text)
{
	if (strstr(draw(), text))
		fail_msg("\"%s\" on the screen:\n%s", text, buffer_cstr(&shown));
}

/* The alerts that would be shown. */
static char alerted[512];

bool alert_on_finding(struct alerts *a, const struct alert_finding *f)
{
	(void)a;
	if (!strcmp(f->severity, "low"))
		return false;
	snprintf(alerted + strlen(alerted), sizeof(alerted) - strlen(alerted), "%c%s %s ",
		f->is_raised ? '+' : '-', f->key, f->row ? "known" : "unknown");
	return true;
}

/* --- cells --- */

static const char *put(const char *text, int room)
{
	canvas_resize(&top.canvas, 12, 1);
	canvas_put(&top.canvas, 0, 0, room, TOP_TEXT, text);
	buffer_reset(&shown);
	canvas_text(&top.canvas, &shown);
	return buffer_cstr(&shown);
}

static void test_cells(void **state)
{
	(void)state;
	assert_string_equal(put("short", 12), "short\n");
	assert_string_equal(put("too long for it", 8), "too lon\u2026\n");
	assert_string_equal(put("wide \u4e2d\u6587\u5b57", 9), "wide \u4e2d\u2026\n");
	/* A target's text: no control character, no text that moves or hides. */
	assert_string_equal(put("a\033[2Jb", 12), "a?[2Jb\n");
	assert_string_equal(put("a\u202eb\u200bc\xff", 12), "a?b?c?\n");
	top.canvas.is_utf8 = false;
	assert_string_equal(put("na\u00efve text that", 9), "na?ve te>\n");
}

static void test_outside(void **state)
{
	(void)state;
	canvas_resize(&top.canvas, 4, 2);
	canvas_put(&top.canvas, 5, 0, 4, TOP_TEXT, "below");
	canvas_put(&top.canvas, 0, -2, 9, TOP_TEXT, "abcdef");
	canvas_char(&top.canvas, 0, 9, TOP_TEXT, 'x', 'x');
	canvas_mark(&top.canvas, 1, 2, 9, TOP_PICKED);
	buffer_reset(&shown);
	canvas_text(&top.canvas, &shown);
	assert_string_equal(buffer_cstr(&shown), "cdef\n\n");
}

/* Half a wide character is none. */
static void test_over_a_wide_one(void **state)
{
	(void)state;
	put("\u4e2d\u6587", 12);
	canvas_put(&top.canvas, 0, 1, 1, TOP_TEXT, "x");
	buffer_reset(&shown);
	canvas_text(&top.canvas, &shown);
	assert_string_equal(buffer_cstr(&shown), " x\u6587\n");
}

/* --- graphs --- */

static const char *graph(enum graph_form form)
{
	struct recent r = { 0 };

	recent_add(&r, (double)NAN);
	for (int i = 0; i <= 4; i++)
		recent_add(&r, i * 25);
	canvas_resize(&top.canvas, 6, 1);
	graph_draw(&top.canvas, (struct canvas_area){ 0, 0, 1, 6 }, form, &r, &graph_percent);
	buffer_reset(&shown);
	canvas_text(&top.canvas, &shown);
	return buffer_cstr(&shown);
}

static void test_graphs(void **state)
{
	(void)state;
	assert_string_equal(graph(GRAPH_BRAILLE), "    \u28e0\u28fe\n");
	assert_string_equal(graph(GRAPH_BLOCK), "  \u2582\u2584\u2586\u2588\n");
	assert_string_equal(graph(GRAPH_ASCII), "  :=*@\n");
}

/* How much is full is plain without colors. */
static void test_meter(void **state)
{
	(void)state;
	canvas_resize(&top.canvas, 4, 1);
	graph_meter(&top.canvas, 0, 0, 4, GRAPH_BRAILLE, 0.5, TOP_LOW);
	buffer_reset(&shown);
	canvas_text(&top.canvas, &shown);
	assert_string_equal(buffer_cstr(&shown), "\u25a0\u25a0\u25a1\u25a1\n");
}

static void test_nearest_color(void **state)
{
	(void)state;
	assert_int_equal(theme_nearest(0x000000), 16);
	assert_int_equal(theme_nearest(0xff0000), 196);
	assert_int_equal(theme_nearest(0x8a8a8a), 245);
	for (size_t i = 0; i < theme_count; i++)
		assert_ptr_equal(theme_called(theme_name(i)), &themes[i]);
	assert_null(theme_called("none"));
}

/* --- frames --- */

static void test_sessions(void **state)
{
	(void)state;
	assert_shows("reading the processes");
	add_agent(10, "/work/alpha");
	add_agent(20, "/work/beta");
	add(21, 20, "sleep", "/bin/sleep", "/work/beta");
	take();
	assert_shows("2 agents");
	assert_shows("alpha");
	assert_shows("beta");
	assert_hides("sleep");
	/* Below its session. */
	type("\\beta\n");
	assert_hides("alpha");
	assert_shows("filter: beta (1 hidden; Esc)");
	unfold();
	assert_shows("\u2514 sleep");
	type("\033");
	assert_shows("alpha");
	assert_shows("\u2514 sleep");
}

/* The traffic of all its processes, since the frame before. */
static void test_traffic(void **state)
{
	struct top_session *s;
	size_t position = 0;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		add_traffic(10, 1000 + i * 500, 70);
		add_traffic(11, 100 + i * 1000, 5 + i * 20);
		add_agent(10, "/work/alpha");
		add(11, 10, "node", "/usr/bin/node", "/work/alpha");
		take();
	}
	s = top_session_next(&top.model, &position);
	assert_non_null(s);
	assert_true(s->has_traffic);
	assert_true(s->received_rate > 1499 && s->received_rate < 1501);
	assert_true(s->sent_rate > 19.9 && s->sent_rate < 20.1);
}

/* A rate of memory that grows all the time; what comes at once is no growth. */
static void test_growth(void **state)
{
	(void)state;
	for (int i = 0; i < 80; i++) {
		rss_bytes = i < 40 ? (64u + (unsigned)i / 2) << 20 : 300u << 20;
		add_agent(10, "/work/alpha");
		add_agent(20, "/work/beta");
		rss_bytes = 64u << 20;
		add_agent(30, "/work/steady");
		take();
		if (i == 5)
			assert_hides("/MIN");
		if (i == 39)
			assert_shows("83.0M  +29M");
	}
	assert_hides("+");
}

/* A flag without a finding has a line among the findings, in the same word; those of rows that a
 * filter hides are only counted. */
static void test_notes(void **state)
{
	static const char rows[] = "utc_ns,state,severity,id,claim,key\n"
				   "1,raised,medium,fd-leak,leaks,fd-leak:20@20\n";
	struct top_session *s;
	size_t position = 0;

	(void)state;
	add_agent(10, "/work/alpha");
	add_agent(20, "/work/beta");
	take();
	while ((s = top_session_next(&top.model, &position)) && s->id.pid != 10)
		;
	assert_non_null(s);
	snprintf(s->flags, sizeof(s->flags), "NEEDS-YOU");
	snprintf(s->doing_text, sizeof(s->doing_text), "waits for permission: Bash rm -rf build");
	snprintf(s->terminal, sizeof(s->terminal), "pts/7");
	s->urgency = URGENCY_NEEDS_YOU;
	assert_true(finder_add_lines(&top.finder, rows, strlen(rows)));
	finder_set_session_findings(&top.finder, &top.model);
	top_arrange(&top);
	assert_shows("2 findings (w): NEEDS-YOU  claude 10 (alpha): waits for permission: Bash rm");
	assert_shows("answer in its terminal, pts/7");
	assert_shows(" 2 findings: w selects one ");
	type("\\alpha\n");
	assert_shows(" 1 finding: w selects one; 1 more in hidden rows ");
	assert_hides("leaks");
}

/* Findings stand below a short list in full; a long list has the room. */
static void test_found(void **state)
{
	static const char rows[] =
		"utc_ns,state,severity,id,claim,key,remedy\n"
		"1,raised,high,fd-leak,opens and never closes,fd-leak:10@10,close them\n";

	(void)state;
	add_agent(10, "/work/alpha");
	take();
	assert_true(finder_add_lines(&top.finder, rows, strlen(rows)));
	assert_shows("1 finding: w selects one");
	assert_shows("close them");
	for (uint32_t pid = 10; pid < 24; pid++)
		add_agent(pid, "/work/alpha");
	take();
	assert_hides("close them");
}

/* Selected processes of no agent. */
static void test_tree_of_targets(void **state)
{
	(void)state;
	top.options.has_targets = top.shows_all = true;
	add(10, 1, "sleep", "/bin/sleep", "/");
	take();
	assert_shows("sleep");
	type("t");
	assert_hides("sleep");
}

/* Neither sessions nor a tree; what has no value comes last. */
static void test_all_in_an_order(void **state)
{
	const char *text;

	(void)state;
	top.sort = top_column_number("pid");
	type("L");
	assert_true(top.shows_all);
	add(20, 10, "later", "/bin/later", "/");
	add(10, 1, "sleeper", "/bin/sleeper", "/");
	take();
	text = draw();
	assert_true(strstr(text, "sleeper") < strstr(text, "later"));
	type("I");
	text = draw();
	assert_true(strstr(text, "sleeper") > strstr(text, "later"));
	assert_int_equal(top_picked(&top)->id.pid, 20);
	type("j");
	assert_int_equal(top_picked(&top)->id.pid, 10);
	type("I");
	assert_int_equal(top_picked(&top)->id.pid, 10);
	type("L");
	assert_hides("sleeper");
	assert_string_equal(top_column_of("rss_bytes", false)->name, "memory");
	assert_string_equal(top_column_of("name", true)->name, "project");
	assert_null(top_column_of("name", false));
	assert_null(top_column_of("user", true));
}

/* Alerts are about the list, which comes first; the screen has the sessions. */
static void test_list_before_the_tree(void **state)
{
	(void)state;
	options.emits_list = true;
	options.shown = PROCESSES_AGENTS;
	sooth_report_free(report);
	begin_report();
	add_agent(10, "/work/alpha");
	add(11, 10, "tool", "/bin/tool", "/work/alpha");
	take();
	unfold();
	assert_shows("tool");
	type("\n");
	assert_shows("diagnose: 10 claude alpha");
	type("q");
}

static void test_marks(void **state)
{
	(void)state;
	add_agent(10, "/work/alpha");
	take();
	assert_hides("+ ");
	add_agent(10, "/work/alpha");
	add_agent(20, "/work/beta");
	take();
	assert_shows("+    20");
	add_agent(20, "/work/beta");
	take();
	assert_shows("-    10");
	assert_shows("ended");
	for (int i = 0; i < 12; i++) {
		add_agent(20, "/work/beta");
		take();
	}
	assert_hides("alpha");
}

/* The tree brings old processes, and those are not new. */
static void test_marks_of_the_tree(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		add_agent(10, "/work/alpha");
		add(30, 1, "sleep", "/bin/sleep", "/");
		if (i == 2)
			add(10200, 1, "late", "/bin/late", "/");
		take();
		if (!i)
			type("t");
		assert_true(i != 1 || strstr(draw(), "sleep"));
		assert_hides("+    30");
	}
	assert_shows("+ 10200");
}

/* The selected row stays in its place while the list moves. */
static void test_pick_stays(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 60; i++)
		add_agent(1000 + i, "/work/x");
	take();
	draw();
	for (int i = 0; i < 40; i++)
		type("j");
	draw();
	assert_int_equal(top_picked(&top)->id.pid, 1040);
	size_t place = top.picked - top.first;
	for (uint32_t i = 5; i < 60; i++)
		add_agent(1000 + i, "/work/x");
	add_agent(900, "/work/x");
	take();
	draw();
	assert_int_equal(top_picked(&top)->id.pid, 1040);
	assert_int_equal(top.picked - top.first, place);
}

/* No key reaches the process that moves into the place of the selected one. */
static void test_pick_gone(void **state)
{
	(void)state;
	for (int i = 0; i < 14; i++) {
		for (uint32_t pid = 10; pid <= 30; pid += 10) {
			if (pid != 20 || !i)
				add_agent(pid, "/work/x");
		}
		take();
		if (!i)
			type("j");
		assert_true(i > 10 || top_picked(&top)->id.pid == 20);
	}
	assert_null(top_picked(&top));
	type("K");
	assert_int_equal(top.act.stage, TOP_ACT_NONE);
	type("c");
	assert_null(top.pane.kind);
	/* Neither by another order nor by further frames. */
	type("I");
	assert_null(top_picked(&top));
	assert_shows("20 has left the list");
	type("Ij");
	assert_int_equal(top_picked(&top)->id.pid, 30);
	assert_hides("has left");
}

/* Lines of `sooth diagnose -w --format csv`, in pieces. */
static void test_findings(void **state)
{
	static const char head[] = "utc_ns,state,severity,id,claim,key\n";
	static const char raised[] =
		"1,raised,high,fd-leak,\"grows, \"\"fast\"\"\nand \033 more\",fd-leak:20@20\n";

	(void)state;
	add_agent(10, "/work/alpha");
	add_agent(20, "/work/beta");
	take();
	assert_false(finder_add_lines(&top.finder, "sooth: a word beside it\n", 24));
	assert_false(finder_add_lines(&top.finder, head, strlen(head)));
	assert_false(finder_add_lines(&top.finder, raised, 30));
	assert_true(finder_add_lines(&top.finder, raised + 30, strlen(raised) - 30));
	finder_set_session_findings(&top.finder, &top.model);
	assert_shows("beta (20): grows, \"fast\"\\nand \\x1b more");
	assert_true(finder_add_lines(&top.finder, "2,cleared,high,fd-leak,x,fd-leak:20@20\n", 40));
	assert_false(finder_add_lines(&top.finder, "2,cleared,high,fd-leak,x,fd-leak:20@20\n", 40));
	finder_set_session_findings(&top.finder, &top.model);
	assert_hides("fd-leak");
}

/* One root has one line, also in the sessions that wait for it; the row of a session does not
 * repeat its own name. */
static void test_answers(void **state)
{
	static const char rows[] =
		"state,severity,id,claim,key,answer,answer_key\n"
		"raised,medium,held-up,is held,held-up:10@10,claude 20 (beta): keeps "
		"/x,kept:20@20\n"
		"raised,medium,kept,keeps,kept:20@20,claude 20 (beta): keeps /x,kept:20@20\n"
		"raised,low,outdated,is old,old:20@20,claude 20 (beta): keeps /x,kept:20@20\n";
	struct top_session *s;
	size_t position = 0, sessions = 0;

	(void)state;
	add_agent(10, "/work/alpha");
	add_agent(20, "/work/beta");
	take();
	assert_true(finder_add_lines(&top.finder, rows, strlen(rows)));
	finder_set_session_findings(&top.finder, &top.model);
	while ((s = top_session_next(&top.model, &position))) {
		assert_string_equal(
			s->finding, s->id.pid == 20 ? "keeps /x" : "claude 20 (beta): keeps /x");
		sessions++;
	}
	assert_int_equal(sessions, 2);
	assert_shows("2 findings (w): kept  claude 20 (beta): keeps /x");
	assert_hides("is held");
	type("j");
	assert_shows("2 findings (w), of this session: ");
	type("w");
	assert_shows("beta (20): is old");
	/* Without its cause the other one has a line again. */
	assert_true(finder_add_lines(&top.finder, "cleared,medium,kept,keeps,kept:20@20,,\n", 40));
	assert_shows("alpha (10): is held");
}

/* The row of a session does not repeat the session behind the name of a tool, either. */
static void test_answer_of_a_tool(void **state)
{
	static const char rows[] =
		"state,severity,id,claim,key,answer,answer_key\n"
		"raised,medium,cpu-spin,spins,cpu-spin:11@11,\"python3 11 (tool of claude 10, "
		"alpha): spins (low confidence)\",cpu-spin:11@11\n";
	struct top_session *s;
	size_t position = 0;

	(void)state;
	add_agent(10, "/work/alpha");
	add(11, 10, "python3", "/usr/bin/python3", "/work/alpha");
	take();
	assert_true(finder_add_lines(&top.finder, rows, strlen(rows)));
	finder_set_session_findings(&top.finder, &top.model);
	s = top_session_next(&top.model, &position);
	assert_string_equal(s->finding, "python3 11: spins (low confidence)");
	assert_int_equal(s->finding_count, 1);
}

/* Where no box below the list has it, a grave finding stands below the row of its session, which
 * comes first. */
static void test_answer_below_its_row(void **state)
{
	static const char rows[] = "utc_ns,state,severity,id,claim,key\n"
				   "1,raised,medium,held-up,waits for x,held-up:20@20\n"
				   "1,raised,low,outdated,is old,outdated:10@10\n";
	const char *row, *below;
	int y;

	(void)state;
	canvas_resize(&top.canvas, 100, 9);
	for (uint32_t pid = 10; pid <= 15; pid++)
		add_agent(pid, "/work/alpha");
	add_agent(20, "/work/beta");
	take();
	assert_hides("waits for x");
	assert_true(finder_add_lines(&top.finder, rows, strlen(rows)));
	finder_set_session_findings(&top.finder, &top.model);
	top_arrange(&top);
	top_pick(&top, 0);
	assert_int_equal(top_picked(&top)->id.pid, 20);
	row = strstr(draw(), "beta");
	below = row ? strstr(row, "\n    held-up  waits for x") : NULL;
	if (!below)
		fail_msg("not below its row:\n%s", buffer_cstr(&shown));
	assert_ptr_equal(strchr(row, '\n'), below);
	assert_hides("is old");
	/* A click on either line is one on the row, and the next line is the next row. */
	y = top.places.list.y;
	for (int line = 0; line < 3; line++) {
		const struct top_mouse mouse = { .y = y + line, .x = 40 };

		assert_true(top_handle_key(&top, TOP_KEY_MOUSE, &mouse));
		assert_int_equal(top_picked(&top)->id.pid, line < 2 ? 20 : 10);
	}
	/* The last row can be reached. */
	type("G");
	draw();
	assert_int_equal(top_picked(&top)->id.pid, 15);
	assert_int_equal(top_row_at_line(&top, top.places.list.rows - 1), 6);
}

/* The process that a pane is about is acted on, whatever row is selected behind it. */
static void test_acting_in_a_pane(void **state)
{
	static const char rows[] = "utc_ns,state,severity,id,claim,key\n"
				   "1,raised,high,cpu-spin,x,cpu-spin:30@30:127.0.0.1:443\n";

	(void)state;
	add_agent(10, "/work/alpha");
	take();
	assert_true(finder_add_lines(&top.finder, rows, strlen(rows)));
	type("w\r");
	assert_shows("cpu-spin: 30");
	assert_int_equal(top_picked(&top)->id.pid, 10);
	type("K");
	assert_int_equal(top.act.stage, TOP_ACT_MENU);
	assert_int_equal(top.act.targets[0].pid, 30);
	assert_int_equal(top.act.targets[0].start_ticks, 30);
	assert_true(top.act.may_be_any && !top.act.is_tree);
	assert_shows("process 30");
	type("q");
	assert_int_equal(top.act.stage, TOP_ACT_NONE);
	type("z");
	assert_shows("freeze process 30 alone, not what is below?");
	type("nq");
	assert_null(top.pane.kind);
}

/* As in `sooth ps`: what waits longer for its user comes first, then sick, then busy sessions,
 * whatever CPU they use. */
static void test_urgent_first(void **state)
{
	static const struct {
		enum urgency urgency;
		double since_s, cpu_percent;
	} sessions[] = { { URGENCY_IDLE, 900, 90 }, { URGENCY_COMPUTES, 1, 3 },
		{ URGENCY_COMPUTES, 900, 1 }, { URGENCY_COMPUTES, 1, 80 }, { URGENCY_SICK, 1, 0 },
		{ URGENCY_NEEDS_YOU, 5, 9 }, { URGENCY_NEEDS_YOU, 50, 0 } };
	static const uint32_t order[] = { 46, 45, 44, 43, 41, 42, 40 };

	(void)state;
	for (uint32_t i = 0; i < ARRAY_SIZE(sessions); i++)
		add_agent(40 + i, "/work/one");
	take();
	for (size_t at = 0, i = 0; i < ARRAY_SIZE(sessions); i++) {
		struct top_session *s = top_session_next(&top.model, &at);

		s->urgency = sessions[s->id.pid - 40].urgency;
		s->since_s = sessions[s->id.pid - 40].since_s;
		s->has_since = true;
		s->cpu_percent = sessions[s->id.pid - 40].cpu_percent;
	}
	top_arrange(&top);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		assert_int_equal(top_row_at(&top, i)->id.pid, order[i]);
}

/* Each once when it comes, once when it goes; those of ended processes go by themselves. No process
 * of the host has the number. */
static void test_alerts_of_findings(void **state)
{
	static const char rows[] = "utc_ns,state,severity,id,claim,key\n"
				   "1,raised,high,fd-leak,x,fd-leak:5000000@5000000\n"
				   "1,raised,high,full-disk,x,full-disk\n"
				   "1,raised,low,cpu-spin,x,cpu-spin:5000000@5000000\n";

	(void)state;
	top.alerting.alerts = (void *)&top;
	add_agent(5000000, "/work/beta");
	take();
	assert_true(finder_add_lines(&top.finder, rows, strlen(rows)));
	alerted[0] = '\0';
	top_alert_on_findings(&top);
	assert_string_equal(alerted, "+fd-leak:5000000@5000000 known +full-disk unknown ");
	top_alert_on_findings(&top);
	assert_string_equal(alerted, "+fd-leak:5000000@5000000 known +full-disk unknown ");
	alerted[0] = '\0';
	/* No process here has this number and this start. */
	add_agent(5000000, "/work/beta");
	take();
	assert_string_equal(alerted, "-fd-leak:5000000@5000000 known ");
	assert_int_equal(top.finder.count, 1);
}

static void test_keys(void **state)
{
	(void)state;
	add_agent(10, "/work/alpha");
	take();
	type("@");
	assert_shows("the key @ does nothing here");
	type("U");
	assert_shows("no row is tagged");
	type("?");
	assert_shows("any key ends this");
	type(" ");
	assert_hides("any key ends this");
	type("I");
	assert_shows("ACTIVITY\u25b2");
	type("p");
	assert_shows("PAUSED");
	assert_false(top_handle_key(&top, 'q', NULL));
}

/* A text, an expression as everywhere, and a user. */
static void test_filters(void **state)
{
	(void)state;
	add_agent(10, "/work/alpha");
	add_agent(20, "/work/beta");
	add(21, 20, "sleep", "/bin/sleep", "/work/beta");
	take();
	type("\\pid = 21 or pid = 99\n");
	assert_hides("alpha");
	assert_shows("beta");
	/* A text that is not an expression yet hides nothing, and is not accepted. */
	type("\\\b\b\b\b\b\b >\n");
	assert_shows("alpha");
	assert_int_equal(top.mode, TOP_ASKS_FILTER);
	type("\033");
	assert_int_equal(top.mode, TOP_LIST);
	type("\\no_such = 1\n");
	assert_shows("no field no_such here");
	type("\033unone\n");
	assert_hides("alpha");
	assert_shows("user: none");
	type("\033");
	assert_shows("alpha");
}

static void test_search(void **state)
{
	(void)state;
	for (uint32_t pid = 11; pid <= 41; pid += 10)
		add_agent(pid, pid == 31 ? "/work/beta" : "/work/alpha");
	take();
	type("/beta\n");
	assert_int_equal(top_picked(&top)->id.pid, 31);
	/* It begins without the former text. */
	type("/11\n");
	assert_int_equal(top_picked(&top)->id.pid, 11);
	type("/alpha\nn");
	assert_int_equal(top_picked(&top)->id.pid, 41);
	type("N");
	assert_int_equal(top_picked(&top)->id.pid, 21);
	type("/\033n");
	assert_int_equal(top_picked(&top)->id.pid, 41);
	type("/none\n");
	assert_shows("no row has \"none\"");
}

static char kept[128];

static int keep(const char *name, const char *value, struct sooth_error *err)
{
	(void)err;
	snprintf(kept, sizeof(kept), "%s=%s", name, value ? value : "");
	return 0;
}

/* Each choice is shown at once; Enter keeps it. */
static void test_columns(void **state)
{
	(void)state;
	add_agent(10, "/work/alpha");
	take();
	top.options.keep = keep;
	assert_shows("PID AGENT");
	type("o");
	assert_shows("[x] pid ");
	type(" ");
	assert_shows("[ ] pid ");
	type("\033");
	assert_hides("PID AGENT");
	assert_string_equal(kept, "");
	type("ogG \n");
	assert_true(strstr(kept, "columns=agent,project,task,for,"));
	assert_false(strstr(kept, "finding"));
	type("o*\n");
	assert_string_equal(kept, "columns=");
	assert_shows("PID AGENT");
}

/* A graph beside it is of no use while the cause of a wait is cut. */
static void test_activity_is_readable(void **state)
{
	int widths[TOP_COLUMNS_MAX];

	(void)state;
	for (int room = 60; room < 300; room++) {
		top_columns_fit(&top, room, widths);
		assert_true(widths[top_column_number("activity")] >= 64 ||
			    (!widths[top_column_number("model")] &&
				    !widths[top_column_number("memory_graph")]));
	}
	top_columns_fit(&top, 166, widths);
	assert_true(widths[top_column_number("activity")] >= 72);
	assert_int_not_equal(widths[top_column_number("finding")], 0);
	assert_int_equal(widths[top_column_number("model")], 0);
}

/* The memory has its column in a narrow list, too; a tool's state comes before its path. */
static void test_activity_is_shortened(void **state)
{
	size_t position = 0;
	struct top_session *s;

	(void)state;
	add_agent(10, "/work/alpha");
	add_agent(20, "/work/beta");
	take();
	top_session_next(&top.model, &position);
	s = (struct top_session *)top_session_next(&top.model, &position);
	snprintf(s->doing_text, sizeof(s->doing_text),
		"runs Bash: /usr/bin/python3 /work/jobs/import.py (pid 77), no CPU, no output");
	assert_shows(" MEM");
	assert_shows("runs Bash: python3 /work");
	assert_hides("/usr/bin");
	canvas_resize(&top.canvas, 102, 30);
	assert_shows("\u2026, no CPU, no output");
	canvas_resize(&top.canvas, 116, 30);
	assert_shows("runs Bash: python3 /work/jobs/import.py, no CPU, no output");
	canvas_resize(&top.canvas, 240, 30);
	assert_shows(s->doing_text);
}

static void test_interval(void **state)
{
	(void)state;
	take();
	type("+");
	assert_int_equal(top.interval_ns, 3 * NS_PER_S);
	assert_shows("every 3s");
	type("---");
	assert_int_equal(top.interval_ns, 500 * NS_PER_MS);
	type("----");
	assert_shows("no shorter interval here");
	assert_int_equal(top.interval_ns, 250 * NS_PER_MS);
}

/* The list of findings, the most severe first, leads to a row. */
static void test_list_of_findings(void **state)
{
	static const char gone[] = "2,cleared,low,cpu-spin,x,cpu-spin:20@20\n";
	static const char rows[] = "utc_ns,state,severity,id,claim,key\n"
				   "1,raised,low,cpu-spin,spins,cpu-spin:20@20\n"
				   "1,raised,high,disk-full,no room,disk-full\n"
				   "1,raised,medium,fd-leak,leaks,fd-leak:30@30\n";

	(void)state;
	for (uint32_t pid = 10; pid <= 30; pid += 10)
		add_agent(pid, "/work/x");
	take();
	type("w");
	assert_int_equal(top.mode, TOP_LIST);
	finder_add_lines(&top.finder, rows, strlen(rows));
	type("w");
	assert_shows("3 findings");
	assert_shows("Enter: diagnose");
	assert_true(strstr(draw(), "the host: no room") < strstr(draw(), "x (30): leaks"));
	type("\n");
	assert_int_equal(top.mode, TOP_LIST);
	assert_shows("no room");
	type("qwjG");
	/* A finding that is gone is selected no more. */
	assert_true(finder_add_lines(&top.finder, gone, strlen(gone)));
	assert_hides("spins");
	type("\033");
	assert_hides("findings\u2500");
}

/* Whatever the room, what is asked and its keys are not cut. */
static void test_small_questions(void **state)
{
	(void)state;
	add_agent(10, "/work/a-project-with-a-long-name");
	take();
	canvas_resize(&top.canvas, 30, 8);
	type("?");
	assert_shows("q quit");
	assert_shows("w worst");
	type("?K");
	assert_shows("SIGTERM");
	assert_shows("Enter");
	type("kk");
	assert_shows("SIGABRT");
	type("\n");
	assert_shows("send SIGABRT to 10 claude");
	assert_shows("y: yes");
	canvas_resize(&top.canvas, 40, 12);
	type("n");
	assert_shows("PROJECT");
	assert_shows("CPU%");
}

static void take_two(void)
{
	add_agent(10, "/work/alpha");
	add(11, 10, "node", "/usr/bin/node", "/work/alpha");
	add_agent(20, "/work/beta");
	take();
}

/* Processes unfold by themselves, all sessions have a track, and a pane stands beside the list. */
static void test_large(void **state)
{
	(void)state;
	canvas_resize(&top.canvas, 300, 100);
	take_two();
	take_two();
	assert_shows("\u2514 node");
	assert_shows("what the sessions did");
	assert_shows("2m40s ago");
	type("g");
	assert_true(top_handle_key(&top, TOP_KEY_LEFT, NULL));
	assert_hides("\u2514 node");
	take_two();
	assert_hides("\u2514 node");
	type("a");
	assert_shows("timeline: 10");
	assert_shows("beta");
	type("q");
	canvas_resize(&top.canvas, 80, 24);
	assert_hides("what the sessions did");
}

static void test_all_sizes(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 30; i++)
		add_agent(1000 + i, "/work/\033[2J\xe4\xb8\xad\xff");
	take();
	for (int columns = 0; columns < 320; columns += columns < 90 ? 1 : 17) {
		for (int rows = 0; rows < 110; rows += rows < 40 ? 1 : 9) {
			canvas_resize(&top.canvas, columns, rows);
			draw();
			assert_null(strchr(buffer_cstr(&shown), '\033'));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
		TEST(test_cells),
		TEST(test_outside),
		TEST(test_over_a_wide_one),
		TEST(test_graphs),
		TEST(test_meter),
		TEST(test_nearest_color),
		TEST(test_sessions),
		TEST(test_traffic),
		TEST(test_growth),
		TEST(test_notes),
		TEST(test_found),
		TEST(test_tree_of_targets),
		TEST(test_all_in_an_order),
		TEST(test_urgent_first),
		TEST(test_list_before_the_tree),
		TEST(test_marks),
		TEST(test_marks_of_the_tree),
		TEST(test_pick_stays),
		TEST(test_pick_gone),
		TEST(test_findings),
		TEST(test_answers),
		TEST(test_answer_of_a_tool),
		TEST(test_answer_below_its_row),
		TEST(test_acting_in_a_pane),
		TEST(test_alerts_of_findings),
		TEST(test_keys),
		TEST(test_filters),
		TEST(test_search),
		TEST(test_columns),
		TEST(test_activity_is_readable),
		TEST(test_activity_is_shortened),
		TEST(test_interval),
		TEST(test_list_of_findings),
		TEST(test_small_questions),
		TEST(test_large),
		TEST(test_all_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
