/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HAProxy on this machine: members come, change and go over its runtime socket, without a reload; a virtual server that comes, changes or goes
 * is written into our section of the configuration file, which is validated, and HAProxy is reloaded (result.note says so). The file
 * always says what runs, so that a reload or a restart by others keeps it. Sessions of drained and of removed members stay: a member is put
 * into maintenance and deleted when its last session has ended (result.pending). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "l4drivers/haproxy_text.h"

#define PROGRAM "/usr/sbin/haproxy"
#define SOCKET "/run/haproxy/admin.sock"
#define POLL_MS 50
#define RELOAD_MS 8000
#define STATUS_MAX 16384 /* of /proc/PID/status: some 1.5 kB */

struct haproxy {
	struct driver_run *run;
	const char *prefix, *socket, *config, *pid_file, *master;
	struct program_text answer, file, remove;
	bool reloaded, noted; /* in this round; in this run */
	bool kept_out;        /* a reload failed, or is put off: the file says what runs, not what is wanted */
	int64_t pid;
};

/* --- the socket ----------------------------------------------------------------------------------------- */

static int ask(struct haproxy *h, const char *command, struct error *e)
{
	return program_ask(h->run, h->socket, command, &h->answer, e);
}

/* A command that changes something. HAProxy answers with an empty line, or with `done` in it, or says why not. */
static int tell(struct haproxy *h, const char *done, struct error *e, const char *format, ...) __attribute__((format(printf, 4, 5)));
static int tell(struct haproxy *h, const char *done, struct error *e, const char *format, ...)
{
	char command[512], why[160];
	va_list ap;

	va_start(ap, format);
	bool fits = vsnprintf(command, sizeof command, format, ap) < (int)sizeof command;
	va_end(ap);
	if (!fits)
		return error_set(e, ERR_CONFIG, h->run->object, "shorten the names", "a command is too long");
	h->run->result->commands++;
	int rc = ask(h, command, e);
	if (rc)
		return rc;
	const char *said = h->answer.text + strspn(h->answer.text, " \r\n");
	if (done ? strstr(said, done) != NULL : !*said)
		return 0;
	return error_set(e, ERR_REFUSED, h->run->object, "see the socket's level (admin) and the members' names", "%.80s: %s", command,
			 program_last_line(&h->answer, why, sizeof why));
}

static int read_info(struct haproxy *h, struct error *e)
{
	int rc = ask(h, "show info", e);

	if (rc)
		return rc;
	h->pid = haproxy_info(h->answer.text, "Pid");
	return h->pid > 1 ? 0 : error_set(e, ERR_REMOTE, h->run->object, "see whether it is HAProxy's runtime socket", "socket %.100s does not answer as HAProxy", h->socket);
}

/* --- the file ------------------------------------------------------------------------------------------- */

static bool same_virtual(const struct picture_virtual *a, const struct picture_virtual *b)
{
	return picture_same_endpoint(a, b) && !strcmp(a->scheduler, b->scheduler) && a->persistence_s == b->persistence_s;
}

static void add_copy(struct picture *to, const struct picture_virtual *v)
{
	struct picture_virtual *copy = picture_add_virtual(to, v->name);

	if (!copy)
		return;
	*copy = *v;
	copy->reals = mem_array(v->count + 1, sizeof *copy->reals);
	copy->room = v->count + 1;
	memcpy(copy->reals, v->reals, v->count * sizeof *copy->reals);
}

/* May HAProxy listen there? A reload with an address that this machine does not have fails as a whole. */
static bool is_here(const struct picture_virtual *v)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	struct sockaddr_in four = {.sin_family = AF_INET};
	bool is_six = v->address.family == 6;
	int fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return true; /* the reload will tell */
	memcpy(&six.sin6_addr, v->address.bytes, sizeof six.sin6_addr);
	memcpy(&four.sin_addr, v->address.bytes, sizeof four.sin_addr);
	int rc = is_six ? bind(fd, (const struct sockaddr *)&six, sizeof six) : bind(fd, (const struct sockaddr *)&four, sizeof four);
	bool here = !rc || errno != EADDRNOTAVAIL;
	close(fd);
	return here;
}

