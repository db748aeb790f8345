/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/statusline/status_text.h"

#include <string.h>

#include "base/escape.h"
#include "base/sentence_units.h"
#include "cli/screen/text_width.h"
#include "cli/state/history_files.h"
#include "cli/statusline/readings.h"
#include "cli/statusline/session_input.h"

#define MAINS_MAX     64
#define FINDING_COLOR "\033[31m"
#define COLOR_OFF     "\033[0m"

/* --- which sessions --- */

/* Finds the session above this process. A session that has a reading needs no other proof. */
static void find_above(struct sessions *s)
{
	struct process_id above[SESSIONS_ABOVE_MAX];
	size_t count = sessions_list_above(above);

	for (size_t i = 0; i < count && !s->main_pid; i++) {
		if (!readings_have(&above[i]))
			continue;
		sessions_read(s, &(pid_t){ (pid_t)above[i].pid }, 1);
		if (sessions_has_main(s, above[i].pid))
			s->main_pid = above[i].pid;
	}
	if (!s->main_pid)
		sessions_find_above(s, above, count);
}

static void find_of_user(struct sessions *s)
{
	pid_t mains[MAINS_MAX];
	size_t count = readings_list_mains(mains, MAINS_MAX);

	if (count)
		sessions_read(s, mains, count);
	else
		sessions_find_of_user(s);
}

/* Returns the main process of the session with this id; 0: none is known. */
static uint32_t find_by_id(const struct sessions *s, const char *id)
{
	for (size_t i = 0; i < sessions_count(s); i++) {
		if (sessions_at(s, i)->is_main && !strcmp(sessions_at(s, i)->session_id, id))
			return sessions_at(s, i)->main_pid;
	}
	return 0;
}

/* Selects the session of the id, or else the one above, or else all of the user. Returns the PID of
 * its main process; 0: all. */
static uint32_t find_sessions(struct sessions *s)
{
	uint32_t above, main_pid;
	char id[64];
	bool has_id = session_input_read(id, sizeof(id));

	find_above(s);
	main_pid = above = s->main_pid;
	if (has_id && find_by_id(s, id) != above) {
		find_of_user(s);
		main_pid = find_by_id(s, id);
		if (!main_pid && above)
			sessions_read(s, &(pid_t){ (pid_t)above }, 1);
		main_pid = main_pid ?: above;
	} else if (!above) {
		find_of_user(s);
	}
	sessions_keep(s, main_pid);
	return main_pid;
}

/* --- the text --- */

static const struct session_process *most_urgent(const struct sessions *s, size_t *count)
{
	const struct session_process *found = NULL;

	*count = 0;
	buffer_each (const struct session_process, p, &s->processes) {
		if (!p->is_main)
			continue;
		++*count;
		if (!found || p->urgency < found->urgency)
			found = p;
	}
	return found;
}

static void put_values(struct buffer *out, const struct sessions *s, const struct readings *r)
{
	uint64_t rss_bytes = 0;

	for (size_t i = 0; i < sessions_count(s); i++)
		rss_bytes += sessions_at(s, i)->glance.rss_bytes;
	if (r->cpu_percent >= 0)
		buffer_format(out, " %.0f%%", r->cpu_percent);
	buffer_format(out, " %s", FORMAT_BYTES(rss_bytes));
}

static void put_activity(struct buffer *out, const struct session_process *p)
{
	if (!p->activity[0])
		return;
	buffer_format(out, " %s", p->activity);
	if (p->since_s)
		buffer_format(out, " %s", SENTENCE_DURATION(p->since_s * NS_PER_S));
}

/* Cuts the text to a number of columns. */
static void cut_text(struct buffer *text, unsigned width)
{
	const char *data = buffer_cstr(text);
	bool is_utf8 = text_is_utf8();
	size_t at = 0, used;
	unsigned columns = 0;

	while (at < text->size) {
		uint32_t character = text_decode(data + at, text->size - at, &used);

		columns += (unsigned)text_char_width(is_utf8, &character);
		if (columns > width)
			break;
		at += used;
	}
	text->size = at;
}

static void put_line(
	struct buffer *out, const struct sessions *s, uint32_t main_pid, const struct readings *r)
{
	size_t count;
	const struct session_process *main = most_urgent(s, &count);

	if (main_pid || count == 1) {
		buffer_string(out, main->agent);
		put_values(out, s, r);
	} else {
		buffer_format(out, "%zu agents", count);
		put_values(out, s, r);
		buffer_format(out, " | %s %u", main->agent, main->glance.id.pid);
	}
	put_activity(out, main);
}

void status_text_put(struct buffer *out, unsigned width, bool has_color)
{
	struct buffer line = { 0 }, raw = { 0 };
	struct sessions s = { 0 };
	struct readings r;
	size_t count, begin;
	char answer[READING_TEXT_SIZE];
	uint32_t main_pid = find_sessions(&s);

	if (most_urgent(&s, &count)) {
		readings_compare(&r, &s, main_pid);
		put_line(&raw, &s, main_pid, &r);
		begin = raw.size;
		if (history_answer_of(answer, sizeof(answer), main_pid))
			buffer_format(&raw, " | %s", answer);
		else if (r.finding[0])
			buffer_format(&raw, " | %s", r.finding);
		escape_terminal(&line, (const char *)raw.data, raw.size);
		cut_text(&line, width);
		/* A plain text is as long as before it was escaped. */
		begin = begin < line.size ? begin : line.size;
		buffer_append(out, line.data, begin);
		if (has_color && line.size > begin)
			buffer_string(out, FINDING_COLOR);
		buffer_append(out, buffer_at(&line, begin), line.size - begin);
		if (has_color && line.size > begin)
			buffer_string(out, COLOR_OFF);
	}
	buffer_fini(&raw);
	buffer_fini(&line);
	sessions_fini(&s);
}
