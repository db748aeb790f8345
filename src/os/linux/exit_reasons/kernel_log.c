/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/exit_reasons/kernel_log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define LINES_MAX  (1u << 20)
#define LINE_BYTES 8192 /* a read with a smaller buffer fails; CONSOLE_EXT_LOG_MAX */
#define FACILITIES 8	/* a priority is facility * 8 + level; the kernel's facility is 0 */

static struct span rest_of(const struct cursor *c)
{
	return span_of((const char *)c->at, cursor_left(c));
}

/* Returns the start of the last `needle`; NULL: there is none. */
static const char *last_of(struct span text, const char *needle)
{
	size_t size = strlen(needle);

	for (size_t at = text.size; at-- > 0;) {
		if (text.size - at >= size && !memcmp(text.data + at, needle, size))
			return text.data + at;
	}
	return NULL;
}

static struct span span_between(const char *from, const char *to)
{
	return span_of(from, (size_t)(to - from));
}

/* Splits a line "6,1091,1997763905,-;message", perhaps followed by lines of a dictionary. */
bool kernel_log_split(struct kernel_log_line *out, const void *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	uint64_t priority = cursor_decimal(&c), microseconds;

	if (!cursor_skip(&c, ",") || priority >= FACILITIES)
		return false;
	cursor_decimal(&c);
	if (!cursor_skip(&c, ","))
		return false;
	microseconds = cursor_decimal(&c);
	if (c.failed || !cursor_skip(&c, ",") || microseconds > UINT64_MAX / 1000)
		return false;
	cursor_until(&c, ';');
	out->logged_ns = microseconds * 1000;
	out->message = cursor_line(&c);
	return true;
}

/* --- out of memory --- */

static bool kilobytes(struct cursor *c, const char *name, uint64_t *bytes)
{
	uint64_t value;

	cursor_blanks(c);
	if (!cursor_skip(c, name))
		return false;
	value = cursor_decimal(c);
	cursor_skip(c, "kB");
	cursor_skip(c, ",");
	if (c->failed || value > UINT64_MAX / 1024)
		return false;
	*bytes = value * 1024;
	return true;
}

/* Parses "Out of memory: Killed process 19229 (python3) total-vm:17784kB, anon-rss:7872kB, ..." */
static bool parse_killed(struct kernel_log_end *out, struct span message)
{
	struct cursor c = cursor_over(message.data, message.size);
	const char *end = last_of(message, ") total-vm:");
	bool is_of_group = cursor_skip(&c, "Memory cgroup out of memory: ");

	if (!is_of_group && !cursor_skip(&c, "Out of memory: "))
		return false;
	if (!cursor_skip(&c, "Killed process ") || !end)
		return false;
	*out = (struct kernel_log_end){ .what = EXIT_REASONS_LOG_OOM,
		.pid = (uint32_t)cursor_decimal(&c),
		.is_of_group = is_of_group };
	if (c.failed || !cursor_skip(&c, " (") || (const char *)c.at > end)
		return false;
	out->name = span_between((const char *)c.at, end);
	c = cursor_over(end + 1, message.size - (size_t)(end + 1 - message.data));
	out->has_values = kilobytes(&c, "total-vm:", &out->virtual_bytes) &&
			  kilobytes(&c, "anon-rss:", &out->anonymous_bytes) &&
			  kilobytes(&c, "file-rss:", &out->file_bytes) &&
			  kilobytes(&c, "shmem-rss:", &out->shared_bytes);
	cursor_blanks(&c);
	if (cursor_skip(&c, "UID:")) {
		out->uid = (uint32_t)cursor_decimal(&c);
		out->has_uid = !c.failed;
	}
	return true;
}

bool kernel_log_parse_group(struct span *group, uint32_t *pid, struct span message)
{
	const char *number = last_of(message, ",pid="), *from, *to;
	struct cursor c;
	uint64_t value;

	if (!span_starts(message, "oom-kill:constraint=") || !number)
		return false;
	c = cursor_over(number + 5, message.size - (size_t)(number + 5 - message.data));
	value = cursor_decimal(&c);
	if (c.failed || value > UINT32_MAX)
		return false;
	from = last_of(message, ",oom_memcg=");
	to = last_of(message, ",task_memcg=");
	*group = from && to && to > from ? span_between(from + 11, to) : span_of("", 0);
	*pid = (uint32_t)value;
	return true;
}

/* --- faults --- */

