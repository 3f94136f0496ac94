/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What HAProxy's socket, its configuration file, nft and conntrack may print, to the parsers of the drivers: the first byte chooses which. A file of
 * any kind takes our section, and gives it back. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "l4drivers/haproxy_text.h"
#include "l4drivers/nft_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char web[] = "{\"v\":1,\"virtuals\":[{\"name\":\"web\",\"address\":\"10.0.0.1:80\",\"scheduler\":\"wrr\",\"reals\":["
			  "{\"name\":\"n1\",\"address\":\"10.1.0.1:80\",\"weight\":100},{\"name\":\"n2\",\"address\":\"10.1.0.2:80\"}]}]}";

static void as_file(const struct picture *want, const char *text)
{
	struct picture have = {0}, back = {0};
	struct program_text section = {0}, file = {0}, again = {0};

	haproxy_parse_section(text, "g-", &have);
	haproxy_section(want, "g-", &section);
	if (haproxy_replace(text, &section, &file)) {
		if (!haproxy_replace(file.text, &section, &again) || strcmp(file.text, again.text) != 0)
			abort();
		haproxy_parse_section(file.text, "g-", &back);
		if (back.count != 1 || strcmp(back.virtuals[0].scheduler, "wrr") != 0)
			abort();
	}
	program_text_clear(&section);
	program_text_clear(&file);
	program_text_clear(&again);
	picture_clear(&have);
	picture_clear(&back);
}

static void as_answer(const struct picture *want, const char *text, bool stat)
{
	struct picture have = {0};
	struct program_text remove = {0};
	unsigned number;

	picture_copy_virtuals(&have, want);
	if (stat)
		haproxy_parse_stat(text, "g-", &have, &number, &remove);
	else
		haproxy_parse_servers(text, "g-", want, &have, &number);
	haproxy_info(text, "Pid");
	program_text_clear(&remove);
	picture_clear(&have);
}

static void as_ruleset(const struct picture *want, const char *text, size_t size)
{
	struct picture have = {0};
	struct program_text out = {0};

	nft_parse(text, size, &have);
	picture_adopt_names(&have, want);
	nft_ruleset(&have, &have, 4, "glory", &out);
	program_text_clear(&out);
	picture_clear(&have);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct picture want;
	struct error e;

	if (size < 1 || picture_from_json(web, strlen(web), &want, &e))
		return 0;
	char *text = mem_zalloc(size);
	memcpy(text, data + 1, size - 1);
	switch (data[0] % 5) {
	case 0:
		as_file(&want, text);
		break;
	case 1:
		as_answer(&want, text, false);
		break;
	case 2:
		as_answer(&want, text, true);
		break;
	case 3:
		as_ruleset(&want, text, size - 1);
		break;
	default:
		nft_connections(text, &want.virtuals[0]);
	}
	free(text);
	picture_clear(&want);
	return 0;
}
