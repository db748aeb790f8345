/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes words of an image that its stacks depend on: bytes that do not matter are 0 in it. */
#include "image_changes.h"

#include <string.h>

static struct image_change later[IMAGE_CHANGES_MAX];
static size_t later_count;
static uint64_t reads;

struct image_change image_change_random(uint64_t *dice)
{
	struct image_change change;

	*dice = *dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	change = (struct image_change){ (uint8_t)(*dice >> 60), (uint8_t)(*dice >> 48),
		(uint8_t)(*dice >> 40) & 0x1f, (uint8_t)(*dice >> 32), (uint32_t)(*dice >> 16) };
	/* Half of all at once: those that come later reach the fewest. */
	if (change.bits & 1)
		change.read = 0;
	return change;
}

static uint64_t *word_of(struct image_page *page, size_t i)
{
	return (uint64_t *)(void *)(page->bytes + i * sizeof(uint64_t));
}

#define PAGE_WORDS (IMAGE_PAGE / sizeof(uint64_t))

/* The nth word that is not 0, or how many there are. */
static uint64_t *find_word(struct image_space *space, uint64_t nth, struct image_page **page,
	uint64_t *address, uint64_t *count)
{
	*count = 0;
	for (size_t p = 0; p < space->count; p++) {
		for (size_t i = 0; i < PAGE_WORDS; i++) {
			uint64_t *word = word_of(&space->pages[p], i);

			if (!*word || (*count)++ != nth)
				continue;
			*page = &space->pages[p];
			*address = space->pages[p].number * IMAGE_PAGE + i * sizeof(uint64_t);
			return word;
		}
	}
	return NULL;
}

static void change_one(struct image *image, const struct image_change *change)
{
	size_t file = change->space ? (change->space - 1u) % (image->file_count + 1) : 0;
	struct image_space *space =
		change->space && file < image->file_count ? &image->files[file] : &image->memory;
	uint64_t *word, *other, address, elsewhere, count;
	struct image_page *page, *unused;

	find_word(space, UINT64_MAX, &page, &address, &count);
	word = count ? find_word(space, change->word % count, &page, &address, &count) : NULL;
	if (!word)
		return;
	switch (change->lie % LIES) {
	case LIE_BITS:
		*word ^= UINT64_C(1) << (change->bits & 63);
		break;
	case LIE_HUGE:
		*word = UINT64_MAX;
		break;
	case LIE_ITSELF:
		*word = address;
		break;
	case LIE_NEAR:
		*word += change->bits;
		break;
	case LIE_OTHER:
		find_word(space, UINT64_MAX, &unused, &elsewhere, &count);
		other = find_word(space, (change->word * UINT64_C(2654435761)) % count, &unused,
			&elsewhere, &count);
		*word = other ? *other : 0;
		break;
	default:
		*word = address | 1;
	}
	if (space != &image->memory)
		image_write_page(image, file, page);
}

static void change_later(struct image *image)
{
	reads++;
	for (size_t i = 0; i < later_count; i++) {
		if (later[i].read == reads)
			change_one(image, &later[i]);
	}
}

void image_change(struct image *image, const struct image_change *changes, size_t count)
{
	later_count = 0;
	reads = 0;
	for (size_t i = 0; i < count && i < IMAGE_CHANGES_MAX; i++) {
		if (changes[i].read && !changes[i].space)
			later[later_count++] = changes[i];
		else
			change_one(image, &changes[i]);
	}
	image_before_read = change_later;
}
