/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Netlink exchange with the kernel's IPVS: dumps, batches of commands and their answers; see kernel.h. */
#include "lvs/kernel.h"

#include <errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "base/text.h"
#include "lvs/message.h"

#define DATAGRAM_ROOM 65536       /* the kernel fills dumps to 32 KiB at most */
#define DATAGRAMS_MAX 65536       /* of one dump: more is no end */
#define BATCH 64                  /* commands in one datagram: their answers fit into the socket's buffer */
#define BATCH_ROUNDS 3            /* as asked, then what was there or missing set right, twice */
#define DUMP_TRIES 4
#define ANSWER_MS 5000
#define SOCKET_BUFFER (1 << 20)

const char *kernel_remedy(int error)
{
	static const struct {
		int error;
		const char *remedy;
	} remedies[] = {
		{EPERM, "run it with CAP_NET_ADMIN in the network namespace of the director"},
		{EACCES, "run it with CAP_NET_ADMIN in the network namespace of the director"},
		{ENOENT, "load the scheduler's module: modprobe ip_vs_NAME"},
		{EINVAL, "see that no address is a broadcast or multicast one, and what this kernel's ip_vs can do"},
		{E2BIG, "remove virtual or real servers that were added by hand"},
		{EAFNOSUPPORT, "this kernel's ip_vs has no IPv6: use IPv4 addresses"},
		{ENODEV, "name an interface that is there"},
		{ENOMEM, "free memory on the director"},
		{ENOBUFS, "free memory on the director"},
		{EPROTONOSUPPORT, "load the module: modprobe ip_vs"},
	};

	for (size_t i = 0; i < COUNT_OF(remedies); i++)
		if (remedies[i].error == error)
			return remedies[i].remedy;
	return "";
}

static int failed(struct error *e, int error, const char *what)
{
	return error_set(e, error == EPERM ? ERR_REFUSED : ERR_REMOTE, "kernel ip_vs", kernel_remedy(error), "%s: %s", what, strerror(error));
}

/* --- the socket --------------------------------------------------------------------------------------------------- */

static int socket_send(void *arg, const void *bytes, size_t size)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t n;

	do
		n = sendto(nl_socket_get_fd(arg), bytes, size, 0, (struct sockaddr *)&kernel, sizeof kernel);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* Only what process 0, the kernel, has sent. */
static ssize_t socket_receive(void *arg, void *bytes, size_t room)
{
	struct pollfd wait = {.fd = nl_socket_get_fd(arg), .events = POLLIN};
	struct sockaddr_nl from = {0};
	socklen_t length = sizeof from;
	ssize_t n;

	do {
		int ready = poll(&wait, 1, ANSWER_MS);
		if (ready == 0)
			return -ETIMEDOUT;
		n = ready < 0 ? ready : recvfrom(wait.fd, bytes, room, MSG_TRUNC, (struct sockaddr *)&from, &length);
	} while ((n < 0 && errno == EINTR) || (n >= 0 && from.nl_pid != 0));
	if (n < 0)
		return -errno;
	return (size_t)n > room ? -EMSGSIZE : n;
}

int kernel_open(struct kernel *kernel, struct error *e)
{
	memset(kernel, 0, sizeof *kernel);
	kernel->socket = nl_socket_alloc();
	if (!kernel->socket || genl_connect(kernel->socket))
		return error_set(e, ERR_NO_RESOURCE, "kernel ip_vs", "is netlink in this kernel?", "no netlink socket: %s", strerror(errno));
	kernel->family = genl_ctrl_resolve(kernel->socket, IPVS_GENL_NAME);
	if (kernel->family < 0)
		return error_set(e, ERR_NOT_FOUND, "kernel ip_vs", "load it: modprobe ip_vs (and name ip_vs in /etc/modules)",
				 "the module ip_vs is not loaded in this kernel");
	nl_socket_set_buffer_size(kernel->socket, SOCKET_BUFFER, SOCKET_BUFFER);
	kernel->link = (struct kernel_link){.send = socket_send, .receive = socket_receive, .arg = kernel->socket};
	return 0;
}

void kernel_close(struct kernel *kernel)
{
	nl_socket_free(kernel->socket);
	free(kernel->bytes);
	memset(kernel, 0, sizeof *kernel);
}

/* Sends one message, which is freed. */
static int send_one(struct kernel *kernel, struct nl_msg *m, struct error *e)
{
	struct nlmsghdr *h = m ? nlmsg_hdr(m) : NULL;
	int r = h ? kernel->link.send(kernel->link.arg, h, h->nlmsg_len) : -ENOMEM;

	nlmsg_free(m);
	return r ? failed(e, -r, "send") : 0;
}

