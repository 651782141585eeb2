/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Escapes control characters, quotes and bytes that are not UTF-8. */
#include "escape.h"

#include <stdbool.h>
#include <stdint.h>

#include "util.h"

#define ELLIPSIS "\xe2\x80\xa6"
#define ELLIPSIS_LEN (sizeof(ELLIPSIS) - 1)

/* Code points that are valid UTF-8 and still must not reach a terminal or a reader. */
static const struct {
	uint32_t first, last;
} deceptive[] = {
	{ 0x0080, 0x009f },	/* C1 controls: U+009B begins a terminal sequence */
	{ 0x00ad, 0x00ad },	/* soft hyphen */
	{ 0x061c, 0x061c },	/* Arabic letter mark */
	{ 0x200b, 0x200f },	/* zero width, left-to-right and right-to-left marks */
	{ 0x2028, 0x202e },	/* line and paragraph separators, bidi embedding */
	{ 0x2060, 0x206f },	/* word joiner, bidi isolates */
	{ 0xfeff, 0xfeff },	/* byte order mark */
	{ 0xfff9, 0xfffb },	/* interlinear annotation */
	{ 0xe0000, 0xe0fff },	/* tags */
};

static bool is_deceptive(uint32_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(deceptive); i++)
		if (code >= deceptive[i].first && code <= deceptive[i].last)
			return true;
	return false;
}

/* Bytes of the multi-byte UTF-8 character (RFC 3629) that @text begins with; 0 for none. */
static size_t utf8_char(const unsigned char *text, size_t len)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char lead = text[0];
	size_t n = lead >= 0xf0 && lead <= 0xf4 ? 4 : lead >= 0xe0 && lead < 0xf0 ? 3 :
		   lead >= 0xc0 && lead < 0xe0 ? 2 : 0;
	uint32_t code;

	if (!n || n > len)
		return 0;
	code = lead & (0xffU >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	/* overlong, beyond Unicode, surrogates */
	if (code < smallest[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return is_deceptive(code) ? 0 : n;
}

/* Render what @text begins with; returns the bytes used of it, and of @out in @ret_out. */
static size_t render(const unsigned char *text, size_t len, char out[5], size_t *ret_out)
{
	size_t n = utf8_char(text, len);

	if (n) {
		memcpy(out, text, n);
		*ret_out = n;
		return n;
	}
	if (text[0] == '"' || text[0] == '\\')
		*ret_out = (size_t)sprintf(out, "\\%c", text[0]);
	else if (text[0] >= 0x20 && text[0] < 0x7f)
		*ret_out = (size_t)sprintf(out, "%c", text[0]);
	else
		*ret_out = (size_t)sprintf(out, "\\x%02x", text[0]);
	return 1;
}

char *psc_escape(const char *text, size_t len, size_t max)
{
	const unsigned char *bytes = (const unsigned char *)text;
	char *out = malloc(max + 1);
	size_t n = 0, cut = 0;

	if (!out)
		return NULL;
	for (size_t i = 0; i < len;) {
		char unit[5];
		size_t unit_len;

		i += render(bytes + i, len - i, unit, &unit_len);
		if (n + unit_len > max) {
			n = cut;
			memcpy(out + n, ELLIPSIS, ELLIPSIS_LEN);
			n += ELLIPSIS_LEN;
			break;
		}
		memcpy(out + n, unit, unit_len);
		n += unit_len;
		/* The last end of a character that leaves room for the ellipsis. */
		if (n + ELLIPSIS_LEN <= max)
			cut = n;
	}
	out[n] = '\0';
	return out;
}
