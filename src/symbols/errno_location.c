/* SPDX-License-Identifier: BSD-2-Clause */
/* Known forms of __errno_location(). */
#include "symbols/errno_location.h"

#include <string.h>

static const unsigned char landing[] = { 0xf3, 0x0f, 0x1e, 0xfa }; /* endbr64 */
static const unsigned char load_slot[] = { 0x48, 0x8b, 0x05 };	   /* mov rax, [rip + 4 bytes] */
static const unsigned char load_constant[] = { 0x48, 0xc7, 0xc0 }; /* mov rax, 4 bytes */
static const unsigned char add_pointer[] = { 0x64, 0x48, 0x03, 0x04, 0x25, 0, 0, 0,
	0 }; /* add rax, fs:0 */
static const unsigned char load_pointer[] = { 0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0,
	0 };						      /* mov rax, fs:0 */
static const unsigned char add_byte[] = { 0x48, 0x83, 0xc0 }; /* add rax, 1 byte */
static const unsigned char add_number[] = { 0x48, 0x05 };     /* add rax, 4 bytes */

struct code {
	const unsigned char *at;
	size_t left;
	uint64_t address;
};

static bool skip(struct code *c, const unsigned char *bytes, size_t size)
{
	if (c->left < size || memcmp(c->at, bytes, size) != 0)
		return false;
	c->at += size;
	c->left -= size;
	c->address += size;
	return true;
}

static bool number(struct code *c, size_t size, int32_t *out)
{
	int32_t value = 0;

	if (c->left < size)
		return false;
	if (size == 1)
		value = (int8_t)c->at[0];
	else
		memcpy(&value, c->at, sizeof(value));
	*out = value;
	return skip(c, c->at, size);
}

#define SKIP(c, bytes) skip(c, bytes, sizeof(bytes))

bool errno_location_decode(enum machine machine, const void *code, size_t size, uint64_t address,
	struct errno_location *out)
{
	struct code c = { code, size, address };
	struct errno_location found = { 0 };
	int32_t value;

	if (machine != MACHINE_X86_64)
		return false;
	SKIP(&c, landing);
	if (SKIP(&c, load_slot) && number(&c, 4, &value)) {
		found.is_in_slot = true;
		found.slot = c.address + (uint64_t)(int64_t)value;
		if (!SKIP(&c, add_pointer))
			return false;
	} else if (SKIP(&c, load_constant) && number(&c, 4, &found.offset)) {
		if (!SKIP(&c, add_pointer))
			return false;
	} else if (!SKIP(&c, load_pointer) ||
		   !((SKIP(&c, add_byte) && number(&c, 1, &found.offset)) ||
			   (SKIP(&c, add_number) && number(&c, 4, &found.offset)))) {
		return false;
	}
	if (!c.left || *c.at != 0xc3) /* ret */
		return false;
	*out = found;
	return true;
}
