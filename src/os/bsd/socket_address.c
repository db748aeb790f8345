/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/bsd/socket_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "os/bsd/bytes.h"

#define AT_FAMILY     1
#define AT_PORT	      2
#define AT_ADDRESS    4 /* of four bytes */
#define AT_ADDRESS6   8
#define AT_SCOPE6     24
#define AT_PATH	      2
#define PATH_SIZE     104
#define ADDRESS6_SIZE 16

void bsd_internet_address(char out[BSD_ADDRESS_SIZE], const unsigned char *bytes, size_t size)
{
	out[0] = '\0';
	if (size == ADDRESS6_SIZE)
		inet_ntop(AF_INET6, bytes, out, BSD_ADDRESS_SIZE);
	else if (size == 4)
		snprintf(out, BSD_ADDRESS_SIZE, "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2],
			bytes[3]);
}

/* Returns the port, which is in network byte order. */
static uint16_t port_of(const struct bsd_bytes *b)
{
	return (uint16_t)(bsd_u8(b, AT_PORT) << 8 | bsd_u8(b, AT_PORT + 1));
}

void bsd_socket_address(char out[BSD_ADDRESS_SIZE], uint16_t *port, const void *data, size_t size)
{
	const struct bsd_bytes b = { data, size };
	uint32_t scope;

	out[0] = '\0';
	*port = 0;
	if (size < AT_ADDRESS + 4)
		return;
	switch (bsd_u8(&b, AT_FAMILY)) {
	case BSD_AF_INET:
		*port = port_of(&b);
		bsd_internet_address(out, b.data + AT_ADDRESS, 4);
		break;
	case BSD_AF_INET6_FREEBSD:
	case BSD_AF_INET6_DARWIN:
		if (size < AT_ADDRESS6 + ADDRESS6_SIZE)
			return;
		*port = port_of(&b);
		bsd_internet_address(out, b.data + AT_ADDRESS6, ADDRESS6_SIZE);
		scope = bsd_u32(&b, AT_SCOPE6);
		if (scope)
			snprintf(out + strlen(out), BSD_ADDRESS_SIZE - strlen(out), "%%%u", scope);
		break;
	case BSD_AF_UNIX:
		bsd_copy(out, BSD_ADDRESS_SIZE, &b, AT_PATH, PATH_SIZE);
		break;
	default:
		break;
	}
}
