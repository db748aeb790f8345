/* SPDX-License-Identifier: BSD-2-Clause */
/* Beginning and end of what the parts of the screen share, and the frames that come into it. */
#include "cli/top/state.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/top/alerting.h"
#include "cli/screen/text_width.h"
#include "cli/top/columns.h"

void top_say(struct top *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(t->message, sizeof(t->message), format, args);
	va_end(args);
}

/* Begins with the tree if the selected processes belong to no agent: they are in no session. */
static void begin_with_tree(struct top *t)
{
	if (t->options.has_targets && t->model.frames == 1 && !t->model.session_count &&
		!t->is_flat)
		t->is_tree = t->shows_all = true;
}

/* Shows a frame, unless it comes while the display is paused. */
static void show_frame(void *user, const struct top_frame *frame)
{
	struct top *t = user;

	if (t->replay) {
		replay_add(t->replay, frame);
		return;
	}
	if (finder_drop_ended(&t->finder))
		top_alert_on_findings(t);
	if (t->is_held)
		return;
	top_model_add_frame(&t->model, frame);
	begin_with_tree(t);
	finder_set_session_findings(&t->finder, &t->model);
	top_targets_update(&t->targets);
	top_arrange_frame(t);
	t->is_new = true;
}

/* Returns the selected columns; all columns if the user chose none. */
static uint32_t columns_of(const struct top_options *options)
{
	uint32_t columns = 0;

	for (size_t i = 0; i < options->column_count; i++)
		columns |= 1u << top_column_number(options->columns[i]);
	return columns ? columns : top_columns_all();
}

void top_init(struct top *t, const struct top_options *options)
{
	*t = (struct top){ .options = *options,
		.interval_ns = options->interval_ns,
		.columns = columns_of(options),
		.shows_all = options->shows_all,
		.is_tree = options->is_tree,
		.is_flat = options->shows_all && !options->is_tree,
		.is_reversed = options->is_reversed };
	t->sort = top_column_number(options->sort ? options->sort : "activity");
	if (t->is_flat && (!options->sort || !top_columns[t->sort].field))
		t->sort = top_column_number("cpu");
	snprintf(t->match.text, sizeof(t->match.text), "%s", options->filter ?: "");
	top_match_changed(&t->match, NULL);
	t->canvas.is_utf8 = text_is_utf8();
	t->graphs = t->canvas.is_utf8 ? GRAPH_BRAILLE : GRAPH_ASCII;
	for (int i = 0; t->canvas.is_utf8 && options->graphs && i < GRAPH_FORMS; i++) {
		if (!strcmp(graph_form_name((size_t)i), options->graphs))
			t->graphs = (enum graph_form)i;
	}
	t->frames = (struct top_frames){ .take = show_frame, .user = t };
	top_model_init(&t->model);
	top_targets_init(&t->targets, options->pids, options->pid_count);
	map_init(&t->folding, sizeof(struct process_id), sizeof(uint8_t), TOP_ROWS_MAX);
	map_init(&t->tagged, sizeof(struct process_id), 0, TOP_ROWS_MAX);
}

void top_fini(struct top *t)
{
	finder_end(&t->finder);
	top_alerting_fini(&t->alerting);
	top_pane_close(&t->pane);
	if (t->replay)
		replay_fini(t->replay);
	free(t->replay);
	top_model_fini(&t->model);
	top_match_fini(&t->match);
	top_targets_fini(&t->targets);
	top_frame_fini(&t->frames.filling);
	canvas_fini(&t->canvas);
	buffer_fini(&t->rows);
	map_fini(&t->folding);
	map_fini(&t->tagged);
}
