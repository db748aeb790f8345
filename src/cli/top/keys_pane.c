/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of panes, and those that pass something to other programs. */
#include "cli/top/keys_pane.h"

#include <stdio.h>

#include "base/cursor.h"
#include "cli/top/elsewhere.h"
#include "cli/top/prompt.h"
#include "cli/top/text.h"
#include "cli/top/timeline.h"
#include "model/batch.h"

static void open_pane(struct top *t, const struct top_pane_kind *kind, const struct process_id *id,
	const char *about)
{
	struct process_id ids[TOP_PANE_PROCESSES] = { *id };
	size_t count = 1;

	for (size_t i = 0; kind->is_of_session && i < top_process_count(&t->model); i++) {
		const struct top_process *p = top_process_at(&t->model, i);

		if (count < TOP_PANE_PROCESSES && p->session && !p->is_main &&
			p->session->id.pid == id->pid &&
			p->session->id.start_ticks == id->start_ticks)
			ids[count++] = p->id;
	}
	if (top_pane_open(&t->pane, kind, ids, count, about, top_pane_columns(t)))
		top_say(t, "no process could be started");
	else if (!kind->words[0])
		top_timeline_write(t);
}

void top_open_pane(struct top *t, const struct top_pane_kind *kind)
{
	const struct top_row *row = top_picked(t);
	char about[160], name[64] = "";

	if (!row || (row->kind == TOP_ROW_SESSION && row->session->mark == TOP_MARK_GONE)) {
		top_say(t, row ? "this session has ended" : "no process is selected");
		return;
	}
	if (row->kind == TOP_ROW_SESSION) {
		snprintf(about, sizeof(about), "%u %s %s", row->id.pid, row->session->agent,
			row->session->project);
	} else {
		top_word(t->model.schema, "name", row->process->row, name, sizeof(name));
		snprintf(about, sizeof(about), "%u %s", row->id.pid, name);
	}
	open_pane(t, kind, &row->id, about);
}

static bool pick_row_of(struct top *t, const struct process_id *id)
{
	for (size_t i = 0; i < top_row_count(t); i++) {
		if (!process_id_equal(&top_row_at(t, i)->id, id))
			continue;
		top_pick(t, i);
		return true;
	}
	return false;
}

/* Selects the row of the process, and unfolds its session: the next act has to hit this process,
 * and not the whole session. */
static bool select_process(struct top *t, const struct process_id *id)
{
	const struct top_process *p = top_process_find(&t->model, id);
	const struct top_session *s = p ? p->session : NULL;

	if (pick_row_of(t, id))
		return true;
	if (!s || t->is_tree)
		return false;
	top_want_folding(t, &s->id, TOP_UNFOLDED);
	top_arrange(t);
	return pick_row_of(t, id) || pick_row_of(t, &s->id);
}

void top_open_finding(struct top *t, const struct top_finding *f)
{
	static const struct top_pane_kind text = { .name = "finding", .help = "", .doing = "" };
	char about[240], place[128];
	struct buffer words = { 0 };

	t->mode = TOP_LIST;
	top_finding_place(t, f, place, sizeof(place));
	snprintf(about, sizeof(about), "%s: %s", f->name, place);
	if (f->id.pid && top_finding_is_alive(f)) {
		if (!select_process(t, &f->id))
			top_say(t, "%u has no row in the list: K, z and Z act on it here",
				f->id.pid);
		open_pane(t, top_pane_kind_for('d'), &f->id, about);
		top_pane_set_known(&t->pane, f->claim, f->remedy);
		return;
	}
	if (f->id.pid)
		buffer_format(&words, "%u has ended. What was found:\n", f->id.pid);
	buffer_format(&words, "%s\n", f->claim);
	if (f->remedy[0])
		buffer_format(&words, "\n%s\n", f->remedy);
	top_pane_open(&t->pane, &text, &f->id, 0, about, top_pane_columns(t));
	top_pane_set_text(&t->pane, buffer_cstr(&words));
	buffer_fini(&words);
}

static void write_short_lived(struct buffer *out, const struct top_frame *frame)
{
	const struct top_table *rows = top_table_of(frame, "short_lived");
	const struct top_table *sum = top_table_of(frame, "short_lived_totals");
	struct batch batch = { 0 };
	char text[256];
	double count;

	if (rows)
		batch = (struct batch){ rows->records.data, rows->records.size };
	batch_for_each (r, &batch) {
		if (top_number(rows->schema, "count", r, &count))
			buffer_format(out, "%7.0f  ", count);
		top_word(rows->schema, "name", r, text, sizeof(text));
		buffer_format(out, "%-16s", text);
		if (top_number(rows->schema, "session_pid", r, &count))
			buffer_format(out, "  of %.0f", count);
		buffer_string(out, "\n");
	}
	if (sum && top_word(sum->schema, "reason", top_row_of(sum), text, sizeof(text)))
		buffer_format(out, "not measured: %s\n", text);
	else if (!out->size)
		buffer_string(out, "none\n");
}