/* Calls on() with each message of the next datagram. 0, or a negative errno. */
static int receive(struct kernel *kernel, void (*on)(void *arg, const struct nlmsghdr *h), void *arg)
{
	if (!kernel->bytes)
		kernel->bytes = mem_array(1, DATAGRAM_ROOM);
	ssize_t size = kernel->link.receive(kernel->link.arg, kernel->bytes, DATAGRAM_ROOM);
	if (size < 0)
		return (int)size;
	int left = (int)size;
	for (struct nlmsghdr *h = (struct nlmsghdr *)(void *)kernel->bytes; nlmsg_ok(h, left); h = nlmsg_next(h, &left))
		on(arg, h);
	return 0;
}

/* The errno that an NLMSG_ERROR or NLMSG_DONE carries, as a positive number; a short one is a broken one. */
static int answer_error(const struct nlmsghdr *h, bool needed)
{
	int error = 0;

	if (h->nlmsg_len < NLMSG_HDRLEN + sizeof error)
		return needed ? EBADMSG : 0;
	memcpy(&error, (const char *)h + NLMSG_HDRLEN, sizeof error);
	return error > 0 || error < -4095 ? EBADMSG : -error;
}

/* --- dumps ---------------------------------------------------------------------------------------------------------- */

struct dump {
	uint32_t sequence;
	int (*row)(void *arg, const struct nlmsghdr *h); /* 0, EBADMSG: cannot be, E2BIG: more than we take */
	void *arg;
	bool done, interrupted;
	int error;
};

static void on_dumped(void *arg, const struct nlmsghdr *h)
{
	struct dump *d = arg;

	if (h->nlmsg_seq != d->sequence || d->done)
		return;
	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		d->interrupted = true;
	if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE) {
		d->done = true;
		d->error = d->error ? d->error : answer_error(h, h->nlmsg_type == NLMSG_ERROR);
	} else if (h->nlmsg_type >= NLMSG_MIN_TYPE && !d->error) {
		d->error = d->row(d->arg, h);
	}
}

/* One whole dump; clear(arg) before each try. */
static int dump(struct kernel *kernel, uint8_t verb, const struct kernel_service *of, int (*row)(void *arg, const struct nlmsghdr *h),
		void (*clear)(void *arg), void *arg, struct error *e)
{
	for (int try = 0; try < DUMP_TRIES; try++) {
		struct dump d = {.sequence = ++kernel->sequence, .row = row, .arg = arg};
		struct nl_msg *m = message_new(kernel->family, d.sequence, NLM_F_DUMP, verb);
		int r = 0;

		clear(arg);
		if (m && of)
			message_put_service_key(m, of);
		if (send_one(kernel, m, e))
			return e->kind;
		for (int n = 0; !d.done && !r && n < DATAGRAMS_MAX; n++)
			r = receive(kernel, on_dumped, &d);
		if (r || !d.done)
			return failed(e, r ? -r : EBADMSG, "read");
		if (d.error)
			return failed(e, d.error, "read");
		if (!d.interrupted)
			return 0;
	}
	return error_set(e, ERR_BUSY, "kernel ip_vs", "look who changes it all the time", "it was changed during each of %d reads", DUMP_TRIES);
}

static int service_row(void *arg, const struct nlmsghdr *h)
{
	struct kernel_table *t = arg;
	struct kernel_service s;

	if (!message_read_service(h, &s))
		return EBADMSG;
	if (t->count >= KERNEL_SERVICES_MAX)
		return E2BIG;
	if (t->count == t->room) {
		t->room = t->room ? t->room * 2 : 16;
		t->services = mem_grow(t->services, t->room, sizeof *t->services);
	}
	t->services[t->count++] = s;
	return 0;
}

static void clear_services(void *arg)
{
	kernel_table_clear(arg);
}

static int dest_row(void *arg, const struct nlmsghdr *h)
{
	struct kernel_service *s = arg;
	struct kernel_dest d;

	if (!message_read_dest(h, s->family, &d))
		return EBADMSG;
	if (s->count >= PICTURE_REALS_MAX)
		return E2BIG;
	if (s->count == s->room) {
		s->room = s->room ? s->room * 2 : 16;
		s->dests = mem_grow(s->dests, s->room, sizeof *s->dests);
	}
	s->dests[s->count++] = d;
	return 0;
}

static void clear_dests(void *arg)
{
	struct kernel_service *s = arg;

	s->count = 0;
}

static int by_address(const void *left, const void *right)
{
	const struct kernel_dest *a = left, *b = right;

	return memcmp(&a->address, &b->address, sizeof a->address);
}

