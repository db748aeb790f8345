/* SPDX-License-Identifier: BSD-2-Clause */
/* A user's agents: what a text says, why it is refused, and what a set of them recognises. */
#include "support.h"

#include <errno.h>

#include "recognize/agent_set.h"
#include "collect/collector.h"

static const char whole[] = "# ours\n"
			    "name            mine\n"
			    "title           Our own  agent   # the best\r\n"
			    "tried 1.0\n"
			    "versions\topt/mine/versions\n"
			    "\n"
			    "below           opt/mine/versions called=mine\n"
			    "below           \"opt/my agent\" role=launcher called=go\n"
			    "package         @team/mine role=helper\n"
			    "module          mine.cli\n"
			    "program         .rodata \"mine \\\"agent\\\" # loop\" "
			    "version-behind=\"mine/\" begins=mine.debug\n"
			    "name-is         mine\n"
			    "somewhere       team\n"
			    "title-is        mine\n"
			    "command         mine\n"
			    "marker          kind MINE\n"
			    "marker          session MINE_SESSION_ID\n"
			    "marker          pid MINE_PID\n"
			    "marker          tool MINE_TOOL\n"
			    "home            .mine\n"
			    "home-variable   MINE_HOME\n"
			    "session-file    sessions/{pid}.json\n"
			    "session-key     sessionId\n"
			    "status-key      status\n"
			    "start-key       procStart\n"
			    "version-key     version\n"
			    "changed-key     updatedAt\n"
			    "project-file    .project_root\n"
			    "distribution    mine_agent\n"
			    "other-names     rg fd\n"
			    "starts-itself   yes\n"
			    "output-file     {session}/tasks/*.output\n"
			    "open-file       chats/*-{session}.jsonl\n"
			    "log             logs/{project}/{directory}/{session}.jsonl\n"
			    "log-kind        codex\n"
			    "session-option  --resume\n"
			    "session-option  -r\n"
			    "tool-outputs    tasks";

static struct agent_text *parsed(const char *text)
{
	struct sooth_error err = { 0 };
	struct agent_text *t = NULL;

	if (agent_text_parse(&t, "/home/me/mine.agent", text, strlen(text), &err))
		fail_msg("%s: %s", err.tried, err.why);
	return t;
}

static void test_whole(void **state)
{
	struct agent_text *t = parsed(whole), *again;
	const struct agent *a = &t->agent;
	const struct agent_rule *r = a->rules;

	(void)state;
	assert_string_equal(a->name, "mine");
	assert_string_equal(a->title, "Our own agent");
	assert_string_equal(a->tried, "1.0");
	assert_string_equal(a->versions, "opt/mine/versions");
	assert_string_equal(t->file, "mine.agent");
	assert_false(t->replaces);
	assert_int_equal(agent_rule_count(a), 9);
	assert_int_equal(r[0].kind, AGENT_RULE_BELOW);
	assert_string_equal(r[0].what, "opt/mine/versions");
	assert_string_equal(r[0].called, "mine");
	assert_int_equal(r[0].role, AGENT_ROLE_MAIN);
	assert_string_equal(r[0].why, "the executable is below opt/mine/versions and is called "
				      "mine (mine.agent:7)");
	assert_string_equal(r[1].what, "opt/my agent");
	assert_int_equal(r[1].role, AGENT_ROLE_LAUNCHER);
	assert_int_equal(r[2].kind, AGENT_RULE_PACKAGE);
	assert_int_equal(r[2].role, AGENT_ROLE_HELPER);
	assert_int_equal(r[3].kind, AGENT_RULE_MODULE);
	assert_string_equal(r[4].program.section, ".rodata");
	assert_string_equal(r[4].program.holds, "mine \"agent\" # loop");
	assert_string_equal(r[4].program.version_behind, "mine/");
	assert_string_equal(r[4].program.begins, "mine.debug");
	assert_int_equal(t->program_rules, 1);
	assert_int_equal(r[5].kind, AGENT_RULE_NAME);
	assert_int_equal(r[6].kind, AGENT_RULE_SOMEWHERE);
	assert_int_equal(r[7].kind, AGENT_RULE_TITLE);
	assert_int_equal(r[8].kind, AGENT_RULE_COMMAND);
	assert_int_equal(a->markers[3].kind, AGENT_MARKER_TOOL);
	assert_string_equal(a->markers[1].name, "MINE_SESSION_ID");
	assert_null(a->markers[4].name);
	assert_string_equal(a->files.home_variable, "MINE_HOME");
	assert_string_equal(a->files.session_file, "sessions/{pid}.json");
	assert_string_equal(a->files.version_key, "version");
	assert_int_equal(a->files.log_kind, AGENT_LOG_CODEX);
	assert_string_equal(a->session_options[1], "-r");
	assert_string_equal(a->tool_outputs, "tasks");
	assert_string_equal(a->files.changed_key, "updatedAt");
	assert_string_equal(a->files.project_file, ".project_root");
	assert_string_equal(a->distribution, "mine_agent");
	assert_string_equal(a->other_names, "rg fd");
	assert_string_equal(a->output_file, "{session}/tasks/*.output");
	assert_true(a->starts_itself);
	/* The text that is passed on has no comments, the same lines, and says the same. */
	t->text[t->text_size] = '\0';
	assert_null(strstr(t->text, "ours"));
	assert_null(strstr(t->text, "the best"));
	assert_non_null(strstr(t->text, "# loop"));
	again = parsed(t->text);
	assert_int_equal(again->text_size, t->text_size);
	assert_memory_equal(again->text, t->text, t->text_size);
	assert_string_equal(again->agent.rules[8].why, r[8].why);
	agent_text_free(again);
	agent_text_free(t);
}

