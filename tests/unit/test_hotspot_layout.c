/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of fields of a virtual machine, in an image made here, and tables that lie about
 * themselves. */
#include "support.h"

#include <elf.h>
#include <unistd.h>

#include "os/linux/runtimes/java/hotspot_layout.h"

struct entry {
	const char *type, *field, *kind;
	int32_t is_static;
	uint64_t offset;
	const void *address;
};

enum { FIRST, STRIDE, TYPE, FIELD, IS_STATIC, OFFSET, ADDRESS, VARIABLES };

static const char *const names[VARIABLES] = { "gHotSpotVMStructs",
	"gHotSpotVMStructEntryArrayStride", "gHotSpotVMStructEntryTypeNameOffset",
	"gHotSpotVMStructEntryFieldNameOffset", "gHotSpotVMStructEntryIsStaticOffset",
	"gHotSpotVMStructEntryOffsetOffset", "gHotSpotVMStructEntryAddressOffset" };

/* As a library is in memory, with one bucket for all symbols. */
static struct image {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	Elf64_Dyn dynamic[4];
	struct {
		uint32_t head[4];
		uint64_t bloom;
		uint32_t bucket, chain[VARIABLES];
	} hash;
	Elf64_Sym symbols[1 + VARIABLES];
	char strings[VARIABLES][64];
	uint64_t variables[VARIABLES];
} image;

static struct entry table[3];

static uint32_t hash_of(const char *name)
{
	uint32_t hash = 5381;

	while (*name)
		hash = hash * 33 + (unsigned char)*name++;
	return hash;
}

static void make_image(void)
{
	image = (struct image){
		.header = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64 },
			.e_phoff = offsetof(struct image, segment),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 1 },
		.segment = { .p_type = PT_DYNAMIC,
			.p_vaddr = offsetof(struct image, dynamic),
			.p_memsz = sizeof(image.dynamic) },
		.dynamic = { { DT_SYMTAB, { offsetof(struct image, symbols) } },
			{ DT_STRTAB, { offsetof(struct image, strings) } },
			{ DT_GNU_HASH, { offsetof(struct image, hash) } } },
		.hash = { .head = { 1, 1, 1, 0 }, .bucket = 1 }
	};
	for (size_t i = 0; i < VARIABLES; i++) {
		strcpy(image.strings[i], names[i]);
		image.hash.chain[i] = hash_of(names[i]) & ~1u;
		image.symbols[1 + i] = (Elf64_Sym){ .st_name = (Elf64_Word)(i * 64),
			.st_value = offsetof(struct image, variables) + i * sizeof(uint64_t) };
	}
	image.variables[FIRST] = (uint64_t)(uintptr_t)table;
	image.variables[STRIDE] = sizeof(struct entry);
	image.variables[TYPE] = offsetof(struct entry, type);
	image.variables[FIELD] = offsetof(struct entry, field);
	image.variables[IS_STATIC] = offsetof(struct entry, is_static);
	image.variables[OFFSET] = offsetof(struct entry, offset);
	image.variables[ADDRESS] = offsetof(struct entry, address);
}

static bool read_layout(struct hotspot_layout *out)
{
	return hotspot_layout_read(getpid(), (uint64_t)(uintptr_t)&image, out);
}

static void test_fields(void **state)
{
	struct hotspot_layout l;

	(void)state;
	make_image();
	table[0] = (struct entry){ .type = "Klass", .field = "_name", .offset = 24 };
	table[1] = (struct entry){
		.type = "Universe", .field = "_collectedHeap", .is_static = 1, .address = &image
	};
	assert_true(read_layout(&l));
	assert_true(l.has[HOTSPOT_CLASS_NAME] && l.has[HOTSPOT_HEAP]);
	assert_int_equal(l.at[HOTSPOT_CLASS_NAME], 24);
	assert_int_equal(l.at[HOTSPOT_HEAP], (uint64_t)(uintptr_t)&image);
	assert_false(l.has[HOTSPOT_THREADS_LIST]);
}

/* Members outside of an entry. */
static void test_lies(void **state)
{
	static const uint64_t values[] = { sizeof(struct entry) - 3, sizeof(struct entry),
		UINT64_MAX - 15, UINT64_MAX - 7, UINT64_MAX - 3, UINT64_MAX };
	struct hotspot_layout l;

	(void)state;
	for (size_t i = TYPE; i < VARIABLES; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(values); k++) {
			make_image();
			image.variables[i] = values[k];
			assert_false(read_layout(&l));
			/* as another one, which has a word there */
			image.variables[IS_STATIC] = values[k];
			assert_false(read_layout(&l));
		}
	}
	for (uint64_t stride = 0; stride < sizeof(struct entry); stride++) {
		make_image();
		image.variables[STRIDE] = stride;
		assert_false(read_layout(&l));
	}
	make_image();
	image.variables[STRIDE] = UINT64_MAX;
	assert_false(read_layout(&l));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
