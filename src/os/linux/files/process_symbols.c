/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/files/process_symbols.h"

#include <elf.h>
#include <string.h>

#include "os/linux/files/read_memory.h"

#define HEADERS_MAX  64
#define DYNAMICS_MAX 128
#define CHAIN_MAX    64 /* symbols with one hash */

bool do_read_name(pid_t pid, uint64_t address, char out[PROCESS_NAME_SIZE])
{
	memset(out, 0, PROCESS_NAME_SIZE);
	if (do_read_memory(pid, address, out, PROCESS_NAME_SIZE - 1))
		return true;
	for (size_t i = 0; i < PROCESS_NAME_SIZE - 1; i++) {
		if (!do_read_memory(pid, address + i, out + i, 1))
			return false;
		if (!out[i])
			return true;
	}
	return true;
}

static uint64_t address_in_process(const struct process_image *i, uint64_t address)
{
	return address < i->base ? i->base + address : address;
}

static bool read_dynamic(struct process_image *i, uint64_t address, uint64_t size)
{
	Elf64_Dyn d;

	for (uint64_t n = 0; n < DYNAMICS_MAX && (n + 1) * sizeof(d) <= size; n++) {
		if (!do_read_memory(i->pid, address + n * sizeof(d), &d, sizeof(d)))
			return false;
		if (d.d_tag == DT_NULL)
			break;
		if (d.d_tag == DT_SYMTAB)
			i->symbols = address_in_process(i, d.d_un.d_ptr);
		else if (d.d_tag == DT_STRTAB)
			i->strings = address_in_process(i, d.d_un.d_ptr);
		else if (d.d_tag == DT_GNU_HASH)
			i->hash = address_in_process(i, d.d_un.d_ptr);
	}
	return i->symbols && i->strings && i->hash;
}

bool do_open_image(struct process_image *i)
{
	Elf64_Ehdr header;
	Elf64_Phdr p;

	if (!do_read_memory(i->pid, i->base, &header, sizeof(header)) ||
		memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
		header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(p))
		return false;
	for (unsigned n = 0; n < header.e_phnum && n < HEADERS_MAX; n++) {
		if (!do_read_memory(
			    i->pid, i->base + header.e_phoff + n * sizeof(p), &p, sizeof(p)))
			return false;
		if (p.p_type == PT_DYNAMIC)
			return read_dynamic(i, i->base + p.p_vaddr, p.p_memsz);
	}
	return false;
}

static uint32_t gnu_hash(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

uint64_t do_find_symbol(const struct process_image *i, const char *name)
{
	uint32_t table[4], index, hash = gnu_hash(name), met = 0; /* buckets, first, bloom, shift */
	uint64_t buckets, chains;
	char found[PROCESS_NAME_SIZE];
	Elf64_Sym s;

	if (!do_read_memory(i->pid, i->hash, table, sizeof(table)) || !table[0])
		return 0;
	buckets = i->hash + sizeof(table) + table[2] * sizeof(uint64_t);
	chains = buckets + table[0] * sizeof(uint32_t);
	if (!do_read_memory(
		    i->pid, buckets + hash % table[0] * sizeof(index), &index, sizeof(index)) ||
		index < table[1])
		return 0;
	for (unsigned n = 0; n < CHAIN_MAX && !(met & 1); n++, index++) {
		if (!do_read_memory(
			    i->pid, chains + (index - table[1]) * sizeof(met), &met, sizeof(met)))
			return 0;
		if ((met | 1) != (hash | 1))
			continue;
		if (!do_read_memory(i->pid, i->symbols + index * sizeof(s), &s, sizeof(s)) ||
			!do_read_name(i->pid, i->strings + s.st_name, found))
			return 0;
		if (!strcmp(found, name))
			return i->base + s.st_value;
	}
	return 0;
}