#define RULE "name mine\nbelow opt/mine\n"

/* A file can say all that sooth knows of Gemini CLI: its session stands in the first line of a log,
 * in a folder with a file that names the owner. */
static void test_as_built_in(void **state)
{
	const struct agent *gemini = NULL;
	struct agent_text *t = parsed("name gemini\nreplace yes\nstarts-itself yes\n"
				      "package @google/gemini-cli\nmarker kind GEMINI_CLI\n"
				      "home .gemini\nsession-key sessionId\nstart-key startTime\n"
				      "log tmp/{project}/chats/session-*.jsonl\n"
				      "project-file .project_root\nlog-kind gemini\n");
	const struct agent_files *mine = &t->agent.files, *its;

	(void)state;
	for (size_t i = 0; registry_agents[i]; i++)
		if (!strcmp(registry_agents[i]->name, "gemini"))
			gemini = registry_agents[i];
	assert_non_null(gemini);
	its = &gemini->files;
	assert_string_equal(mine->home, its->home);
	assert_string_equal(mine->log, its->log);
	assert_string_equal(mine->project_file, its->project_file);
	assert_string_equal(mine->session_key, its->session_key);
	assert_string_equal(mine->start_key, its->start_key);
	assert_int_equal(mine->log_kind, its->log_kind);
	assert_int_equal(t->agent.starts_itself, gemini->starts_itself);
	assert_null(mine->session_file);
	assert_string_equal(t->agent.rules[0].what, gemini->rules[0].what);
	agent_text_free(t);
}

