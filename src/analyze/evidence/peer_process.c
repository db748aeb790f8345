/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/peer_process.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/waits/wait_chain.h"
#include "analyze/waits/wait_sentences.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "model/errno_names.h"
#include "probes/sockets.h"

static const struct snapshot *last_of(
	const struct diagnosis_input *input, const struct process_id *id)
{
	return snapshots_get(&input->waits.last, id);
}

const struct waits_peer *peer_process_most(
	const struct diagnosis_input *input, const struct process_id *id, unsigned *all)
{
	const struct waits_peer *most = NULL;

	*all = 0;
	snapshot_each (struct waits_peer, p, last_of(input, id), WAITS_PEER) {
		*all += p->connections;
		if (!most || p->connections > most->connections)
			most = p;
	}
	return most;
}

const struct waits_peer *peer_process_of_fd(
	const struct diagnosis_input *input, const struct process_id *id, uint32_t fd)
{
	snapshot_each (struct waits_peer, p, last_of(input, id), WAITS_PEER) {
		if (p->fd == fd)
			return p;
	}
	return NULL;
}

const struct waits_peer *peer_process_stopped(
	const struct diagnosis_input *input, const struct process_id *id)
{
	snapshot_each (struct waits_peer, p, last_of(input, id), WAITS_PEER) {
		if (p->unread_bytes && (p->peer_state == 'T' || p->peer_state == 't'))
			return p;
	}
	return NULL;
}

void peer_process_put(struct buffer *out, const struct waits_peer *peer)
{
	assert(peer);
	wait_put_name(out, &peer->record, &peer->peer_name, peer->peer_pid);
}

void peer_process_put_wait_in(
	struct buffer *out, const struct snapshot *last, uint32_t pid, const char *before)
{
	struct wait_graph g = wait_graph_of(last, NULL);
	struct wait_chain chain;

	wait_chain_follow(&g, pid, &chain);
	if (!chain.count || chain.links[0].is_idle || chain.links[0].is_active ||
		chain.links[0].what == WAIT_UNKNOWN || chain.links[0].what == WAIT_RUNS ||
		chain.links[0].what == WAIT_READY)
		return;
	buffer_string(out, before);
	wait_sentence(out, &g, &chain.links[0]);
}

void peer_process_put_wait(struct buffer *out, const struct diagnosis_input *input,
	const struct waits_peer *peer, const char *before)
{
	struct process_id id = { .start_ticks = peer->peer_start_ticks, .pid = peer->peer_pid };

	peer_process_put_wait_in(out, last_of(input, &id), id.pid, before);
}

/* --- names --- */

/* Returns whether a proxy is at the address: "127.0.0.1:3128", "localhost:3128"; other names are
 * not resolved. */
