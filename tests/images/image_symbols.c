/* SPDX-License-Identifier: BSD-2-Clause */
/* Symbol tables of an image, without the symbols that its stacks have no use for. */
#include "image_symbols.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct keeping {
	struct image_space *file;
	const char *text; /* the stacks */
	const char *const *prefixes;
};

static void clear(struct image_space *file, uint64_t from, uint64_t size)
{
	for (uint64_t done = 0; done < size;) {
		uint64_t inside = (from + done) % IMAGE_PAGE;
		uint64_t part =
			size - done < IMAGE_PAGE - inside ? size - done : IMAGE_PAGE - inside;
		struct image_page *page = image_page_find(file, (from + done) / IMAGE_PAGE);

		if (page)
			memset(page->bytes + inside, 0, part);
		done += part;
	}
}

static void put(struct image_space *file, uint64_t from, const void *data, uint64_t size)
{
	const unsigned char *bytes = data;

	for (uint64_t i = 0; i < size; i++) {
		struct image_page *page = image_page_find(file, (from + i) / IMAGE_PAGE);

		if (page)
			page->bytes[(from + i) % IMAGE_PAGE] = bytes[i];
	}
}

static bool is_wanted(const struct keeping *k, const char *name)
{
	const char *at = k->text;
	size_t length = strlen(name);

	for (const char *const *prefix = k->prefixes; *prefix; prefix++) {
		if (!strncmp(name, *prefix, strlen(*prefix)))
			return true;
	}
	while (length && (at = strstr(at, name))) {
		if ((at[length] == ' ' || at[length] == '\n') && at > k->text && at[-1] == ' ')
			return true;
		at += length;
	}
	return false;
}

static void set_size(struct keeping *k, Elf *elf, Elf_Scn *section, uint64_t size)
{
	GElf_Ehdr header;

	if (gelf_getehdr(elf, &header))
		put(k->file,
			header.e_shoff + elf_ndxscn(section) * sizeof(Elf64_Shdr) +
				offsetof(Elf64_Shdr, sh_size),
			&size, sizeof(size));
}

/* Both sections are cleared as a whole; the symbols that stay move to their begin. */
static void keep_in(struct keeping *k, Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Scn *strings = elf_getscn(elf, header->sh_link);
	Elf_Data *symbols = elf_getdata(section, NULL);
	Elf_Data *names = strings ? elf_getdata(strings, NULL) : NULL;
	uint64_t count = 1, used = 1;
	GElf_Shdr to;

	if (!symbols || !names || !gelf_getshdr(strings, &to))
		return;
	clear(k->file, to.sh_offset, to.sh_size);
	clear(k->file, header->sh_offset, header->sh_size);
	for (int i = 1; (size_t)i < symbols->d_size / sizeof(Elf64_Sym); i++) {
		const char *name;
		Elf64_Sym symbol;

		memcpy(&symbol, (const Elf64_Sym *)symbols->d_buf + i, sizeof(symbol));
		name = symbol.st_name < names->d_size ? (const char *)names->d_buf + symbol.st_name
						      : "";
		if (!is_wanted(k, name))
			continue;
		symbol.st_name = (Elf64_Word)used;
		put(k->file, to.sh_offset + used, name, strlen(name));
		put(k->file, header->sh_offset + count * sizeof(symbol), &symbol, sizeof(symbol));
		used += strlen(name) + 1;
		count++;
	}
	set_size(k, elf, section, count * sizeof(Elf64_Sym));
	set_size(k, elf, strings, used);
}

void image_keep_symbols(
	struct image *image, size_t file, const char *text, const char *const *prefixes)
{
	struct keeping k = { .file = &image->files[file], .text = text, .prefixes = prefixes };
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	char path[128];
	int fd;
	Elf *elf;

	snprintf(path, sizeof(path), "%s/file%zu", image->folder, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	elf_version(EV_CURRENT);
	elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ, NULL);
	/* Names of exported symbols (.dynsym) stand among those of libraries, and are few. */
	while (elf && (section = elf_nextscn(elf, section)) && gelf_getshdr(section, &header)) {
		if (header.sh_type == SHT_SYMTAB && header.sh_entsize == sizeof(Elf64_Sym))
			keep_in(&k, elf, section, &header);
	}
	if (elf)
		elf_end(elf);
	if (fd >= 0)
		close(fd);
	for (size_t i = 0; i < image->files[file].count; i++)
		image_write_page(image, file, &image->files[file].pages[i]);
}