static const struct {
	const char *text, *place, *why, *remedy;
} wrong[] = {
	{ "", "x.agent", "name is missing", "name mine" },
	{ "# only this", "x.agent", "name is missing", "" },
	{ "name mine\n", "x.agent", "no rule", "below" },
	{ "name Mine\n", "x.agent:1", "lower-case", "name mine" },
	{ "name 1mine\n", "x.agent:1", "lower-case", "" },
	{ "name my agent\n", "x.agent:1", "one word", "" },
	{ "name\n", "x.agent:1", "name has no value", "" },
	{ "name \"\"\n", "x.agent:1", "name has no value", "" },
	{ "name abcdefghijklmnopqrstuvwxyzabcdefg\n", "x.agent:1", "at most 32", "" },
	{ "\n\nnmae mine\n", "x.agent:3", "no key \"nmae\"", "did you mean name?" },
	{ "colour red\n", "x.agent:1", "no key \"colour\"", "howto-add-agent" },
	{ RULE "name mine\n", "x.agent:3", "given twice", "delete" },
	{ RULE "below opt/mine\n", "x.agent:3", "given twice", "delete" },
	{ RULE "title a \"b\n", "x.agent:3", "not closed", "" },
	{ RULE "title a\033[31m\n", "x.agent:3", "control character", "" },
	{ RULE "title a b c d e f g h\n", "x.agent:3", "at most 8 words", "\"\"" },
	{ RULE "replace perhaps\n", "x.agent:3", "yes or no", "" },
	{ "below /opt/mine\n", "x.agent:1", "leading /", "below FOLDERS" },
	{ "below ~/mine\n", "x.agent:1", "write x", "" },
	{ "below opt//mine\n", "x.agent:1", "folders by one /", "" },
	{ "below opt/mine/\n", "x.agent:1", "folders by one /", "" },
	{ "below opt/../mine\n", "x.agent:1", ". or ..", "" },
	{ "below usr/bin\n", "x.agent:1", "other programs are below usr/bin", "called=" },
	{ "below usr/bin called=node\n", "x.agent:1", "other programs are below", "" },
	{ "somewhere node_modules\n", "x.agent:1", "other programs are below", "" },
	{ "below opt/mine colour=red\n", "x.agent:1", "takes no \"colour=red\"", "" },
	{ "below opt/mine called\n", "x.agent:1", "takes no \"called\"", "" },
	{ "below opt/mine begins=x\n", "x.agent:1", "takes no \"begins=x\"", "" },
	{ "below opt/mine called=a/b\n", "x.agent:1", "without folders", "" },
	{ "below opt/mine role=tool\n", "x.agent:1", "cannot give the role \"tool\"", "launcher" },
	{ "name-is node\n", "x.agent:1", "other programs are called node", "" },
	{ "name-is python3.12\n", "x.agent:1", "other programs are called", "" },
	{ "command MainThread\n", "x.agent:1", "other programs are called", "" },
	{ "command sh\n", "x.agent:1", "other programs are called", "" },
	{ "command main\n", "x.agent:1", "other programs are called", "" },
	{ "title-is bash\n", "x.agent:1", "other programs are called", "" },
	{ "command sixteen-letters-\n", "x.agent:1", "at most 15 bytes", "name-is" },
	{ "package Mine Agent\n", "x.agent:1", "takes no \"Agent\"", "" },
	{ "package @team\n", "x.agent:1", "@team/mine", "" },
	{ "package npm\n", "x.agent:1", "other programs use", "" },
	{ "module pytest\n", "x.agent:1", "other programs run it", "" },
	{ "program .rodata\n", "x.agent:1", "8 bytes or more", "strings(1)" },
	{ "program .rodata short\n", "x.agent:1", "8 bytes or more", "" },
	{ "program rodata \"long enough\"\n", "x.agent:1", "section name", "" },
	{ RULE "marker MINE\n", "x.agent:3", "a kind and a name", "marker kind" },
	{ RULE "marker colour MINE\n", "x.agent:3", "marker kind \"colour\"", "" },
	{ RULE "marker kind PATH\n", "x.agent:3", "no agent started", "" },
	{ RULE "marker kind XDG_SESSION_ID\n", "x.agent:3", "no agent started", "" },
	{ RULE "marker session MINE_TOKEN\n", "x.agent:3", "holds a secret", "" },
	{ RULE "marker session MINE-ID\n", "x.agent:3", "MINE_SESSION_ID", "" },
	{ RULE "marker kind MINE\nmarker tool MINE\n", "x.agent:4", "given twice", "" },
	{ RULE "home .m/{pid}\n", "x.agent:3", "without braces", "home .mine" },
	{ RULE "home .m/*\n", "x.agent:3", "without *", "" },
	{ RULE "home .m\nsession-file s/{session}.json\n", "x.agent:4",
		"allowed in braces: pid, directory", "" },
	{ RULE "home .m\nsession-file s/*.json\n", "x.agent:4", "one file", "" },
	{ RULE "home .m\nopen-file s/{pid}\n", "x.agent:4", "{session} is missing", "open-file" },
	{ RULE "home .m\nopen-file {project}/{session}\n", "x.agent:4", "allowed in braces", "" },
	{ RULE "home .m\nopen-file a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/{session}\n", "x.agent:4",
		"at most 16 names", "" },
	{ RULE "home .m\nlog x-{project}/a\n", "x.agent:4", "whole path component", "" },
	{ RULE "home .m\nlog {project}/a\n", "x.agent", "needs project-file", "add project-file" },
	{ RULE "home .m\nlog a\nproject-file .root\n", "x.agent", "needs a log", "{project}" },
	{ RULE "home .m\nlog {project}/a\nproject-file a/b\n", "x.agent:5", "without folders", "" },
	{ RULE "home .m\nlog a\nsession-key id\n", "x.agent", "first line", "start-key" },
	{ RULE "home .m\nchanged-key a\n", "x.agent", "keys without a file", "session-file" },
	{ RULE "changed-key my-secret\n", "x.agent:3", "secret", "changed-key" },
	{ RULE "distribution mine-agent\n", "x.agent:3", "with _ for -", "" },
	{ RULE "distribution mine*\n", "x.agent:3", "distribution folder", "" },
	{ RULE "distribution 1mine\n", "x.agent:3", "distribution folder", "" },
	{ RULE "output-file tasks/*.out\n", "x.agent:3", "{session} is missing", "output-file" },
	{ RULE "other-names rg bin/fd\n", "x.agent:3", "without folders", "other-names rg fd" },
	{ RULE "starts-itself perhaps\n", "x.agent:3", "yes or no", "starts-itself yes" },
	{ RULE "starts-itself yes\nstarts-itself no\n", "x.agent:4", "given twice", "" },
	{ RULE "home /root\n", "x.agent:3", "relative to the home", "" },
	{ RULE "home ..\n", "x.agent:3", ". or ..", "" },
	{ RULE "home-variable MINE_API_KEY\n", "x.agent:3", "secret", "" },
	{ RULE "home-variable MINE_HOME\n", "x.agent", "home", "add home" },
	{ RULE "log x\n", "x.agent", "home", "add home" },
	{ RULE "home .m\nsession-file a/{user}\n", "x.agent:4", "pid, directory", "" },
	{ RULE "home .m\nsession-file a/{pid\n", "x.agent:4", "{ and }", "" },
	{ RULE "home .m\nsession-file a/pid}\n", "x.agent:4", "{ and }", "" },
	{ RULE "home .m\nsession-file ../{pid}\n", "x.agent:4", ". or ..", "" },
	{ RULE "home .m\nsession-file a\n", "x.agent", "session-file without", "session-key" },
	{ RULE "home .m\nstatus-key a\n", "x.agent", "keys without a file", "session-file" },
	{ RULE "home .m\nsession-file a\nsession-key accessToken\n", "x.agent:5", "secret", "" },
	{ RULE "home .m\nlog-kind codex\n", "x.agent", "log-kind without log", "add log" },
	{ RULE "home .m\nlog l\nlog-kind amp\n", "x.agent:5", "\"amp\"", "claude|codex" },
	{ RULE "session-option resume\n", "x.agent:3", "--resume", "" },
	{ RULE "session-option --api-key\n", "x.agent:3", "secret", "" },
	{ RULE "session-option -r\nsession-option -r\n", "x.agent:4", "given twice", "" },
};

