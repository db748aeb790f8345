/* SPDX-License-Identifier: BSD-2-Clause */
/* struct sockaddr of the BSD systems: its first byte is its length, the second the family. */
#ifndef SOOTH_OS_BSD_SOCKET_ADDRESS_H
#define SOOTH_OS_BSD_SOCKET_ADDRESS_H

#include <stddef.h>
#include <stdint.h>

#include "os/bsd/source.h"

#define BSD_AF_UNIX	     1
#define BSD_AF_INET	     2
#define BSD_AF_INET6_FREEBSD 28
#define BSD_AF_INET6_DARWIN  30

/* The address as text, "" when there is none; the port of an internet address, else 0. */
void bsd_socket_address(char out[BSD_ADDRESS_SIZE], uint16_t *port, const void *data, size_t size);
/* An internet address: 4 or 16 bytes. */
void bsd_internet_address(char out[BSD_ADDRESS_SIZE], const unsigned char *bytes, size_t size);

#endif
