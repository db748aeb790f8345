/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The descriptors of processes at their last snapshot: by type, each with its other end, paths open
 * more than once, epoll members, inotify watches, limits.
 */
#include "analyze/fds/fd_emit.h"
#include "base/cursor.h"
#include "model/probe.h"
#include "explain/stage.h"
#include "model/schema.h"
#include "probes/fds.h"
#include "probes/sockets.h"

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct fds_view *s = state;

	(void)options;
	(void)err;
	process_view_init(&s->view, output, FDS_PROCESS);
	snapshots_init(&s->sockets, SOCKETS_PROCESS);
	return 0;
}

static void take_segment(struct fds_view *s, const struct sooth_record *r)
{
	const struct sooth_schema *schema = registry_schema(r->kind);
	struct sooth_value v = sooth_field_get(sooth_schema_field(schema, "architecture"), r);

	s->is_aarch64 = v.state == SOOTH_STATE_VALUE &&
			span_equal(span_of(v.text.data, v.text.size), "aarch64");
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct fds_view *s = state;

	(void)err;
	batch_for_each (r, batch) {
		if (r->kind == STREAM_SEGMENT)
			take_segment(s, r);
		else if (r->kind == SOCKETS_SOCKET || r->kind == SOCKETS_PROCESS)
			snapshots_take(&s->sockets, r);
		else
			snapshots_take(&s->view.own, r);
	}
	return 0;
}

static void fini(void *state)
{
	struct fds_view *s = state;

	snapshots_fini(&s->sockets);
	process_view_fini(s);
}

static void note_limits(struct fds_view *s)
{
	const struct snapshot *snapshot;
	size_t position = 0;

	if (s->view.input->refused)
		output_limit(s->view.output, "some file descriptors",
			"the processes have more descriptors than sooth can keep; the rest is left "
			"out",
			"");
	while ((snapshot = snapshots_next(s->view.input, &position))) {
		const struct fds_process *p = snapshot_end(snapshot, sizeof(*p));

		if (!p)
			continue;
		if (p->descriptors_state == SOOTH_STATE_TRUNCATED)
			output_limit(s->view.output, "some file descriptors",
				"a process has more descriptors than sooth can read; the rest is "
				"left out",
				"");
		if (p->holders_state == SOOTH_STATE_TRUNCATED)
			output_limit(s->view.output,
				"some processes that hold the other ends of pipes and sockets",
				"too many processes hold the other ends, or the search took too "
				"long",
				"");
		if (p->holders_state == SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION))
			output_limit(s->view.output,
				"processes of other users that hold the other ends of pipes and "
				"sockets",
				"sooth may not read these processes, or they are hidden from this "
				"container",
				"run sooth as root, outside containers");
	}
}

static int finish(void *state, struct sooth_error *err)
{
	static int (*const emit[])(struct fds_view *, struct sooth_error *) = { fd_emit_types,
		fd_emit_limits, fd_emit_descriptors, fd_emit_holders, fd_emit_paths,
		fd_emit_members, fd_emit_directories, fd_emit_watches };
	int status = 0;

	note_limits(state);
	for (size_t i = 0; i < sizeof(emit) / sizeof(emit[0]) && !status; i++)
		status = emit[i](state, err);
	return status;
}

const struct stage_type stage_fds = {
	.name = "fds",
	.help = "file descriptors: types, other ends of pipes and sockets, watches, limits",
	.probe = "fds",
	.shows = "fds",
	.state_size = sizeof(struct fds_view),
	.init = init,
	.push = push,
	.finish = finish,
	.fini = fini,
};
