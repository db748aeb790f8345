/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of which an argument before them says what they are: commands of fcntl(2), options of
 * sockets by their level, protocols by their family; commands with the kind of quota they
 * are about. */
#include "analyze/calls/call_written.h"

#include "base/cleanup.h"

/* --- fcntl --- */

/* What its third argument is, and its result; the last row is of all others. */
static const struct control {
	int64_t command;
	enum { CONTROL_NONE, CONTROL_INT, CONTROL_COPY, CONTROL_FLAGS, CONTROL_HEX } what;
	const struct flag_table *flags, *result;
} controls[] = {
	{ 0, CONTROL_COPY, NULL, NULL },	       /* F_DUPFD */
	{ 1, CONTROL_NONE, NULL, &flags_descriptor },  /* F_GETFD */
	{ 2, CONTROL_FLAGS, &flags_descriptor, NULL }, /* F_SETFD */
	{ 3, CONTROL_NONE, NULL, &flags_open },	       /* F_GETFL */
	{ 4, CONTROL_FLAGS, &flags_open, NULL },       /* F_SETFL */
	{ 8, CONTROL_INT, NULL, NULL },		       /* F_SETOWN */
	{ 9, CONTROL_NONE, NULL, NULL },	       /* F_GETOWN */
	{ 10, CONTROL_FLAGS, &flags_signal, NULL },    /* F_SETSIG */
	{ 11, CONTROL_NONE, NULL, &flags_signal },     /* F_GETSIG */
	{ 1025, CONTROL_NONE, NULL, NULL },	       /* F_GETLEASE */
	{ 1030, CONTROL_COPY, NULL, NULL },	       /* F_DUPFD_CLOEXEC */
	{ 1031, CONTROL_INT, NULL, NULL },	       /* F_SETPIPE_SZ */
	{ 1032, CONTROL_NONE, NULL, NULL },	       /* F_GETPIPE_SZ */
	{ 1033, CONTROL_FLAGS, &flags_seals, NULL },   /* F_ADD_SEALS */
	{ 1034, CONTROL_NONE, NULL, &flags_seals },    /* F_GET_SEALS */
	{ -1, CONTROL_HEX, NULL, NULL },
};

static const struct control *control_of(uint64_t command)
{
	const struct control *c = controls;

	while (c->command >= 0 && c->command != call_int(command))
		c++;
	return c;
}

void written_as_control(const struct written *a)
{
	const struct control *c = control_of(a->w->call->arguments[a->i - 1]);

	if (c->what == CONTROL_INT || c->what == CONTROL_COPY)
		written_as_int(a);
	else if (c->flags)
		call_put_flags(a->w->out, c->flags, a->w->call->abi, a->value);
	else
		written_as_hex(a);
}

bool written_control_takes_none(uint64_t command)
{
	return control_of(command)->what == CONTROL_NONE;
}

bool written_control_copies(uint64_t command)
{
	return control_of(command)->what == CONTROL_COPY;
}

const struct flag_table *written_control_result(uint64_t command)
{
	return control_of(command)->result;
}

/* --- options and protocols of sockets --- */

/* The same number is another one at another level, of another family. */
struct choice {
	int64_t by;
	const struct flag_table *names;
};

static const struct choice levels[] = {
	{ 0, &flags_ip_option },
	{ 1, &flags_socket_option },
	{ 6, &flags_tcp_option },
	{ 41, &flags_ipv6_option },
};

static const struct choice families[] = {
	{ 2, &flags_ip_protocol },	 /* AF_INET */
	{ 10, &flags_ip_protocol },	 /* AF_INET6 */
	{ 16, &flags_netlink_protocol }, /* AF_NETLINK */
};

static void put_chosen(
	const struct written *a, const struct choice *choices, size_t count, uint64_t by)
{
	for (size_t i = 0; i < count; i++) {
		if (choices[i].by == call_int(by)) {
			call_put_flags(a->w->out, choices[i].names, a->w->call->abi, a->value);
			return;
		}
	}
	written_as_int(a);
}

void written_as_option_name(const struct written *a)
{
	put_chosen(a, levels, ARRAY_SIZE(levels), a->w->call->arguments[a->i - 1]);
}

void written_as_protocol(const struct written *a)
{
	put_chosen(a, families, ARRAY_SIZE(families), a->w->call->arguments[a->i - 2]);
}

/* --- quotas --- */

void written_as_quota_command(const struct written *a)
{
	uint32_t command = (uint32_t)a->value;

	buffer_string(a->w->out, "QCMD(");
	call_put_flags(a->w->out, &flags_quota, 0, command >> 8);
	buffer_string(a->w->out, ", ");
	call_put_flags(a->w->out, &flags_quota_of, 0, command & 0xff);
	buffer_char(a->w->out, ')');
}