/* In order, each endpoint once: a table that changes while it is told may tell one twice. */
static void sort_dests(struct kernel_service *s)
{
	size_t kept = 0;

	if (!s->count)
		return;
	qsort(s->dests, s->count, sizeof *s->dests, by_address);
	for (size_t i = 1; i < s->count; i++)
		if (by_address(&s->dests[kept], &s->dests[i]))
			s->dests[++kept] = s->dests[i];
	s->count = kept + 1;
}

/* The connections of a virtual server are those of its real servers: the kernel keeps no sum. */
static void add_up(struct kernel_service *s)
{
	for (size_t i = 0; i < s->count; i++) {
		s->counts.active += s->dests[i].counts.active;
		s->counts.inactive += s->dests[i].counts.inactive;
	}
}

int kernel_read(struct kernel *kernel, bool (*wanted)(void *arg, const struct kernel_service *s), void *arg, struct kernel_table *out, struct error *e)
{
	memset(out, 0, sizeof *out);
	int r = dump(kernel, IPVS_CMD_GET_SERVICE, NULL, service_row, clear_services, out, e);
	for (size_t i = 0; !r && i < out->count; i++) {
		if (!wanted(arg, &out->services[i]))
			continue;
		r = dump(kernel, IPVS_CMD_GET_DEST, &out->services[i], dest_row, clear_dests, &out->services[i], e);
		sort_dests(&out->services[i]);
		add_up(&out->services[i]);
	}
	if (r)
		kernel_table_clear(out);
	return r;
}

void kernel_table_clear(struct kernel_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->services[i].dests);
	free(table->services);
	memset(table, 0, sizeof *table);
}

/* --- commands ------------------------------------------------------------------------------------------------------- */

/* What becomes of a command that found the kernel otherwise than expected; verb 0: it is done already. */
static const struct {
	uint8_t verb;
	int error;
	uint8_t then;
} turns[] = {
	{IPVS_CMD_NEW_SERVICE, EEXIST, IPVS_CMD_SET_SERVICE}, {IPVS_CMD_SET_SERVICE, ESRCH, IPVS_CMD_NEW_SERVICE},
	{IPVS_CMD_DEL_SERVICE, ESRCH, 0},                     {IPVS_CMD_NEW_DEST, EEXIST, IPVS_CMD_SET_DEST},
	{IPVS_CMD_NEW_DEST, ESRCH, IPVS_CMD_NEW_DEST},        {IPVS_CMD_SET_DEST, ENOENT, IPVS_CMD_NEW_DEST},
	{IPVS_CMD_SET_DEST, ESRCH, IPVS_CMD_NEW_DEST},        {IPVS_CMD_DEL_DEST, ENOENT, 0},
	{IPVS_CMD_DEL_DEST, ESRCH, 0},
};

/* True: the command is to be sent again, with the verb that fits. */
static bool turn(struct kernel_command *c)
{
	for (size_t i = 0; i < COUNT_OF(turns); i++) {
		if (turns[i].verb != c->verb || turns[i].error != c->status)
			continue;
		if (turns[i].then)
			c->verb = turns[i].then;
		else
			c->status = 0;
		return turns[i].then != 0;
	}
	return false;
}

struct batch {
	struct kernel_command *commands[BATCH];
	bool answered[BATCH];
	uint32_t first; /* sequence of the first */
	size_t count, left;
};

static void on_answer(void *arg, const struct nlmsghdr *h)
{
	struct batch *b = arg;
	uint32_t at = h->nlmsg_seq - b->first;

	if (h->nlmsg_type != NLMSG_ERROR || at >= b->count || b->answered[at])
		return;
	b->answered[at] = true;
	b->commands[at]->status = answer_error(h, true);
	b->left--;
}

/* Appends a message to *bytes; its room grows. */
static bool append_command(struct kernel *kernel, struct batch *b, struct kernel_command *c, unsigned char **bytes, size_t *used, size_t *room)
{
	struct nl_msg *m = message_command(kernel->family, ++kernel->sequence, c);

	if (!m)
		return false;
	const struct nlmsghdr *h = nlmsg_hdr(m);
	size_t size = NLMSG_ALIGN(h->nlmsg_len);
	if (*used + size > *room) {
		*room = *room ? *room * 2 : 16384;
		*bytes = mem_grow(*bytes, *room, 1);
	}
	memset(*bytes + *used + size - NLMSG_ALIGNTO, 0, NLMSG_ALIGNTO);
	memcpy(*bytes + *used, h, h->nlmsg_len);
	*used += size;
	b->commands[b->count++] = c;
	kernel->commands++;
	nlmsg_free(m);
	return true;
}

