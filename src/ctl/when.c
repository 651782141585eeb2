/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a text to a moment. */
#include "when.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>

#include "util.h"

#define SECONDS_MAX 253402300799LL	/* the end of the year 9999 */

static const struct {
	const char *word;
	long long seconds;
} units[] = {
	{ "s", 1 }, { "sec", 1 }, { "second", 1 }, { "seconds", 1 },
	{ "m", 60 }, { "min", 60 }, { "minute", 60 }, { "minutes", 60 },
	{ "h", 3600 }, { "hr", 3600 }, { "hour", 3600 }, { "hours", 3600 },
	{ "d", 86400 }, { "day", 86400 }, { "days", 86400 },
	{ "w", 604800 }, { "week", 604800 }, { "weeks", 604800 },
	{ "M", 2629800 }, { "month", 2629800 }, { "months", 2629800 },
	{ "y", 31557600 }, { "year", 31557600 }, { "years", 31557600 },
};

/* Digits, and how many there may be. Return: the number, or -1. */
static long long parse_digits(const char **text, size_t min, size_t max)
{
	size_t n = strspn(*text, "0123456789");
	long long value = 0;

	if (n < min || n > max)
		return -1;
	for (size_t i = 0; i < n; i++)
		value = 10 * value + ((*text)[i] - '0');
	*text += n;
	return value;
}

/* "1h", "2 days", "1h30min": all of it. Return: seconds, or -1. */
static long long parse_span(const char *text, const char *end)
{
	long long sum = 0;

	while (text < end) {
		long long n = parse_digits(&text, 1, 9), seconds = 0;
		size_t len = 0;

		while (text < end && *text == ' ')
			text++;
		while (text + len < end && isalpha((unsigned char)text[len]))
			len++;
		for (size_t i = 0; i < ARRAY_SIZE(units); i++)
			if (strlen(units[i].word) == len && memcmp(units[i].word, text, len) == 0)
				seconds = units[i].seconds;
		if (n < 0 || !seconds)
			return -1;
		sum += n * seconds;
		if (sum > SECONDS_MAX)
			return -1;
		text += len;
		while (text < end && *text == ' ')
			text++;
	}
	return sum;
}

/* "HH:MM" or "HH:MM:SS", to the end of the text. */
static bool parse_clock(const char *text, struct tm *tm)
{
	long long hour = parse_digits(&text, 1, 2), minute = -1, second = 0;

	if (*text++ == ':')
		minute = parse_digits(&text, 2, 2);
	if (minute >= 0 && *text == ':') {
		text++;
		second = parse_digits(&text, 2, 2);
	}
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 || *text)
		return false;
	tm->tm_hour = (int)hour;
	tm->tm_min = (int)minute;
	tm->tm_sec = (int)second;
	return true;
}

static int from_tm(struct tm tm, bool utc, uint64_t *ret_usec)
{
	time_t seconds;

	tm.tm_isdst = utc ? 0 : -1;
	seconds = utc ? timegm(&tm) : mktime(&tm);
	if (seconds < 0 || seconds > SECONDS_MAX)
		return -EINVAL;
	*ret_usec = (uint64_t)seconds * 1000000;
	return 0;
}

/* "YYYY-MM-DD", and perhaps a time behind a blank or a "T"; the day must be one. */
static bool parse_day(const char *text, struct tm *tm)
{
	struct tm wanted = {};
	long long year = parse_digits(&text, 4, 4), month = -1, day = -1;

	if (year >= 0 && *text == '-') {
		text++;
		month = parse_digits(&text, 2, 2);
	}
	if (month >= 0 && *text == '-') {
		text++;
		day = parse_digits(&text, 2, 2);
	}
	if (month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	*tm = (struct tm){ .tm_year = (int)year - 1900, .tm_mon = (int)month - 1,
			   .tm_mday = (int)day };
	wanted = *tm;
	if (timegm(&wanted) < 0 || wanted.tm_mday != tm->tm_mday)
		return false;
	return !*text || ((*text == ' ' || *text == 'T') && parse_clock(text + 1, tm));
}

/* A day, a time of @today, or both; of UTC if it ends with that or with "Z". */
static int parse_date(const char *text, struct tm today, uint64_t *ret_usec)
{
	const size_t len = strlen(text);
	const size_t zone = len > 4 && streq(text + len - 4, " UTC") ? 4 :
			    len > 1 && text[len - 1] == 'Z' ? 1 : 0;
	_cleanup_free_ char *date = strndup(text, len - zone);

	if (!date)
		return -ENOMEM;
	if (!parse_day(date, &today) && (zone || !parse_clock(date, &today)))
		return -EINVAL;
	return from_tm(today, zone, ret_usec);
}

static int relative(time_t now, long long seconds, uint64_t *ret_usec)
{
	if (seconds > now || now - seconds > SECONDS_MAX)
		return -EINVAL;
	*ret_usec = (uint64_t)(now - seconds) * 1000000;
	return 0;
}

int psc_when_parse(const char *text, time_t now, uint64_t *ret_usec)
{
	static const struct { const char *word; int days; } words[] = {
		{ "yesterday", -1 }, { "today", 0 }, { "tomorrow", 1 },
	};
	size_t len = strlen(text);
	long long span;
	struct tm tm;

	if (streq(text, "now"))
		return relative(now, 0, ret_usec);
	if (!localtime_r(&now, &tm))
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!streq(text, words[i].word))
			continue;
		tm.tm_mday += words[i].days;
		tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
		return from_tm(tm, false, ret_usec);
	}
	if (*text == '@') {
		text++;
		span = parse_digits(&text, 1, 12);
		if (span < 0 || *text || span > SECONDS_MAX)
			return -EINVAL;
		*ret_usec = (uint64_t)span * 1000000;
		return 0;
	}
	if (*text == '-' || *text == '+') {
		span = parse_span(text + 1, text + len);
		return len < 2 || span < 0 ? -EINVAL :
			relative(now, *text == '-' ? span : -span, ret_usec);
	}
	if (len > 4 && streq(text + len - 4, " ago")) {
		span = parse_span(text, text + len - 4);
		return span < 0 ? -EINVAL : relative(now, span, ret_usec);
	}
	return parse_date(text, tm, ret_usec);
}
