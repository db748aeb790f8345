/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/bsd/sysctl.h"

#include <string.h>

#include "os/bsd/bytes.h"

uint64_t bsd_sysctl_number(const struct bsd_sysctl *c, const char *name)
{
	unsigned char bytes[8] = { 0 };
	const struct bsd_bytes b = { bytes, sizeof(bytes) };
	size_t size = sizeof(bytes);

	if (c->read(c, name, bytes, &size) || (size != 4 && size != 8))
		return 0;
	return bsd_number(&b, 0, size);
}

void bsd_sysctl_text(const struct bsd_sysctl *c, const char *name, char *out, size_t room)
{
	size_t size = room - 1;

	memset(out, 0, room);
	if (c->read(c, name, out, &size))
		out[0] = '\0';
}