static void test_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct agent_text *t = NULL;
		struct sooth_error err = { 0 };
		char place[64];
		int status = agent_text_parse(
			&t, "d/x.agent", wrong[i].text, strlen(wrong[i].text), &err);

		snprintf(place, sizeof(place), "use d/%s", wrong[i].place);
		if (status != -EINVAL || t || strcmp(err.tried, place) ||
			!strstr(err.why, wrong[i].why) || !err.remedy[0] ||
			!strstr(err.remedy, wrong[i].remedy))
			fail_msg("%s\n%s|%s|%s", wrong[i].text, err.tried, err.why, err.remedy);
	}
}

static int status_of(const char *text, size_t size, struct sooth_error *err)
{
	struct agent_text *t = NULL;
	int status = agent_text_parse(&t, "x.agent", text, size, err);

	agent_text_free(t);
	return status;
}

static void test_bounds(void **state)
{
	struct sooth_error err;
	struct buffer text = { 0 };

	(void)state;
	buffer_string(&text, "name mine\n");
	for (unsigned i = 0; i < AGENT_RULES_MAX - 1; i++)
		buffer_format(&text, "below opt/mine%u\n", i);
	assert_int_equal(status_of((char *)text.data, text.size, &err), 0);
	buffer_string(&text, "below opt/more\n");
	assert_int_equal(status_of((char *)text.data, text.size, &err), -EINVAL);
	assert_non_null(strstr(err.why, "at most 15 rules"));
	buffer_reset(&text);
	buffer_string(&text, RULE);
	for (unsigned i = 0; i < AGENT_MARKERS_MAX; i++)
		buffer_format(&text, "marker kind MINE%u\n", i);
	assert_int_equal(status_of((char *)text.data, text.size, &err), -EINVAL);
	assert_non_null(strstr(err.why, "at most 11 markers"));
	buffer_reset(&text);
	buffer_string(&text, RULE "title ");
	while (text.size < 200)
		buffer_char(&text, 'x');
	assert_int_equal(status_of((char *)text.data, text.size, &err), -EINVAL);
	assert_non_null(strstr(err.why, "longer than 120"));
	buffer_reset(&text);
	buffer_string(&text, RULE "#");
	while (text.size < AGENT_TEXT_BYTES_MAX)
		buffer_char(&text, 'x');
	assert_int_equal(status_of((char *)text.data, text.size, &err), 0);
	buffer_char(&text, 'x');
	assert_int_equal(status_of((char *)text.data, text.size, &err), -EINVAL);
	assert_int_equal(status_of("name mine\0below opt/x\n", 21, &err), -EINVAL);
	buffer_fini(&text);
}

