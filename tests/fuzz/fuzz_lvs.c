/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fuzzes glory-ipvs where bytes come in: the picture on its standard input, and what a kernel answers. The first byte chooses: the input is a picture against a
 * kernel that holds nothing, or the datagrams of a kernel that is asked with a fixed picture. Every result must become JSON that can be read back. */
#include <errno.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "lvs/plan.h"
#include "lvs/run.h"

static const char picture[] =
	"{\"v\":1,\"driver\":\"ipvs\",\"options\":{\"sync\":\"both\",\"interface\":\"e0\"},\"virtuals\":[{\"name\":\"web\",\"protocol\":\"tcp\",\"address\":\"10.0.0.1:80\","
	"\"forwarding\":\"nat\",\"scheduler\":\"wrr\",\"reals\":[{\"name\":\"n1\",\"address\":\"10.0.0.2:80\",\"weight\":100}]}]}";

static struct {
	const uint8_t *input;
	size_t left;
	uint32_t sequence; /* of the last request */
	uint16_t type;
	size_t pending;    /* answers that an obliging kernel owes */
	uint32_t first;
	bool obliging, dump;
} w;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int fuzz_send(void *arg, const void *bytes, size_t size)
{
	const uint8_t *at = bytes, *end = at + size;
	struct nlmsghdr h;

	(void)arg;
	w.pending = 0;
	while (at + sizeof h <= end) {
		memcpy(&h, at, sizeof h);
		if (h.nlmsg_len < sizeof h || h.nlmsg_len > (size_t)(end - at))
			abort(); /* what we send is well formed */
		if (!w.pending++)
			w.first = h.nlmsg_seq;
		w.sequence = h.nlmsg_seq;
		w.type = h.nlmsg_type;
		w.dump = (h.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
		at += NLMSG_ALIGN(h.nlmsg_len);
	}
	return 0;
}

static ssize_t oblige(uint8_t *bytes)
{
	struct {
		struct nlmsghdr h;
		int32_t error;
	} a = {.h = {.nlmsg_len = sizeof a, .nlmsg_type = w.dump ? NLMSG_DONE : NLMSG_ERROR, .nlmsg_seq = w.first}};

	if (!w.pending)
		return -ETIMEDOUT;
	w.pending--;
	w.first++;
	memcpy(bytes, &a, sizeof a);
	return sizeof a;
}

/* A datagram: its length in two bytes, then its bytes; sequence and type are put right when the length is odd, so that attributes are reached. */
static ssize_t fuzz_receive(void *arg, void *bytes, size_t room)
{
	(void)arg;
	if (w.obliging)
		return oblige(bytes);
	if (w.left < 2)
		return -ETIMEDOUT;
	size_t wanted = (size_t)w.input[0] << 8 | w.input[1], size = wanted >> 1;
	w.input += 2;
	w.left -= 2;
	if (size > w.left)
		size = w.left;
	if (size > room)
		return -EMSGSIZE;
	memcpy(bytes, w.input, size);
	w.input += size;
	w.left -= size;
	if ((wanted & 1) && size >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr h;
		memcpy(&h, bytes, sizeof h);
		h.nlmsg_seq = w.sequence;
		h.nlmsg_len = (uint32_t)size;
		if (h.nlmsg_type & 4)
			h.nlmsg_type = w.type;
		memcpy(bytes, &h, sizeof h);
	}
	return (ssize_t)size;
}

static void ask_keepalived(void *arg, const struct keepalived *k, bool dry_run, struct files_answer *out)
{
	struct error e;

	(void)arg;
	(void)dry_run;
	memset(out, 0, sizeof *out);
	if (keepalived_check(k, &e))
		abort();
	char *text = keepalived_text(k);
	size_t n = strlen(text);
	/* nothing of the picture can open or close a block */
	if (n < strlen(KEEPALIVED_MARK) || text[n - 1] != '\n')
		abort();
	int depth = 0;
	for (size_t i = 0; i < n; i++) {
		depth += (text[i] == '{') - (text[i] == '}');
		if (depth < 0 || depth > 2)
			abort();
	}
	if (depth)
		abort();
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kernel kernel = {.family = 27, .link = {.send = fuzz_send, .receive = fuzz_receive}};
	struct run run = {.kernel = &kernel, .ask_keepalived = ask_keepalived};
	struct picture_result result, again;
	struct error e;

	if (size < 1)
		return 0;
	w.obliging = data[0] & 1;
	w.input = data + 1;
	w.left = size - 1;
	run_picture(&run, w.obliging ? (const char *)data + 1 : picture, w.obliging ? size - 1 : sizeof picture - 1, &result);
	if (result.status && (!result.error.text[0] || result.status > 0))
		abort();
	char *text = picture_result_to_json(&result);
	if (!text || picture_result_from_json(text, strlen(text), &again, &e)) {
		fprintf(stderr, "%s: %s: %s\n%s\n", e.object, e.text, e.remedy, text ? text : "none");
		abort();
	}
	picture_result_clear(&again);
	free(text);
	picture_result_clear(&result);
	kernel_close(&kernel);
	return 0;
}
