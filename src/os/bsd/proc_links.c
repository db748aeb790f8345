/* SPDX-License-Identifier: BSD-2-Clause */
/* Links of processes to others. */
#include "os/bsd/proc_links.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "os/bsd/members.h"

#define HOLDERS_MAX 65536
#define STREAMS	    3
#define PIDS_MAX    8 /* recorded PIDs that hold one end */

#define UNSUPPORTED SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)

struct bsd_holders {
	uint32_t count;
	uint32_t pids[PIDS_MAX];
};

struct text_at {
	size_t offset, size;
};

struct bsd_links_pending {
	struct proc_ties links;
	uint64_t input_peer; /* other end of stream 0; 0: none */
	struct text_at markers, paths[STREAMS];
};

void bsd_links_init(struct bsd_links *l)
{
	*l = (struct bsd_links){ 0 };
	map_init(&l->holders, sizeof(uint64_t), sizeof(struct bsd_holders), HOLDERS_MAX);
}

void bsd_links_fini(struct bsd_links *l)
{
	map_fini(&l->holders);
	buffer_fini(&l->pending);
	buffer_fini(&l->texts);
}

void bsd_links_begin(struct bsd_links *l)
{
	map_clear(&l->holders);
	buffer_reset(&l->pending);
	buffer_reset(&l->texts);
	l->is_partial = false;
}

struct reading {
	struct bsd_links *links;
	struct bsd_links_pending *pending;
	uint32_t pid;
	uint32_t descriptors;
};

static struct text_at keep_text(struct bsd_links *l, const void *data, size_t size)
{
	struct text_at at = { l->texts.size, size };

	buffer_append(&l->texts, data, size);
	return at;
}

static uint8_t stream_of(const struct bsd_descriptor *d)
{
	switch (d->file.type) {
	case FDS_PIPE:
	case FDS_FIFO:
		return PROC_STREAM_PIPE;
	case FDS_TTY:
	case FDS_PTY:
		return PROC_STREAM_TERMINAL;
	case FDS_FILE:
	case FDS_DELETED:
		return PROC_STREAM_FILE;
	case FDS_DEVICE:
		return span_equal(d->path, "/dev/null") ? PROC_STREAM_NULL : PROC_STREAM_OTHER;
	default:
		return d->is_socket ? PROC_STREAM_SOCKET : PROC_STREAM_OTHER;
	}
}

static void note_holder(struct bsd_links *l, uint64_t own, uint32_t pid)
{
	struct bsd_holders *h = map_put(&l->holders, &own, NULL);

	if (!h) {
		l->is_partial = true;
		return;
	}
	for (uint32_t i = 0; i < h->count; i++) {
		if (h->pids[i] == pid)
			return;
	}
	if (h->count == PIDS_MAX)
		l->is_partial = true;
	else
		h->pids[h->count++] = pid;
}

static bool read_descriptor(void *user, const struct bsd_descriptor *d)
{
	struct reading *r = user;
	struct proc_ties *t = &r->pending->links;

	if (d->special)
		return true;
	r->descriptors++;
	if (d->own)
		note_holder(r->links, d->own, r->pid);
	if (d->file.fd >= STREAMS)
		return true;
	t->stream[d->file.fd] = stream_of(d);
	t->stream_inode[d->file.fd] = d->file.inode;
	if (t->stream[d->file.fd] == PROC_STREAM_FILE)
		r->pending->paths[d->file.fd] = keep_text(r->links, d->path.data, d->path.size);
	if (!d->file.fd && (t->stream[0] == PROC_STREAM_PIPE || d->is_socket))
		r->pending->input_peer = d->peer;
	return true;
}

uint32_t bsd_links_add(struct bsd_links *l, const struct backend_run *run,
	const struct bsd_process *process, const struct buffer *markers, uint8_t markers_state,
	uint8_t *state)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	struct bsd_links_pending p = {
		.links = { .record = bsd_record(run, &process->id, 0, PROC_LINKS),
			.markers_state = markers_state,
			.namespace_state = UNSUPPORTED,
			.is_hangup_ignored = process->signals.ignored & 1, /* SIGHUP is 1 */
			.hangup_state = process->signals_state,
			.writers_state = SOOTH_STATE_ABSENT,
			.writer_state = SOOTH_STATE_ABSENT,
			.root_state = UNSUPPORTED,
			.memory_state = UNSUPPORTED,
			.tracer_pid = process->tracer_pid,
			.tracer_state = process->tracer_state,
			.input_state = UNSUPPORTED,
			.written_state = UNSUPPORTED,
			.output_state = UNSUPPORTED,
			.io_state = UNSUPPORTED,
			.thread_state = UNSUPPORTED },
	};
	struct reading r = { .links = l, .pending = &p, .pid = process->id.pid };
	int status = s->descriptors ? s->descriptors(s, (pid_t)process->id.pid, read_descriptor, &r)
				    : -EOPNOTSUPP;

	*state = bsd_state(status);
	if (status) {
		l->is_partial = true;
		for (unsigned i = 0; i < STREAMS; i++)
			p.links.stream_state[i] = *state;
	}
	p.markers = keep_text(l, markers->data, markers->size);
	buffer_append(&l->pending, &p, sizeof(p));
	return r.descriptors;
}

static void find_writers(struct bsd_links *l, struct bsd_links_pending *p, struct buffer *pids)
{
	const struct bsd_holders *h;

	if (!p->input_peer)
		return;
	h = map_get(&l->holders, &p->input_peer);
	p->links.has_writer = h != NULL;
	p->links.writers_state = l->is_partial ? SOOTH_STATE_TRUNCATED : SOOTH_STATE_VALUE;
	/* A process that was not read may hold the other end. */
	p->links.writer_state = h ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_UNDECIDED);
	for (uint32_t i = 0; h && i < h->count; i++)
		buffer_append(pids, &h->pids[i], sizeof(h->pids[i]));
}

void bsd_links_write(struct bsd_links *l, struct backend_run *run)
{
	const char *texts = (const char *)l->texts.data;
	struct buffer pids = { 0 };

	if (buffer_failed(&l->texts) || buffer_failed(&l->pending))
		return backend_limit(run, "links of processes", "out of memory", "");
	buffer_each (struct bsd_links_pending, p, &l->pending) {
		buffer_reset(&pids);
		find_writers(l, p, &pids);
		struct record_tail tail[] = {
			{ &p->links.markers, texts ? texts + p->markers.offset : NULL,
				p->markers.size },
			{ &p->links.stream_path[0], texts ? texts + p->paths[0].offset : NULL,
				p->paths[0].size },
			{ &p->links.stream_path[1], texts ? texts + p->paths[1].offset : NULL,
				p->paths[1].size },
			{ &p->links.stream_path[2], texts ? texts + p->paths[2].offset : NULL,
				p->paths[2].size },
			{ &p->links.writers, pids.data, pids.size },
			{ &p->links.root, NULL, 0 },
		};
		RECORD_APPEND(&run->out, &p->links, tail, ARRAY_SIZE(tail));
	}
	buffer_fini(&pids);
}