void top_show_short_lived(struct top *t, int key)
{
	static const struct top_pane_kind kind = {
		.name = "short-lived processes", .help = "", .doing = ""
	};
	struct buffer words = { 0 };

	(void)key;
	write_short_lived(&words, &t->model.frame);
	top_pane_open(&t->pane, &kind, &(struct process_id){ 0 }, 0,
		"began and ended between the last two frames", top_pane_columns(t));
	top_pane_set_text(&t->pane, buffer_cstr(&words));
	buffer_fini(&words);
}

/* Shows the end of the session's log, as far as the agent's log has a known form. */
void top_show_log(struct top *t, int key)
{
	static const struct top_pane_kind kind = { .name = "log", .help = "", .doing = "" };
	const struct top_row *row = top_picked(t);
	struct span text = { 0 };
	struct buffer words = { 0 };

	(void)key;
	if (row && row->process)
		text = text_named(t->model.schema, row->process->row, "log_end");
	if (!text.size) {
		top_say(t, "no log of a session is known here");
		return;
	}
	for (struct cursor c = cursor_over(text.data, text.size); !cursor_at_end(&c);) {
		struct span line = cursor_until(&c, '\0');

		buffer_format(&words, "%.*s\n", (int)line.size, line.data);
	}
	buffer_string(&words, "\nThe last lines, without their text.\n");
	top_pane_open(&t->pane, &kind, &row->id, 0, row->session ? row->session->project : "",
		top_pane_columns(t));
	top_pane_set_text(&t->pane, buffer_cstr(&words));
	buffer_fini(&words);
}

/* Handles a key of another pane, which opens for the same process. */
void top_handle_pane_key(struct top *t, int key)
{
	struct top_pane *p = &t->pane;
	const struct top_pane_kind *kind = top_pane_kind_for(key);
	enum top_act_verb verb;

	if (key == 'q' || key == TOP_KEY_ESCAPE || key == TOP_KEY_F10 || key == TOP_KEY_LEFT)
		top_pane_close(p);
	else if (top_pane_handle_key(p, key))
		return;
	else if (key == '/' || key == TOP_KEY_F1 + 2)
		top_prompt_open(t, TOP_ASKS_PANE_SEARCH);
	else if (key == 'n')
		top_find_in_pane(t);
	else if (t->replay && (kind || key == 'r'))
		top_say(t, "of a capture: sooth report FILE.sooth, sooth diagnose FILE.sooth");
	else if (!p->id.pid && (kind || key == 'r' || top_act_is_key(key, &verb)))
		top_say(t, "the host is no process: q leads back to the list");
	else if (!t->replay && top_act_is_key(key, &verb))
		top_act_begin_pane(t, verb);
	else if (kind || (key == 'r' && p->kind != &top_act_outcome))
		open_pane(t, kind ? kind : p->kind, &p->id, p->about);
	else if (key == '?' || key == TOP_KEY_F1)
		t->mode = TOP_HELP;
	else
		top_say(t, "this key does nothing here; ? lists the keys");
}

/* --- for other programs --- */

void top_copy(struct top *t, bool is_resume)
{
	const struct top_row *row = top_picked(t);

	if (!row)
		return;
	if (is_resume && (row->kind != TOP_ROW_SESSION ||
				 !top_resume_command(row->session, t->copied, sizeof(t->copied)))) {
		top_say(t, "no command is known that resumes this session");
		return;
	}
	if (!is_resume)
		snprintf(t->copied, sizeof(t->copied), "%u", row->id.pid);
	top_say(t, "copied, where the terminal allows it: %s", t->copied);
}

void top_say_terminal(struct top *t, int key)
{
	const struct top_row *row = top_picked(t);
	char terminal[48] = "";

	(void)key;
	if (row && row->process)
		top_word(
			t->model.schema, "terminal", row->process->row, terminal, sizeof(terminal));
	if (!row)
		return;
	if (!terminal[0])
		top_say(t, "%u has no terminal", row->id.pid);
	else if (!top_jump(t, terminal))
		top_say(t, "%u is on %s", row->id.pid, terminal);
}
