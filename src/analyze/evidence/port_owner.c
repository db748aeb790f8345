/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/port_owner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "model/errno_names.h"
#include "probes/sockets.h"

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

enum fit { FITS_NOT, FITS_PORT, FITS_ANY, FITS };

static enum fit fit_of(const struct waits_listener *l, const char *address)
{
	struct span local = record_text(&l->record, &l->local), own, other;
	const char *colon = strrchr(address, ':');

	if (is_path(address))
		return l->family == SOCKETS_UNIX && span_equal(local, address) ? FITS : FITS_NOT;
	if (!colon || l->family == SOCKETS_UNIX || strtoul(colon + 1, NULL, 10) != l->local_port)
		return FITS_NOT;
	own = host_of(local);
	other = host_of(span_of_string(address));
	if (!span_compare(own, other))
		return FITS;
	return is_any(own) || is_any(other) ? FITS_ANY : FITS_PORT;
}

/* Finds the socket that has the port. A socket bound to any address conflicts with every
 * address. */
static struct port_owner find_owner(const struct check *e, const char *address, enum fit least)
{
	const struct snapshot *s = check_last(e, &e->input->waits);
	struct port_owner found = { 0 };
	enum fit best = FITS_NOT;

	snapshot_each (struct waits_listener, l, s, WAITS_LISTENER) {
		enum fit fit;

		found.is_measured = true;
		fit = fit_of(l, address);
		if (fit < least || fit < best ||
			(found.listener && fit == best &&
				found.listener->is_datagram <= l->is_datagram))
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
	if (!l->owner_pid)
		buffer_string(out, ": another process, which could not be read, listens there");
	else if (l->owner_pid == e->id.pid)
		buffer_string(out, ": it has it itself, by another socket");
	else
		buffer_format(out, ": %.*s (%u) has it%s", SPAN_ARGS(name), l->owner_pid,
			l->owner_state == 'T' ? ", and is stopped" : "");
}

static bool is_on_this_host(const char *address)
{
	return !strncmp(address, "127.", 4) || !strncmp(address, "[::1]", 5);
}

void port_owner_put_refused(struct buffer *out, const struct check *e, const char *address)
{
	struct port_owner o = find_owner(e, address, FITS_PORT);
	const struct waits_listener *l = o.listener && !o.listener->is_datagram ? o.listener : NULL;
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

bool port_owner_remedy(const struct check *e, struct check_result *out, const char *address)
{
	assert(e);

	struct port_owner o = find_owner(e, address, FITS_ANY);
	const struct waits_listener *l = o.listener;
	const char *port = is_path(address) ? NULL : strrchr(address, ':');

	if (l && l->owner_pid == e->id.pid)
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