/* --- sets --- */

static void add(struct agent_set *set, const char *file, const char *text)
{
	struct sooth_error err = { 0 };

	if (agent_set_add(set, file, text, strlen(text), &err))
		fail_msg("%s: %s", err.tried, err.why);
}

static const char *recognised(const struct agent_set *set, const char *executable)
{
	struct agent_evidence e = { .executable = span_of(executable, strlen(executable)) };
	struct agent_match match;
	const struct agent *agent = agent_recognise(set, &e, &match);

	return agent ? agent->name : "";
}

static size_t count_of(const struct agent_set *set)
{
	size_t position = 0, count = 0;

	while (agent_set_next(set, &position))
		count++;
	return count;
}

static void test_set(void **state)
{
	struct agent_set *set = agent_set_new();
	struct sooth_error err;
	size_t built_in = count_of(NULL), position = 0;
	static const char replacing[] = "name claude\nreplace yes\nbelow opt/ours\n";

	(void)state;
	assert_true(built_in >= 10);
	assert_int_equal(count_of(set), built_in);
	assert_string_equal(recognised(NULL, "/opt/mine/x"), "");
	add(set, "b.agent", "name mine\nbelow opt/mine\n");
	add(set, "a.agent", "name other\nname-is claude\n");
	assert_int_equal(count_of(set), built_in + 2);
	assert_string_equal(recognised(set, "/opt/mine/x"), "mine");
	assert_string_equal(recognised(NULL, "/opt/mine/x"), "");
	/* The user's own come first, in the order they were added. */
	assert_string_equal(agent_set_next(set, &position)->name, "mine");
	assert_string_equal(agent_set_next(set, &position)->name, "other");
	assert_string_equal(recognised(set, "/usr/bin/claude"), "other");
	/* But a stronger kind of rule is stronger whoever has it. */
	assert_string_equal(
		recognised(set, "/home/x/.local/share/claude/versions/2.0.0"), "claude");
	assert_int_equal(agent_set_add(set, "c.agent", RULE, strlen(RULE), &err), -EEXIST);
	assert_non_null(strstr(err.why, "b.agent"));
	assert_int_equal(agent_set_add(set, "c", "name codex\nbelow opt/x\n", 23, &err), -EEXIST);
	assert_non_null(strstr(err.remedy, "replace yes"));
	assert_int_equal(agent_set_add(set, "c", "name codexx\nreplace yes\nbelow opt/x", 35, &err),
		-ENOENT);
	assert_int_equal(count_of(set), built_in + 2);
	add(set, "c.agent", replacing);
	assert_int_equal(count_of(set), built_in + 2);
	assert_string_equal(recognised(set, "/home/x/.local/share/claude/versions/2.0.0"), "");
	assert_string_equal(recognised(set, "/opt/ours/x"), "claude");
	agent_set_unref(set);
}

