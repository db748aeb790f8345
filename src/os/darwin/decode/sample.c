/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/darwin/decode/sample.h"

#include "base/units.h"
#include "os/bsd/trimmed.h"

#define TREE	     "Call graph:"
#define IMAGES	     "Binary Images:"
#define TREE_COLUMN  4 /* column of the weight of a thread */
#define LEVEL_INDENT 2

/* --- lines --- */

/* Moves the cursor behind the next line that begins with `begin`. */
static bool find_line(struct cursor *c, const char *begin)
{
	while (!cursor_at_end(c)) {
		struct span line = cursor_line(c);

		while (line.size && line.data[0] == ' ') {
			line.data++;
			line.size--;
		}
		if (span_starts(line, begin))
			return true;
	}
	return false;
}

/* Returns the part of `rest` before `text`, and moves `rest` behind `text`. */
static struct span split_text(struct span *rest, const char *text)
{
	size_t length = strlen(text);
	struct span s = *rest;

	for (size_t i = 0; i + length <= s.size; i++) {
		if (memcmp(s.data + i, text, length) != 0)
			continue;
		*rest = span_of(s.data + i + length, s.size - i - length);
		return span_of(s.data, i);
	}
	*rest = span_of(s.data + s.size, 0);
	return s;
}

static uint64_t number_at(struct span s, bool is_hex)
{
	struct cursor c = cursor_over(s.data, s.size);

	cursor_blanks(&c);
	if (is_hex) {
		cursor_skip(&c, "0x");
		return cursor_hex(&c);
	}
	return cursor_decimal(&c);
}

/* --- the head --- */

/* Decodes "Analysis of sampling NAME (pid N) every M millisecond(s)". */
bool sample_head_decode(struct sample_head *out, struct span report)
{
	struct cursor c = cursor_over(report.data, report.size);

	while (!cursor_at_end(&c)) {
		struct span line = trimmed(cursor_line(&c)), name;

		if (!span_starts(line, "Analysis of sampling "))
			continue;
		split_text(&line, "Analysis of sampling ");
		name = split_text(&line, " (pid ");
		*out = (struct sample_head){ .name = name,
			.pid = (uint32_t)number_at(line, false) };
		split_text(&line, " every ");
		out->interval_ns = number_at(line, false) * NS_PER_MS;
		return out->pid && out->interval_ns;
	}
	return false;
}

/* --- programs --- */

/* Decodes a line "  0x100000000 -  0x10000ffff +NAME (VERSION) <UUID> PATH"; the name may have
 * blanks. */
static bool decode_image(struct sample_image *out, struct span line)
{
	struct span first = split_text(&line, " - "), last, name;

	line = trimmed(line);
	last = split_text(&line, " ");
	if (!span_starts(trimmed(first), "0x") || !span_starts(last, "0x"))
		return false;
	name = trimmed(split_text(&line, " ("));
	if (name.size && name.data[0] == '+')
		name = span_of(name.data + 1, name.size - 1);
	split_text(&line, "<");
	*out = (struct sample_image){ .name = name,
		.begin = number_at(first, true),
		.end = number_at(last, true),
		.uuid = split_text(&line, ">") };
	out->path = trimmed(line);
	return out->begin < out->end;
}

size_t sample_images(struct sample_image *out, size_t max, struct span report)
{
	struct cursor c = cursor_over(report.data, report.size);
	size_t count = 0;

	if (!find_line(&c, IMAGES))
		return 0;
	while (!cursor_at_end(&c) && count < max) {
		struct span line = cursor_line(&c);

		if (!trimmed(line).size || !decode_image(&out[count], line))
			break;
		count++;
	}
	return count;
}

/* --- the tree --- */

struct tree_line {
	size_t depth; /* 0: a thread */
	uint64_t weight;
	struct span rest;
};

/* Decodes a line of the tree: bars, then the weight, whose column shows the depth. */
static bool decode_line(struct tree_line *out, struct span line)
{
	size_t at = 0;
	struct cursor c;

	while (at < line.size && strchr(" +!:|", line.data[at]) && line.data[at])
		at++;
	if (at < TREE_COLUMN || at == line.size || line.data[at] < '0' || line.data[at] > '9')
		return false;
	c = cursor_over(line.data + at, line.size - at);
	*out = (struct tree_line){ .depth = (at - TREE_COLUMN) / LEVEL_INDENT,
		.weight = cursor_decimal(&c) };
	out->rest = trimmed(span_of((const char *)c.at, cursor_left(&c)));
	return !c.failed && out->rest.size;
}

/* Decodes a line "Thread_N", "Thread_N: NAME", "Thread_N   DispatchQueue_M: NAME  (serial)". */
static bool decode_thread(struct sample_thread *out, const struct tree_line *line)
{
	struct span rest = line->rest, name;

	if (!span_starts(rest, "Thread_"))
		return false;
	split_text(&rest, "Thread_");
	*out = (struct sample_thread){ .tid = number_at(rest, false), .samples = line->weight };
	name = split_text(&rest, "DispatchQueue_");
	split_text(&name, ": ");
	out->name = trimmed(name);
	if (!out->name.size && rest.size) {
		split_text(&rest, ": ");
		out->name = trimmed(split_text(&rest, "  ("));
	}
	return true;
}

