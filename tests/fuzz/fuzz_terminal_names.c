/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of terminals, from a device number and where sysfs links to. */
#include <string.h>

#include "fuzz.h"
#include "os/linux/files/terminal_names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[TERMINAL_NAME_SIZE];
	uint32_t number;
	bool is_terminal;

	if (size < sizeof(number))
		return 0;
	memcpy(&number, data, sizeof(number));
	is_terminal = terminal_name_from(
		name, number, span_of((const char *)data + sizeof(number), size - sizeof(number)));
	CHECK(memchr(name, 0, sizeof(name)));
	CHECK(is_terminal == (name[0] != '\0'));
	for (const char *c = name; *c; c++)
		CHECK(*c > ' ' && *c <= '~');
	return 0;
}