static int exchange(struct kernel *kernel, struct batch *b, const void *bytes, size_t size, struct error *e)
{
	int r = kernel->link.send(kernel->link.arg, bytes, size);

	b->left = b->count;
	for (int n = 0; !r && b->left && n < BATCH * 4; n++)
		r = receive(kernel, on_answer, b);
	if (r || b->left)
		return failed(e, r ? -r : EBADMSG, "an answer to a command");
	return 0;
}

/* Sends those that are `open`, in order; leaves open what is to be sent again, and says whether there is more of it. */
static int round_of(struct kernel *kernel, struct kernel_command *commands, size_t count, bool *open, bool *more, struct error *e)
{
	unsigned char *bytes = NULL;
	size_t room = 0;
	int r = 0;

	for (size_t i = 0; i < count && !r;) {
		struct batch b = {.first = kernel->sequence + 1};
		size_t used = 0;

		for (; i < count && b.count < BATCH; i++)
			if (open[i] && !append_command(kernel, &b, &commands[i], &bytes, &used, &room))
				r = failed(e, ENOMEM, "a message");
		if (b.count && !r)
			r = exchange(kernel, &b, bytes, used, e);
	}
	*more = false;
	for (size_t i = 0; i < count && !r; i++) {
		open[i] = open[i] && turn(&commands[i]);
		*more = *more || open[i];
	}
	free(bytes);
	return r;
}

int kernel_write(struct kernel *kernel, struct kernel_command *commands, size_t count, struct error *e)
{
	bool *open = mem_array(count + 1, sizeof *open), more = count > 0;
	int r = 0;

	for (size_t i = 0; i < count; i++) {
		open[i] = true;
		commands[i].status = EINPROGRESS;
	}
	for (int round = 0; round < BATCH_ROUNDS && more && !r; round++)
		r = round_of(kernel, commands, count, open, &more, e);
	free(open);
	return r;
}

/* --- the sync daemons ------------------------------------------------------------------------------------------------ */

struct daemons {
	struct kernel_daemon *rows;
	size_t count;
};

static int daemon_row(void *arg, const struct nlmsghdr *h)
{
	struct daemons *d = arg;

	if (d->count >= 2 || !message_read_daemon(h, &d->rows[d->count]))
		return EBADMSG;
	d->count++;
	return 0;
}

static void clear_daemons(void *arg)
{
	((struct daemons *)arg)->count = 0;
}

int kernel_daemons(struct kernel *kernel, struct kernel_daemon out[2], size_t *count, struct error *e)
{
	struct daemons d = {.rows = out};
	int r = dump(kernel, IPVS_CMD_GET_DAEMON, NULL, daemon_row, clear_daemons, &d, e);

	*count = r ? 0 : d.count;
	return r;
}

struct single {
	uint32_t sequence;
	int error;
	bool done;
};

static void on_single(void *arg, const struct nlmsghdr *h)
{
	struct single *s = arg;

	if (h->nlmsg_seq != s->sequence || h->nlmsg_type != NLMSG_ERROR)
		return;
	s->error = answer_error(h, true);
	s->done = true;
}

static int daemon_command(struct kernel *kernel, uint8_t verb, const struct kernel_daemon *d, int fine, struct error *e)
{
	struct single s = {.sequence = ++kernel->sequence};
	struct nl_msg *m = message_new(kernel->family, s.sequence, NLM_F_ACK, verb);
	int r = 0;

	if (m)
		message_put_daemon(m, d, verb == IPVS_CMD_NEW_DAEMON);
	if (send_one(kernel, m, e))
		return e->kind;
	kernel->commands++;
	for (int n = 0; !s.done && !r && n < BATCH; n++)
		r = receive(kernel, on_single, &s);
	if (r || !s.done)
		return failed(e, r ? -r : EBADMSG, "an answer to a command");
	if (!s.error || s.error == fine)
		return 0;
	error_set(e, ERR_REMOTE, "sync daemon", kernel_remedy(s.error), "interface %s, id %u: %s", d->interface, d->id, strerror(s.error));
	return e->kind;
}

int kernel_daemon_start(struct kernel *kernel, const struct kernel_daemon *daemon, struct error *e)
{
	return daemon_command(kernel, IPVS_CMD_NEW_DAEMON, daemon, EEXIST, e);
}

int kernel_daemon_stop(struct kernel *kernel, const struct kernel_daemon *daemon, struct error *e)
{
	return daemon_command(kernel, IPVS_CMD_DEL_DAEMON, daemon, ESRCH, e);
}