static bool is_at(struct span proxy, const unsigned char address[16], unsigned port)
{
	bool is_local = span_starts(proxy, "localhost:");
	char text[PEER_NAME_SIZE];
	unsigned char other[16];
	unsigned other_port;

	if (is_local)
		proxy = span_of(proxy.data + 9, proxy.size - 9);
	if (proxy.size + 9 >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%s%.*s", is_local ? "127.0.0.1" : "", SPAN_ARGS(proxy));
	return peer_split(text, other, &other_port) && other_port == port &&
	       (is_local ? peer_is_loopback(address) : !memcmp(other, address, sizeof(other)));
}

bool peer_name_is_proxy(const struct check *e, const char *address, struct span *variable)
{
	assert(e);

	const struct proc_process *p = e->process ? e->process->process : NULL;
	unsigned char bytes[16];
	struct cursor c;
	unsigned port;
	struct span all;

	if (!p || p->proxies_state > SOOTH_STATE_TRUNCATED || !peer_split(address, bytes, &port))
		return false;
	all = record_text(&p->record, &p->proxies);
	c = cursor_over(all.data, all.size);
	while (!cursor_at_end(&c)) {
		struct span entry = cursor_until(&c, '\0');
		const char *equals = memchr(entry.data, '=', entry.size);
		size_t name = equals ? (size_t)(equals - entry.data) : entry.size;

		*variable = span_of(entry.data, name);
		if (equals && is_at(span_of(equals + 1, entry.size - name - 1), bytes, port))
			return true;
	}
	return false;
}

void peer_name_put(const struct check *e, const char *address, char *out, size_t size)
{
	struct span label = span_of("", 0);
	unsigned char bytes[16];
	unsigned port;

	assert(e);
	*out = '\0';
	if (peer_name_is_proxy(e, address, &label)) {
		snprintf(out, size, " (the proxy in %.*s)", SPAN_ARGS(label));
		return;
	}
	if (peer_split(address, bytes, &port))
		peer_labels_find(&e->input->labels, bytes, port, &label);
	if (label.size)
		snprintf(out, size, " (%.*s)", SPAN_ARGS(label));
}

/* --- owners of ports --- */

struct port_owner {
	bool is_measured;		       /* false: sockets were not recorded */
	const struct waits_listener *listener; /* NULL: no socket has the port */
};

static bool is_path(const char *address)
{
	return *address == '/';
}

static struct span host_of(struct span address)
{
	const char *colon = span_last(address, ':');

	return span_of(address.data, colon ? (size_t)(colon - address.data) : address.size);
}

static bool is_any(struct span host)
{
	return span_equal(host, "0.0.0.0") || span_equal(host, "[::]") || span_equal(host, "*");
}

/* Partly: the same port of another address, or a path that the server bound below its folder. */
enum fit { FITS_NOT, FITS_PARTLY, FITS_ANY, FITS };

static enum fit fit_of_path(struct span local, struct span path)
{
	if (!span_compare(local, path))
		return FITS;
	return local.size && local.data[0] != '/' && local.data[0] != '@' &&
			       path.size > local.size &&
			       path.data[path.size - local.size - 1] == '/' &&
			       !span_compare(local,
				       span_of(path.data + path.size - local.size, local.size))
		       ? FITS_PARTLY
		       : FITS_NOT;
}

static enum fit fit_of(const struct waits_listener *l, const char *address)
{
	struct span local = record_text(&l->record, &l->local), own, other;
	const char *colon = strrchr(address, ':');

	if (l->family == SOCKETS_UNIX)
		return fit_of_path(local, span_of_string(address));
	if (!colon || is_path(address) || strtoul(colon + 1, NULL, 10) != l->local_port)
		return FITS_NOT;
	own = host_of(local);
	other = host_of(span_of_string(address));
	if (!span_compare(own, other))
		return FITS;
	return is_any(own) || is_any(other) ? FITS_ANY : FITS_PARTLY;
}

/* Finds the socket that has the port. A socket bound to any address conflicts with every
 * address. */
static struct port_owner find_owner(const struct check *e, const char *address, enum fit least)
{
	struct port_owner found = { 0 };
	enum fit best = FITS_NOT;

	snapshot_each (struct waits_listener, l, check_last(e, &e->input->waits), WAITS_LISTENER) {
		enum fit fit;

		found.is_measured = true;
		fit = fit_of(l, address);
		if (fit < least || fit < best ||
			(found.listener && fit == best &&
				(l->is_to_itself || found.listener->is_datagram <= l->is_datagram)))
			continue;
		best = fit;
		found.listener = l;
	}
	return found;
}

bool port_owner_is_in_use(const struct call_place *place)
{
	assert(place);
	return place->error == LINUX_EADDRINUSE && *place->text;
}

static void put_connections(struct buffer *out, const struct waits_listener *l, struct span name)
{
	const char *s = l->connections > 1 ? "s" : "";

	if (l->owner_pid)
		buffer_format(out,
			": no process listens there, but %u connection%s of %.*s (%u) still %s it",
			l->connections, s, SPAN_ARGS(name), l->owner_pid, *s ? "have" : "has");
	else
		buffer_format(out,
			": no process listens there, but %u closed connection%s (TIME_WAIT) still "
			"%s it, and it did not set SO_REUSEADDR",
			l->connections, s, *s ? "have" : "has");
}

void port_owner_put(struct buffer *out, const struct check *e, const char *address)
{
	assert(e);

	struct port_owner o = find_owner(e, address, FITS_ANY);
	const struct waits_listener *l = o.listener;
	struct span name;

	if (!o.is_measured)
		return;
	if (!l && is_path(address))
		buffer_string(out, ": no process listens there, the file was left behind");
	if (!l)
		return;
	name = record_text(&l->record, &l->owner_name);
	if (l->connections)
		put_connections(out, l, name);
	else if (!l->owner_pid)
		buffer_string(out, ": another process, which could not be read, listens there");
	else if (l->owner_pid == e->id.pid)
		buffer_string(out, ": it has it itself, by another socket");
	else
		buffer_format(out, ": %.*s (%u) has it%s%s", SPAN_ARGS(name), l->owner_pid,
			l->is_to_itself ? ", by a connection to itself: it connected while no "
					  "process listened there, and got that port for its own"
					: "",
			l->owner_state == 'T' ? ", and is stopped" : "");
}

const struct process_entry *port_owner_find(const struct check *e, const char *address)
{
	assert(e);

	struct port_owner o = find_owner(e, address, FITS_ANY);

	return o.listener && o.listener->owner_pid
		       ? check_process(e, o.listener->owner_pid, o.listener->owner_start_ticks)
		       : NULL;
}

static bool is_on_this_host(const char *address)
{
	return !strncmp(address, "127.", 4) || !strncmp(address, "[::1]", 5);
}

static bool is_stream_server(const struct waits_listener *l)
{
	return !l->is_datagram && !l->is_to_itself && !l->connections;
}

void port_owner_put_refused(struct buffer *out, const struct check *e, const char *address)
{
	struct port_owner o = find_owner(e, address, FITS_PARTLY);
	const struct waits_listener *l =
		o.listener && is_stream_server(o.listener) ? o.listener : NULL;
	struct span name, local;

	if (!o.is_measured || !is_on_this_host(address))
		return;
	if (!l) {
		buffer_string(out, "; no process listens on that port");
		return;
	}
	if (fit_of(l, address) >= FITS_ANY || !l->owner_pid)
		return;
	name = record_text(&l->record, &l->owner_name);
	local = record_text(&l->record, &l->local);
	buffer_format(out, "; %.*s (%u) listens on %.*s only", SPAN_ARGS(name), l->owner_pid,
		SPAN_ARGS(local));
}

void port_owner_put_denied(struct buffer *out, const struct check *e, const char *path)
{
	struct port_owner o = find_owner(e, path, FITS_PARTLY);
	const struct waits_listener *l = o.listener;
	const struct process_entry *p =
		l && l->owner_pid ? check_process(e, l->owner_pid, l->owner_start_ticks) : NULL;

	if (!is_path(path) || !p || !e->process->process)
		return;
	buffer_format(out,
		"; %.*s (%u) of user %u listens there, and the mode of that file or of its folder "
		"keeps user %u out",
		SPAN_ARGS(record_text(&l->record, &l->owner_name)), l->owner_pid, p->process->uid,
		e->process->process->uid);
}

void port_owner_put_deleted(struct buffer *out, const struct check *e, const char *path)
{
	struct port_owner o = find_owner(e, path, FITS_PARTLY);
	const struct waits_listener *l = o.listener;

	if (is_path(path) && l && l->owner_pid)
		buffer_format(out, "; %.*s (%u) listens at %.*s, but the file was deleted",
			SPAN_ARGS(record_text(&l->record, &l->owner_name)), l->owner_pid,
			SPAN_ARGS(record_text(&l->record, &l->local)));
}

bool port_owner_remedy(const struct check *e, struct check_result *out, const char *address)
{
	assert(e);

	struct port_owner o = find_owner(e, address, FITS_ANY);
	const struct waits_listener *l = o.listener;
	const char *port = is_path(address) ? NULL : strrchr(address, ':');

	if (l && l->connections)
		finding_remedy(out,
			"set SO_REUSEADDR before bind (frameworks: reuse_addr, SO_REUSEADDR = 1)%s",
			l->owner_pid ? ", or end that process" : ", or wait a minute");
	else if (l && l->owner_pid == e->id.pid)
		finding_remedy(out, "listen once, or close the first socket before the second");
	else if (l && l->owner_pid)
		finding_remedy(out,
			"sooth why %u shows what that process does; end it with sooth kill --any "
			"%u, or choose another %s",
			l->owner_pid, l->owner_pid, port ? "port" : "path");
	else if (port)
		finding_remedy(out,
			"ss -tulnp 'sport = %s' shows which process has the port (root sees all); "
			"end that one, or choose another port",
			port);
	else if (o.is_measured && !l && escape_is_shell_word(address, strlen(address)))
		finding_remedy(out, "rm %s; a server removes such a file before it binds", address);
	else
		return false;
	return true;
}
