/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads /proc/PID/fdinfo/N. Unknown or broken lines are skipped. */
#include "os/linux/fds/fdinfo.h"

#include <assert.h>
#include <string.h>

#include "base/units.h"

#define DEVICE_MINOR_BITS 20 /* bits of the minor number in the kernel's own dev_t */

static bool cursor_octal(struct cursor *c, uint64_t *out)
{
	uint64_t value = 0;
	unsigned digits = 0;

	cursor_blanks(c);
	for (; c->at < c->end && *c->at >= '0' && *c->at <= '7'; c->at++, digits++)
		value = value << 3 | (uint64_t)(*c->at - '0');
	*out = value;
	return digits > 0 && digits <= 21;
}

/* Reads "(seconds, nanoseconds)". */
static bool cursor_timespec(struct cursor *c, uint64_t *ns)
{
	uint64_t s, rest;

	cursor_blanks(c);
	if (!cursor_skip(c, "("))
		return false;
	s = cursor_decimal(c);
	if (!cursor_skip(c, ","))
		return false;
	rest = cursor_decimal(c);
	if (c->failed || !cursor_skip(c, ")") || s > UINT64_MAX / NS_PER_S - 1 || rest >= NS_PER_S)
		return false;
	*ns = s * NS_PER_S + rest;
	return true;
}

static void parse_number(struct fdinfo *f, struct cursor *c, uint32_t *to, unsigned has)
{
	uint64_t value = cursor_decimal(c);

	if (c->failed || value > UINT32_MAX)
		return;
	*to = (uint32_t)value;
	f->has |= has;
}

static void parse_timer(struct fdinfo *f, struct cursor *c, struct span key)
{
	uint64_t clock;

	if (span_equal(key, "clockid")) {
		clock = cursor_decimal(c);
		f->clock = c->failed ? UINT32_MAX : (uint32_t)clock;
		f->has |= FDINFO_TIMER;
	} else if (span_equal(key, "it_value")) {
		cursor_timespec(c, &f->next_ns);
	} else {
		cursor_timespec(c, &f->every_ns);
	}
}

static void parse_hex(struct fdinfo *f, struct cursor *c, uint64_t *to, unsigned has)
{
	uint64_t value = cursor_hex(c);

	if (c->failed)
		return;
	*to = value;
	f->has |= has;
}

static void parse_bpf(struct fdinfo *f, struct cursor *c, struct span key)
{
	uint32_t ignored;

	if (span_equal(key, "map_type"))
		parse_number(f, c, &f->map_type, 0);
	else if (span_equal(key, "map_id"))
		parse_number(f, c, &f->map, FDINFO_MAP);
	else if (span_equal(key, "prog_type"))
		parse_number(f, c, &f->program_type, 0);
	else if (span_equal(key, "prog_id"))
		parse_number(f, c, &f->program, FDINFO_PROGRAM);
	else if (span_equal(key, "link_id"))
		parse_number(f, c, &f->link, FDINFO_LINK);
	else if (span_equal(key, "link_type"))
		f->link_type = cursor_word(c);
	else if (span_equal(key, "btf_id"))
		parse_number(f, c, &f->btf, FDINFO_BTF);
	else
		parse_number(f, c, &ignored, 0);
}

static void parse_value(struct fdinfo *f, struct cursor *c, struct span key)
{
	uint64_t value;

	if (span_equal(key, "pos")) {
		value = (uint64_t)cursor_signed(c);
		f->offset = c->failed ? 0 : value;
	} else if (span_equal(key, "flags")) {
		if (cursor_octal(c, &value)) {
			f->flags = (uint32_t)value;
			f->has |= FDINFO_FLAGS;
		}
	} else if (span_equal(key, "mnt_id")) {
		parse_number(f, c, &f->mount, FDINFO_MOUNT);
	} else if (span_equal(key, "ino")) {
		value = cursor_decimal(c);
		f->inode = c->failed ? 0 : value;
	} else if (span_equal(key, "eventfd-count")) {
		parse_hex(f, c, &f->count, FDINFO_COUNT);
	} else if (span_equal(key, "eventfd-semaphore")) {
		f->is_semaphore = cursor_decimal(c) != 0;
	} else if (span_equal(key, "clockid") || span_starts(key, "it_")) {
		parse_timer(f, c, key);
	} else if (span_equal(key, "sigmask")) {
		parse_hex(f, c, &f->signals, FDINFO_SIGNALS);
	} else if (span_equal(key, "Pid")) {
		f->pid = cursor_signed(c);
		f->has |= c->failed ? 0 : FDINFO_PID;
	} else if (span_equal(key, "tty-index")) {
		parse_number(f, c, &f->terminal, FDINFO_TERMINAL);
	} else {
		parse_bpf(f, c, key);
	}
}