/*
 * "FUNCTION  (in IMAGE) + N  [ADDRESS]", also with "N,M,..." where several places of it called, and
 * "???  (in IMAGE)  load address BASE + OFFSET  [ADDRESS]"; a function may have "(in" in its name,
 * an image no "  (in".
 */
static void decode_frame(struct sample_frame *out, struct span rest)
{
	struct span function = split_text(&rest, "  (in "), image = split_text(&rest, ")"), place;
	bool is_unknown = span_starts(function, "???");

	*out = (struct sample_frame){ .function = is_unknown ? span_of("", 0) : trimmed(function),
		.image = image };
	place = split_text(&rest, "[");
	out->address = number_at(rest, true);
	if (span_contains(place, "load address"))
		split_text(&place, "+");
	else
		split_text(&place, " + ");
	out->into = number_at(trimmed(place), span_starts(trimmed(place), "0x"));
}

/* The path from a thread to the current frame. */
struct path {
	struct sample_thread thread;
	struct sample_frame frames[SAMPLE_DEPTH_MAX];
	uint64_t weights[SAMPLE_DEPTH_MAX + 1]; /* [0]: weight of the thread */
	uint64_t below[SAMPLE_DEPTH_MAX + 1];	/* part of `weights` that the callees have */
	size_t depth; /* depth of the last line; there is one frame less */
	bool has_thread, is_cut, adds_up;
};

/* Leaves the frames from `depth` on: the weight that their callees lack is their own. */
static void finish_frames(struct path *p, size_t depth, sample_visitor visitor, void *user)
{
	for (; p->has_thread && p->depth >= depth; p->depth--) {
		size_t d = p->depth;

		if (p->weights[d] > p->below[d])
			visitor(user, &p->thread, p->frames, d, p->weights[d] - p->below[d],
				p->is_cut);
		else if (p->weights[d] < p->below[d])
			p->adds_up = false;
		if (!d) {
			p->has_thread = false;
			return;
		}
		p->below[d - 1] += p->weights[d];
		p->is_cut = false;
	}
}

static void enter_frame(struct path *p, const struct tree_line *line)
{
	size_t d = line->depth;

	if (d > SAMPLE_DEPTH_MAX - 1) {
		p->is_cut = true; /* its weight stays with the last kept frame */
		return;
	}
	if (d > p->depth + 1)
		d = p->depth + 1;
	decode_frame(&p->frames[d - 1], line->rest);
	p->weights[d] = line->weight;
	p->below[d] = 0;
	p->depth = d;
}

bool sample_walk(struct span report, sample_visitor visitor, void *user)
{
	struct cursor c = cursor_over(report.data, report.size);
	struct path p = { .adds_up = true };
	bool has_any = false;

	if (!find_line(&c, TREE))
		return false;
	while (!cursor_at_end(&c)) {
		struct tree_line line;
		struct sample_thread thread;

		if (!decode_line(&line, cursor_line(&c)))
			break;
		finish_frames(&p, line.depth, visitor, user);
		if (!line.depth && decode_thread(&thread, &line)) {
			p.thread = thread;
			p.weights[0] = line.weight;
			p.below[0] = 0;
			p.depth = 0;
			p.is_cut = false;
			p.has_thread = has_any = true;
		} else if (line.depth && p.has_thread) {
			enter_frame(&p, &line);
		}
	}
	finish_frames(&p, 0, visitor, user);
	return has_any && p.adds_up;
}

bool sample_waits(struct span function)
{
	static const char *const names[] = { "mach_msg_trap", "mach_msg2_trap",
		"mach_msg_overwrite_trap", "kevent", "kevent64", "kevent_id", "kevent_qos",
		"__psynch_cvwait", "__psynch_mutexwait", "__psynch_rw_rdlock", "__psynch_rw_wrlock",
		"__semwait_signal", "__semwait_signal_nocancel", "__ulock_wait", "__ulock_wait2",
		"__workq_kernreturn", "__bsdthread_terminate", "__select", "__select_nocancel",
		"__pselect", "poll", "__poll_nocancel", "__wait4", "__wait4_nocancel", "__waitid",
		"semaphore_wait_trap", "semaphore_timedwait_trap", "semaphore_wait_signal_trap",
		"read", "__read_nocancel", "__recvfrom", "__recvfrom_nocancel", "__recvmsg",
		"__recvmsg_nocancel", "__accept", "__accept_nocancel", "__connect",
		"__connect_nocancel", "__waitid_nocancel", "__pselect_nocancel", "__sigsuspend",
		"__sigsuspend_nocancel", "__sigwait", "__sigwait_nocancel", "__sem_wait",
		"swtch_pri" };

	return SPAN_ANY(function, span_equal, names);
}
