/* SPDX-License-Identifier: BSD-2-Clause */
/* Only the best line for each address is kept of the file: it has 200,000 lines, and modules and
 * BPF programs are not in order. */
#include "os/linux/profile/kernel_symbols.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cursor.h"

#define FUNCTION_BYTES_MAX (1u << 20) /* larger gaps have code that no symbol names */
#define PIECE_BYTES	   (64u << 10)

/* Parses a line "ffffffff81000000 T _stext\t[module]". */
static bool parse_line(struct span line, uint64_t *address, struct span *name)
{
	struct cursor c = cursor_over(line.data, line.size);
	struct span type;

	*address = cursor_hex(&c);
	if (!cursor_skip(&c, " "))
		return false;
	type = cursor_bytes(&c, 1);
	if (c.failed || !memchr("tTwW", *type.data, 4) || !cursor_skip(&c, " "))
		return false;
	*name = cursor_until(&c, '\t');
	return true;
}

/* Returns the first symbol whose address is not below `address`. */
static size_t first_from(const struct kernel_symbol *symbols, size_t count, uint64_t address)
{
	size_t from = 0, to = count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (symbols[middle].address < address)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static void offer_symbol(struct kernel_symbol *s, uint64_t address, struct span name)
{
	size_t size = name.size < KERNEL_SYMBOL_MAX ? name.size : KERNEL_SYMBOL_MAX;

	if (s->begin >= address)
		return;
	s->begin = address;
	memcpy(s->name, name.data, size);
	s->name[size] = '\0';
}

size_t kernel_symbols_parse(
	struct kernel_symbol *symbols, size_t count, const void *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	size_t known = 0;

	assert(count < 2 || symbols[0].address <= symbols[count - 1].address); /* sorted */
	while (!cursor_at_end(&c)) {
		struct span name;
		uint64_t address;

		if (!parse_line(cursor_line(&c), &address, &name))
			continue;
		known += address != 0;
		for (size_t i = first_from(symbols, count, address);
			address && i < count && symbols[i].address - address < FUNCTION_BYTES_MAX;
			i++)
			offer_symbol(&symbols[i], address, name);
	}
	return known;
}

/* Parses whole lines, and moves the rest to the front. */
static size_t parse_lines(struct kernel_symbol *symbols, size_t count, char *piece, size_t *size)
{
	char *end = memrchr(piece, '\n', *size);
	size_t whole = end ? (size_t)(end - piece) + 1 : 0;
	size_t known = kernel_symbols_parse(symbols, count, piece, whole);

	memmove(piece, piece + whole, *size - whole);
	*size -= whole;
	return known;
}

int kernel_symbols(struct kernel_symbol *symbols, size_t count)
{
	_cleanup_close_ int fd = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);
	char piece[PIECE_BYTES];
	size_t size = 0, known = 0;
	ssize_t got;

	if (fd < 0)
		return -errno;
	while ((got = read(fd, piece + size, sizeof(piece) - size)) > 0) {
		size += (size_t)got;
		known += parse_lines(symbols, count, piece, &size);
	}
	if (got < 0)
		return -errno;
	return known ? 0 : -EPERM;
}