static void test_set_bounds(void **state)
{
	struct agent_set *set = agent_set_new();
	struct sooth_error err;
	char text[256];

	(void)state;
	for (unsigned i = 0; i < AGENT_SET_OWN_MAX; i++) {
		snprintf(text, sizeof(text), "name mine%u\nbelow opt/mine%u\n", i, i);
		add(set, "x.agent", text);
	}
	assert_int_equal(agent_set_add(set, "x", RULE, strlen(RULE), &err), -E2BIG);
	agent_set_unref(set);
	set = agent_set_new();
	for (unsigned i = 0; i < AGENT_PROGRAMS_MAX; i++) {
		snprintf(text, sizeof(text), "name mine%u\nprogram .rodata \"text of mine %u\"\n",
			i, i);
		if (agent_set_add(set, "x.agent", text, strlen(text), &err))
			break;
	}
	assert_non_null(strstr(err.why, "more than 48 \"program\" rules"));
	agent_set_unref(set);
}

/* --- through a stream --- */

static uint64_t no_time(const struct os *os)
{
	(void)os;
	return 1;
}

static const struct os os = { .now_ns = no_time };

static int take_all(struct agent_set **to, const struct agent_set *from, struct sooth_error *err)
{
	struct buffer out = { 0 };
	struct batch all;
	int status = 0;

	collector_agents(&os, &out, from);
	all = (struct batch){ out.data, out.size };
	batch_for_each (r, &all) {
		if (!status)
			status = agent_set_add_record(to, r, err);
	}
	buffer_fini(&out);
	return status;
}

static void test_stream(void **state)
{
	struct agent_set *from = agent_set_new(), *to = NULL, *later = agent_set_new();
	const struct agent *mine;
	struct sooth_error err;
	size_t position = 0;

	(void)state;
	assert_int_equal(take_all(&to, from, &err), 0);
	assert_null(to); /* nothing but built-in ones: nothing is written */
	add(from, "/home/me/x/mine.agent", "name mine # secret\nbelow opt/mine\n");
	assert_int_equal(take_all(&to, from, &err), 0);
	assert_string_equal(recognised(to, "/opt/mine/x"), "mine");
	mine = agent_set_next(to, &position);
	assert_string_equal(agent_set_text(to, mine)->file, "mine.agent");
	/* Each segment repeats it. */
	assert_int_equal(take_all(&to, from, &err), 0);
	assert_int_equal(count_of(to), count_of(NULL) + 1);
	/* A later capture behind it has another text of that file. */
	add(later, "mine.agent", "name mine\nbelow opt/moved\n");
	assert_int_equal(take_all(&to, later, &err), 0);
	assert_int_equal(count_of(to), count_of(NULL) + 1);
	assert_string_equal(recognised(to, "/opt/mine/x"), "");
	assert_string_equal(recognised(to, "/opt/moved/x"), "mine");
	assert_string_equal(mine->rules[0].what, "opt/mine"); /* pointers stay good */
	agent_set_unref(later);
	later = agent_set_new();
	add(later, "other.agent", "name mine\nbelow opt/third\n");
	assert_int_equal(take_all(&to, later, &err), -EEXIST);
	assert_string_equal(recognised(to, "/opt/moved/x"), "mine");
	agent_set_unref(later);
	agent_set_unref(from);
	agent_set_unref(to);
}

/* Records that no collector writes. */
static void test_hostile_stream(void **state)
{
	struct stream_agent record = { .record = { .kind = STREAM_AGENT } };
	char text[] = "name mine\n";
	struct record_tail tail[] = { { &record.text, text, strlen(text) } };
	struct agent_set *set = NULL;
	struct sooth_error err;
	struct buffer out = { 0 };
	struct stream_agent *written;

	(void)state;
	RECORD_APPEND(&out, &record, tail, 1);
	written = (void *)out.data;
	assert_int_equal(agent_set_add_record(&set, &written->record, &err), -EINVAL);
	assert_non_null(strstr(err.why, "no rule"));
	written->text.size = 1u << 30; /* points outside */
	assert_int_equal(agent_set_add_record(&set, &written->record, &err), -EINVAL);
	written->record.fixed_words--; /* shorter than this build knows it */
	assert_int_equal(agent_set_add_record(&set, &written->record, &err), 0);
	assert_int_equal(count_of(set), count_of(NULL));
	buffer_fini(&out);
	agent_set_unref(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_as_built_in),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_set_bounds),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_hostile_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