/* What was asked for but refused stays as it runs, so it stays in the file; so does what a failed reload would have changed. */
static void wanted_section(struct haproxy *h, struct program_text *out)
{
	const struct picture *want = h->run->want, *have = &h->run->have;
	struct picture all = {0};

	for (size_t i = 0; i < want->count; i++) {
		const struct picture_virtual *v = &want->virtuals[i], *old = picture_find(have, v->name);
		bool runs = old && same_virtual(v, old);
		if (runs || (!h->kept_out && is_here(v)))
			add_copy(&all, v);
		else if (old)
			add_copy(&all, old);
	}
	for (size_t i = 0; i < have->count; i++)
		if (!picture_find(want, have->virtuals[i].name) && (h->kept_out || picture_find(h->run->asked, have->virtuals[i].name)))
			add_copy(&all, &have->virtuals[i]);
	picture_sort(&all);
	haproxy_section(&all, h->prefix, out);
	picture_clear(&all);
}

static int write_all(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t n = write(fd, text, size);
		if (n < 0 && errno != EINTR)
			return -1;
		text += n > 0 ? n : 0;
		size -= n > 0 ? (size_t)n : 0;
	}
	return fsync(fd);
}

static void sync_directory(const char *path)
{
	char directory[512];

	text_copy(directory, sizeof directory, path);
	char *slash = strrchr(directory, '/');
	if (!slash)
		return;
	slash[slash == directory] = '\0';
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

/* The configuration as HAProxy itself sees it; option main: files that are read before ours, separated by commas. */
static int validate(struct haproxy *h, const char *path, struct error *e)
{
	const char *argv[24] = {PROGRAM, "-c", "-q"};
	char files[256], why[160], *save;
	size_t n = 3;

	text_copy(files, sizeof files, driver_option(h->run, "main", ""));
	for (char *f = strtok_r(files, ",", &save); f && n < COUNT_OF(argv) - 3; f = strtok_r(NULL, ",", &save)) {
		argv[n++] = "-f";
		argv[n++] = f;
	}
	argv[n++] = "-f";
	argv[n++] = path;
	int rc = program_run(h->run, argv, "", &h->answer, e);
	if (rc <= 0)
		return rc;
	return error_set(e, ERR_REFUSED, h->run->object, "run haproxy -c on its files", "haproxy refuses the new configuration: %s",
			 program_last_line(&h->answer, why, sizeof why));
}

/* A new file beside the old one, validated, then in its place. */
static int replace_file(struct haproxy *h, const char *text, size_t size, bool check, struct error *e)
{
	char path[512];
	struct stat old;
	int rc = 0;

	if (!text_format(path, sizeof path, "%s.glory-XXXXXX", h->config))
		return error_set(e, ERR_CONFIG, h->run->object, "shorten it", "option config is too long");
	int fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return error_set(e, ERR_NO_RESOURCE, h->run->object, "see the directory's rights", "%.100s: no new file beside it: %s", h->config, strerror(errno));
	bool exists = !stat(h->config, &old);
	if (fchmod(fd, exists ? old.st_mode & 07777 : 0644) || (exists && fchown(fd, old.st_uid, old.st_gid)) || write_all(fd, text, size))
		rc = error_set(e, ERR_NO_RESOURCE, h->run->object, "see the disk", "%.100s: writing: %s", h->config, strerror(errno));
	close(fd);
	if (!rc && check)
		rc = validate(h, path, e);
	if (!rc && rename(path, h->config))
		rc = error_set(e, ERR_NO_RESOURCE, h->run->object, "see the directory's rights", "%.100s: replacing: %s", h->config, strerror(errno));
	if (rc)
		unlink(path);
	else
		sync_directory(h->config);
	return rc;
}

static int write_config(struct haproxy *h, struct error *e)
{
	struct program_text section = {0}, text = {0};
	int rc;

	wanted_section(h, &section);
	if (!haproxy_replace(h->file.text, &section, &text))
		rc = error_set(e, ERR_CONFIG, h->run->object, "correct the lines \"# glory-cl: begin\" and \"# glory-cl: end\"", "%.100s: our marks are not in order", h->config);
	else
		rc = replace_file(h, text.text, text.size, true, e);
	program_text_clear(&section);
	program_text_clear(&text);
	return rc;
}

/* --- reloading ------------------------------------------------------------------------------------------ */

/* A master that has just started, or was just reloaded, ignores the signal until it waits for its workers, though those serve by then
 * (seen of 2.6: it is lost, not kept); any other process might be ended by it. The kernel tells what a process catches (proc(5): SigCgt); where
 * it does not, the signal is sent. */
static bool catches_reload(struct haproxy *h, int64_t pid)
{
	struct program_text status = {0};
	struct error ignored;
	char path[32];
	bool catches = true;

	text_format(path, sizeof path, "/proc/%lld/status", (long long)pid);
	if (!program_read_file(h->run, path, STATUS_MAX, &status, &ignored)) {
		const char *caught = strstr(status.text, "\nSigCgt:");
		catches = !caught || (strtoull(caught + strlen("\nSigCgt:"), NULL, 16) >> (SIGUSR2 - 1) & 1) != 0;
	}
	program_text_clear(&status);
	return catches;
}

static bool listens_in_time(struct haproxy *h, int64_t pid)
{
	for (int waited = 0; !catches_reload(h, pid); waited += POLL_MS) {
		if (waited >= RELOAD_MS || driver_left_ms(h->run) <= 0)
			return false;
		driver_pause(h->run, POLL_MS);
	}
	return true;
}

static int ask_for_reload(struct haproxy *h, struct error *e)
{
	struct program_text file = {0};
	int64_t pid = 0;
	int rc;

	if (*h->master)
		return program_ask(h->run, h->master, "reload", &h->answer, e);
	rc = program_read_file(h->run, h->pid_file, 64, &file, e);
	if (!rc) {
		file.text[strcspn(file.text, "\r\n")] = '\0';
		bool listens = text_integer(file.text, 2, INT32_MAX, &pid) && listens_in_time(h, pid);
		if (!listens || kill((pid_t)pid, SIGUSR2))
			rc = error_set(e, ERR_CONFIG, h->run->object, "start haproxy -W with -p and that file", "%.100s names no master process that takes reloads",
				       h->pid_file);
	}
	program_text_clear(&file);
	return rc;
}

static bool worker_changes(struct haproxy *h, int64_t old)
{
	struct error ignored;

	for (int waited = 0; waited < RELOAD_MS && driver_left_ms(h->run) > 0; waited += POLL_MS) {
		if (!read_info(h, &ignored) && h->pid != old)
			return true;
		driver_pause(h->run, POLL_MS);
	}
	return false;
}

/* Writes the file and has it loaded. When HAProxy does not take it, the old file comes back: what runs is still the old. */
static int reload(struct haproxy *h, struct error *e)
{
	int64_t old = h->pid;
	struct error ignored;

	if (!*h->config || (!*h->master && !*h->pid_file))
		return error_set(e, ERR_CONFIG, h->run->object, "set the options config, and pid or master",
				 "a new or changed virtual server needs its configuration file and a reload");
	if (h->kept_out) /* the section holds all of them: what was refused for one is for all */
		return error_set(e, ERR_NOT_NOW, h->run->object, "see why the reload is refused", "it waits for a reload");
	if (!strcmp(driver_option(h->run, "reload", "now"), "later")) {
		h->kept_out = true;
		return error_set(e, ERR_NOT_NOW, h->run->object, "wait for the next run", "a reload is put off");
	}
	int rc = write_config(h, e);
	h->kept_out = rc != 0;
	if (rc)
		return rc;
	h->run->result->commands++;
	rc = ask_for_reload(h, e);
	bool asked = !rc || *h->master; /* a signal that was not sent has loaded nothing */
	if (!rc && !worker_changes(h, old))
		rc = error_set(e, ERR_REFUSED, h->run->object, "see its log: mostly a port that is in use",
			       "no new process came up after the reload; the old file is back");
	h->kept_out = rc != 0;
	if (rc) {
		(void)replace_file(h, h->file.text, h->file.size, false, &ignored);
		if (asked)
			(void)ask_for_reload(h, &ignored);
		return rc;
	}
	h->reloaded = h->noted = true;
	return 0;
}

/* --- the driver ----------------------------------------------------------------------------------------- */

static int haproxy_open(struct driver_run *run, struct error *e)
{
	struct haproxy *h = mem_zalloc(sizeof *h);

	run->state = h;
	h->run = run;
	h->prefix = driver_prefix(run, &driver_haproxy);
	h->socket = driver_option(run, "socket", SOCKET);
	h->config = driver_option(run, "config", "");
	h->pid_file = driver_option(run, "pid", "");
	h->master = driver_option(run, "master", "");
	return read_info(h, e);
}

static void haproxy_close(struct driver_run *run)
{
	struct haproxy *h = run->state;

	if (!h)
		return;
	program_text_clear(&h->answer);
	program_text_clear(&h->file);
	program_text_clear(&h->remove);
	free(h);
	run->state = NULL;
}

static int read_file(struct haproxy *h, struct error *e)
{
	int rc = program_read_file(h->run, h->config, HAPROXY_CONFIG_MAX, &h->file, e);

	if (rc && rc != ERR_NOT_FOUND)
		return rc;
	haproxy_parse_section(h->file.text, h->prefix, &h->run->have);
	return 0;
}

static bool file_differs(struct haproxy *h)
{
	struct program_text section = {0}, text = {0};

	wanted_section(h, &section);
	bool differs = !haproxy_replace(h->file.text, &section, &text) || text.size != h->file.size || memcmp(text.text, h->file.text, text.size) != 0;
	program_text_clear(&section);
	program_text_clear(&text);
	return differs;
}

static int haproxy_read(struct driver_run *run, struct error *e)
{
	struct haproxy *h = run->state;
	unsigned going = 0, foreign = 0;
	int rc = *h->config ? read_file(h, e) : 0;

	h->remove.size = 0;
	h->reloaded = false;
	if (!rc)
		rc = ask(h, "show servers state", e);
	/* without a file the picture of virtual servers is what runs, with what is wanted of it taken as given */
	if (!rc && !*h->config)
		picture_copy_virtuals(&run->have, run->want);
	bool fits = !rc && haproxy_parse_servers(h->answer.text, h->prefix, run->want, &run->have, &going);
	if (!rc && fits)
		rc = ask(h, "show stat", e);
	if (!rc && (!fits || !haproxy_parse_stat(h->answer.text, h->prefix, &run->have, &foreign, &h->remove)))
		return error_set(e, ERR_REMOTE, run->object, "see whether it is HAProxy's runtime socket", "socket %.100s does not answer as HAProxy", h->socket);
	if (rc)
		return rc;
	picture_sort(&run->have);
	run->result->foreign = foreign;
	run->result->pending = going > 0;
	run->untidy = h->remove.size > 0;
	run->unsaved = *h->config && file_differs(h);
	text_format(run->result->note, sizeof run->result->note, "%s%s%s", h->noted ? "reloaded" : "", h->noted && going ? "; " : "",
		    going ? "removed members wait for their last sessions" : "");
	return 0;
}

static int set_weight(struct haproxy *h, const char *backend, const char *server, const struct picture_real *r, struct error *e)
{
	if (!r->weight)
		return tell(h, NULL, e, "set server %s/%s state drain", backend, server);
	int rc = tell(h, NULL, e, "set server %s/%s weight %u", backend, server, r->weight);
	return rc ? rc : tell(h, NULL, e, "set server %s/%s state ready", backend, server);
}

static int add_server(struct haproxy *h, const char *backend, const struct picture_real *r, struct error *e)
{
	char name[PICTURE_NAME], address[ADDRESS_TEXT], limit[24] = "";

	haproxy_server_name(r, name);
	if (r->connections_max)
		text_format(limit, sizeof limit, " maxconn %u", r->connections_max);
	int rc = tell(h, "registered", e, "add server %s/%s %s weight %u%s", backend, name, address_text(&r->address, 0, address), r->weight ? r->weight : 1, limit);
	/* it came in maintenance: weight first, then it is let in */
	return rc ? rc : set_weight(h, backend, name, r, e);
}

static int change_server(struct haproxy *h, const char *backend, const struct picture_real *want, const struct picture_real *have, struct error *e)
{
	char name[PICTURE_NAME];
	int rc = 0;

	/* the one that runs may have another name than the one that is wanted */
	haproxy_server_name(have, name);
	if (want->connections_max != have->connections_max)
		rc = tell(h, NULL, e, "set maxconn server %s/%s %u", backend, name, want->connections_max);
	return rc ? rc : set_weight(h, backend, name, want, e);
}

/* Sessions that are left keep it: the frame hears of it as pending, and the next run tries again. */
static int remove_server(struct haproxy *h, const char *backend, const struct picture_real *r, struct error *e)
{
	char name[PICTURE_NAME];
	struct error ignored;

	haproxy_server_name(r, name);
	int rc = tell(h, NULL, e, "set server %s/%s state maint", backend, name);
	if (!rc && !r->counts.active)
		(void)tell(h, "deleted", &ignored, "del server %s/%s", backend, name);
	return rc;
}

/* Members in maintenance that nobody wants and nobody uses. */
static int tidy(struct haproxy *h, struct error *e)
{
	char *save, *list = mem_strdup(h->remove.text);
	int rc = 0;

	for (char *name = strtok_r(list, "\n", &save); name && !rc; name = strtok_r(NULL, "\n", &save))
		rc = tell(h, "deleted", e, "del server %s", name);
	free(list);
	return rc;
}

static int change(struct haproxy *h, const struct driver_step *step, struct error *e)
{
	char backend[PICTURE_NAME + 16], address[ADDRESS_TEXT];

	text_format(backend, sizeof backend, "%s%s", h->prefix, step->change->virtual_name);
	if ((step->change->verb == PICTURE_ADD_VIRTUAL || step->change->verb == PICTURE_CHANGE_VIRTUAL) && !is_here(step->want))
		return error_set(e, ERR_REFUSED, h->run->object, "put the address on it first, or set net.ipv4.ip_nonlocal_bind", "%s is no address of this machine",
				 address_text(&step->want->address, 0, address));
	/* the file that was loaded has all that is wanted */
	if (h->reloaded)
		return 0;
	switch (step->change->verb) {
	case PICTURE_ADD_REAL:
		return add_server(h, backend, step->want_real, e);
	case PICTURE_CHANGE_REAL:
		return change_server(h, backend, step->want_real, step->have_real, e);
	case PICTURE_REMOVE_REAL:
		return remove_server(h, backend, step->have_real, e);
	default:
		return reload(h, e);
	}
}

static int haproxy_apply(struct driver_run *run, const struct driver_step *step, struct error *e)
{
	struct haproxy *h = run->state;

	switch (step->kind) {
	case STEP_CHANGE:
		return change(h, step, e);
	case STEP_TIDY:
		return h->reloaded ? 0 : tidy(h, e);
	case STEP_SAVE:
		return h->reloaded || !*h->config ? 0 : write_config(h, e);
	default:
		return 0;
	}
}

static const struct driver_scheduler schedulers[] = {{"wrr", 1, "roundrobin"}, {"rr", 1, "roundrobin"}, {"wlc", 2, "leastconn"}, {"lc", 2, "leastconn"},
						     {"sh", 3, "source"},      {NULL, 0, NULL}};
static const char *const options[] = {"socket", "config", "main", "pid", "master", "reload", NULL};

const struct driver driver_haproxy = {
    .family = "haproxy",
    .can = {.weight_max = 256,
	    .weight_zero = true,
	    .create = true,
	    .save = true,
	    .asynchronous_delete = true,
	    .statistics = true,
	    .ipv6 = true,
	    .limits = true,
	    .persistence = true,
	    .forwardings = 1u << FORWARD_NAT,
	    .name_max = PICTURE_NAME + 16,
	    .reals_max = PICTURE_REALS_MAX,
	    .schedulers = schedulers},
    .options = options,
    .prefix = "glory-",
    .open = haproxy_open,
    .read = haproxy_read,
    .apply = haproxy_apply,
    .close = haproxy_close,
};