/* Parses "NAME[PID" up to `end`, where the bracket closes. */
static bool parse_process(struct kernel_log_end *out, const char *from, const char *end)
{
	const char *open = end > from ? memrchr(from, '[', (size_t)(end - from)) : NULL;
	uint64_t pid;

	if (!open || !span_decimal(span_between(open + 1, end), &pid) || pid > UINT32_MAX)
		return false;
	out->pid = (uint32_t)pid;
	out->name = span_between(from, open);
	return true;
}

/* Parses " in libc.so.6[156219,7f8c0d644000+156000]". */
static void parse_object(struct kernel_log_end *out, struct span text)
{
	const char *in = last_of(text, " in "), *open;

	if (!in)
		return;
	in += 4;
	open = memrchr(in, '[', text.size - (size_t)(in - text.data));
	if (open)
		out->object = span_between(in, open);
}

/* Parses "python3[1378]: segfault at 8 ip 00007f8c0d774219 sp ... error 4 in libc.so.6[...]". */
static bool parse_segfault(struct kernel_log_end *out, struct span message)
{
	static const char said[] = "]: segfault at ";
	const char *at = last_of(message, said);
	struct cursor c;

	*out = (struct kernel_log_end){ .what = EXIT_REASONS_LOG_FAULT,
		.trap = span_of("segfault", 8) };
	if (!at || !parse_process(out, message.data, at))
		return false;
	at += sizeof(said) - 1;
	c = cursor_over(at, message.size - (size_t)(at - message.data));
	out->address = cursor_hex(&c);
	out->has_address = !c.failed;
	cursor_blanks(&c);
	if (out->has_address && cursor_skip(&c, "ip ")) {
		out->instruction = cursor_hex(&c);
		out->has_instruction = !c.failed;
	}
	parse_object(out, span_between(at, message.data + message.size));
	return true;
}

/* Parses "traps: NAME[PID] general protection fault ip:... sp:... error:0 in FILE[...]", also "trap
 * invalid opcode", "trap divide error". */
static bool parse_trap(struct kernel_log_end *out, struct span message)
{
	const char *ip = last_of(message, " ip:"), *close = NULL;
	struct cursor c = cursor_over(message.data, message.size);

	*out = (struct kernel_log_end){ .what = EXIT_REASONS_LOG_FAULT };
	if (!cursor_skip(&c, "traps: ") || !ip || (const char *)c.at > ip)
		return false;
	close = last_of(span_between((const char *)c.at, ip), "] ");
	if (!close || !parse_process(out, (const char *)c.at, close))
		return false;
	out->trap = span_between(close + 2, ip);
	if (span_starts(out->trap, "trap ")) {
		out->trap.data += 5;
		out->trap.size -= 5;
	}
	c = cursor_over(ip + 4, message.size - (size_t)(ip + 4 - message.data));
	out->instruction = cursor_hex(&c);
	out->has_instruction = !c.failed;
	parse_object(out, rest_of(&c));
	return true;
}

/* Parses, of arm64: "NAME[PID]: unhandled exception: DABT (lower EL), ESR 0x..., ... in FILE[...]".
 */
static bool parse_exception(struct kernel_log_end *out, struct span message)
{
	static const char said[] = "]: unhandled exception: ";
	const char *at = last_of(message, said);
	struct cursor c;

	*out = (struct kernel_log_end){ .what = EXIT_REASONS_LOG_FAULT };
	if (!at || !parse_process(out, message.data, at))
		return false;
	at += sizeof(said) - 1;
	c = cursor_over(at, message.size - (size_t)(at - message.data));
	out->trap = cursor_until(&c, ',');
	parse_object(out, rest_of(&c));
	return true;
}

bool kernel_log_parse(struct kernel_log_end *out, struct span message)
{
	return parse_killed(out, message) || parse_segfault(out, message) ||
	       parse_trap(out, message) || parse_exception(out, message);
}

/* --- reading --- */

int kernel_log_read(void (*take)(void *user, const struct kernel_log_line *line), void *user)
{
	_cleanup_close_ int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct kernel_log_line line;
	char bytes[LINE_BYTES];

	if (fd < 0)
		return -errno;
	for (unsigned i = 0; i < LINES_MAX; i++) {
		ssize_t got = read(fd, bytes, sizeof(bytes));

		if (got < 0 && (errno == EPIPE || errno == EINTR)) /* overwritten meanwhile */
			continue;
		if (got < 0 && errno != EAGAIN)
			return -errno;
		if (got <= 0)
			break;
		if (kernel_log_split(&line, bytes, (size_t)got))
			take(user, &line);
	}
	return 0;
}
