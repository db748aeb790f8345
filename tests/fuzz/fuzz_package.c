/* SPDX-License-Identifier: BSD-2-Clause */
/* package.json: whatever stands there, name and version are short and plain. */
#include <string.h>

#include "fuzz.h"
#include "os/linux/programs/package_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct package package;

	package_parse(&package, data, size);
	CHECK(strnlen(package.name, sizeof(package.name)) < sizeof(package.name));
	CHECK(strnlen(package.version, sizeof(package.version)) < sizeof(package.version));
	CHECK(!strpbrk(package.name, "\"\\ \n\033"));
	CHECK(!strpbrk(package.version, "\"\\ \n\033"));
	return 0;
}
