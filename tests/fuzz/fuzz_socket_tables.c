/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of /proc/PID/net, in which unix sockets write names of any bytes. The first byte says
 * which table it is. Taken in two pieces, it must tell the same. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "fuzz.h"
#include "os/linux/sockets/socket_tables.h"
#include "probes/sockets.h"

struct sums {
	const char *data, *end;
	uint64_t told, inodes, name_bytes;
};

static void take(void *user, const struct socket_fact *f)
{
	struct sums *s = user;

	s->told++;
	s->inodes = s->inodes * 31 + f->inode;
	s->name_bytes += f->name.size;
	CHECK(f->state < SOCKETS_STATES && f->name.size <= 108);
	if (f->name.size)
		CHECK(f->name.data >= s->data && f->name.data + f->name.size <= s->end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct socket_table tables[] = {
		{ "net/unix", AF_UNIX, 0 },
		{ "net/tcp", AF_INET, IPPROTO_TCP },
		{ "net/tcp6", AF_INET6, IPPROTO_TCP },
		{ "net/netlink", AF_NETLINK, 0 },
		{ "net/packet", AF_PACKET, 0 },
	};
	const struct socket_table *table;
	const char *text = (const char *)data + 1;
	struct sums whole, parts;
	size_t half, used;

	if (!size)
		return 0;
	table = &tables[data[0] % (sizeof(tables) / sizeof(tables[0]))];
	size--;
	whole = parts = (struct sums){ text, text + size, 0, 0, 0 };
	used = socket_tables_parse(table, text, size, true, take, &whole);
	CHECK(used <= size);
	half = size / 2;
	used = socket_tables_parse(table, text, half, false, take, &parts);
	CHECK(used <= half);
	socket_tables_parse(table, text + used, size - used, true, take, &parts);
	CHECK(whole.told == parts.told && whole.inodes == parts.inodes);
	CHECK(whole.name_bytes == parts.name_bytes);
	return 0;
}
