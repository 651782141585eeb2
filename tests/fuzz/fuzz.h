/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fuzzers share. A check that fails, and every assertion of what they use of
 * tests/unit/, ends the process, which libFuzzer takes for a crash.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/* The input, taken from its front. */
struct input {
	const uint8_t *data;
	size_t size;
};

static inline uint8_t take_byte(struct input *in)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->data++;
}

/* Up to the next byte that is @end, or all that is left: a string on the heap, of @ret_len. */
static inline char *take_until(struct input *in, uint8_t end, size_t *ret_len)
{
	const uint8_t *found = in->size ? memchr(in->data, end, in->size) : NULL;
	size_t len = found ? (size_t)(found - in->data) : in->size;
	char *text = malloc(len + 1);

	CHECK(text);
	if (len)
		memcpy(text, in->data, len);
	text[len] = '\0';
	in->data += len + !!found;
	in->size -= len + !!found;
	if (ret_len)
		*ret_len = len;
	return text;
}

/* What goes to a terminal or the journal has no control characters, but for ends of lines. */
static inline void check_printable(const char *text)
{
	for (; *text; text++)
		CHECK((uint8_t)*text >= ' ' || *text == '\n');
}

#endif