static bool is_member(struct span line)
{
	return span_starts(line, "tfd:");
}

static bool is_watch(struct span line)
{
	return span_starts(line, "inotify wd:");
}

void fdinfo_parse(struct fdinfo *out, const void *data, size_t size)
{
	struct cursor c = cursor_over(data, size);

	assert(out);
	*out = (struct fdinfo){ 0 };
	while (!cursor_at_end(&c)) {
		struct span line = cursor_line(&c), key;
		struct cursor rest = cursor_over(line.data, line.size);

		if (is_member(line)) {
			out->members++;
		} else if (is_watch(line)) {
			out->watches++;
		} else if (span_starts(line, "fanotify ") &&
			   !span_starts(line, "fanotify flags:")) {
			out->marks++;
		} else {
			key = cursor_until(&rest, ':');
			parse_value(out, &rest, key);
		}
	}
}

bool fdinfo_next_member(struct cursor *c, struct fdinfo_member *out)
{
	assert(out);
	while (!cursor_at_end(c)) {
		struct span line = cursor_line(c);
		struct cursor rest = cursor_over(line.data, line.size);

		if (!is_member(line))
			continue;
		*out = (struct fdinfo_member){ 0 };
		cursor_skip(&rest, "tfd:");
		out->fd = (uint32_t)cursor_decimal(&rest);
		cursor_blanks(&rest);
		if (cursor_skip(&rest, "events:"))
			out->events = (uint32_t)cursor_hex(&rest);
		if (rest.failed)
			continue;
		while (!cursor_at_end(&rest)) {
			struct span word = cursor_word(&rest);
			struct cursor value = cursor_over(word.data, word.size);

			if (cursor_skip(&value, "ino:"))
				out->inode = cursor_hex(&value);
		}
		return true;
	}
	return false;
}

static int hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Parses exactly the announced bytes, two digits each. */
static void parse_handle(struct fdinfo_watch *w, struct cursor *digits)
{
	if (!w->handle_bytes || w->handle_bytes > FDINFO_HANDLE_MAX ||
		cursor_left(digits) != 2 * (size_t)w->handle_bytes)
		return;
	for (uint32_t i = 0; i < w->handle_bytes; i++) {
		int high = hex_digit(digits->at[2 * i]), low = hex_digit(digits->at[2 * i + 1]);

		if (high < 0 || low < 0)
			return;
		w->handle[i] = (unsigned char)(high << 4 | low);
	}
	w->has_handle = true;
}

static void parse_watch_word(struct fdinfo_watch *w, struct span word)
{
	struct cursor c = cursor_over(word.data, word.size);
	uint64_t device;

	if (cursor_skip(&c, "ino:")) {
		w->inode = cursor_hex(&c);
	} else if (cursor_skip(&c, "sdev:")) {
		device = cursor_hex(&c);
		w->device_major = (uint32_t)(device >> DEVICE_MINOR_BITS);
		w->device_minor = (uint32_t)(device & ((1u << DEVICE_MINOR_BITS) - 1));
	} else if (cursor_skip(&c, "mask:")) {
		w->mask = (uint32_t)cursor_hex(&c);
	} else if (cursor_skip(&c, "fhandle-bytes:")) {
		device = cursor_hex(&c);
		w->handle_bytes = c.failed || device > FDINFO_HANDLE_MAX ? 0 : (uint32_t)device;
	} else if (cursor_skip(&c, "fhandle-type:")) {
		w->handle_type = (uint32_t)cursor_hex(&c);
	} else if (cursor_skip(&c, "f_handle:")) {
		parse_handle(w, &c);
	}
}

bool fdinfo_next_watch(struct cursor *c, struct fdinfo_watch *out)
{
	while (!cursor_at_end(c)) {
		struct span line = cursor_line(c);
		struct cursor rest = cursor_over(line.data, line.size);

		if (!is_watch(line))
			continue;
		*out = (struct fdinfo_watch){ 0 };
		cursor_skip(&rest, "inotify wd:");
		out->watch = (uint32_t)cursor_hex(&rest);
		if (rest.failed)
			continue;
		while (!cursor_at_end(&rest))
			parse_watch_word(out, cursor_word(&rest));
		return true;
	}
	return false;
}
