/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_party_text.h"

#include <assert.h>
#include <string.h>

#include "probes/fds.h"
#include "recognize/script_name.h"

static void put_span(struct buffer *out, struct span text)
{
	buffer_append(out, text.data, text.size);
}

#define DELETED " (deleted)" /* the kernel adds it to the path of a removed file */

/* Appends a name that the target chose. Blanks and brackets could make it look like words of
 * sooth: then it stands in quotes. */
static void put_foreign(struct buffer *out, struct span text)
{
	bool is_deleted = span_ends(text, DELETED);
	size_t size = is_deleted ? text.size - strlen(DELETED) : text.size;
	bool is_plain = true;

	if (span_starts(text, "inode ")) { /* a file whose name is not known */
		put_span(out, text);
		return;
	}

	for (size_t i = 0; i < size; i++)
		is_plain = is_plain && !strchr(" \t()\"", text.data[i]);
	if (is_plain) {
		put_span(out, text);
		return;
	}
	buffer_char(out, '"');
	buffer_append(out, text.data, size); /* as it is: reports for sharing replace whole names */
	buffer_char(out, '"');
	buffer_string(out, is_deleted ? DELETED : "");
}

void wait_put_name(struct buffer *out, const struct sooth_record *r, const struct sooth_text *name,
	uint32_t id)
{
	put_foreign(out, record_text(r, name));
	buffer_format(out, " (%u)", id);
}

void wait_put_process(struct buffer *out, const struct waits_process *p)
{
	assert(p);

	struct span name = record_text(&p->record, &p->name), script;

	script = script_name_of(name, record_text(&p->record, &p->title));
	put_foreign(out, name);
	buffer_string(out, script.size ? " " : "");
	put_foreign(out, script);
	buffer_format(out, " (%u)", p->node_pid);
}

void wait_put_party(struct buffer *out, const struct wait_link *link)
{
	const struct waits_party *p = link->party;

	if (!p->party_pid)
		buffer_string(out, "an unknown process");
	else if (p->party_pid == link->process->node_pid)
		buffer_string(out, "itself");
	else if (!p->is_alive)
		buffer_format(out, "process %u, which has ended", p->party_pid);
	else if (link->party_process)
		wait_put_process(out, link->party_process);
	else
		wait_put_name(out, &p->record, &p->name, p->party_pid);
	if (link->others)
		buffer_format(out, " and %u other%s", link->others, link->others > 1 ? "s" : "");
}

void wait_object_text(struct buffer *out, const struct wait_link *link)
{
	assert(link);

	const struct waits_object *o = link->object;
	struct span path, local, peer;

	if (!o) {
		if (link->party)
			put_foreign(out, record_text(&link->party->record, &link->party->detail));
		return;
	}
	path = record_text(&o->record, &o->path);
	local = record_text(&o->record, &o->local);
	peer = record_text(&o->record, &o->peer);
	switch ((enum fds_type)o->type) {
	case FDS_TCP:
	case FDS_UDP:
		put_span(out, peer.size ? peer : local);
		break;
	case FDS_UNIX:
	case FDS_SOCKET:
		put_foreign(out, peer.size ? peer : local.size ? local : path);
		break;
	default:
		put_foreign(out, path);
		break;
	}
}

void wait_put_object(struct buffer *out, const struct wait_link *link, const char *before)
{
	struct buffer text = { 0 };

	wait_object_text(&text, link);
	if (text.size && !span_starts(span_of((const char *)text.data, text.size), "socket:["))
		buffer_format(out, "%s%s", before, buffer_cstr(&text));
	buffer_fini(&text);
}
